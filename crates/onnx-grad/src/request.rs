use crate::footprint::Footprint;
use crate::model::{Model, TensorInfo};

/// What to differentiate.
///
/// ```
/// use onnx_grad::{Mode, Request, Seed};
/// let request = Request {
///     outputs: vec![Seed::new("x0")],
///     inputs: vec!["x_t".into()],
///     mode: Mode::Split,
///     ..Request::default()
/// };
/// assert_eq!(request.outputs[0].cotangent_name(), "x0_cotangent");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The outputs y whose cotangents v the caller supplies.
    pub outputs: Vec<Seed>,
    /// The inputs x whose gradients Σ (∂y/∂x)ᵀ v the graph returns.
    pub inputs: Vec<String>,
    /// The weights that get gradients too; none by default.
    pub weights: Weights,
    /// One graph or two.
    pub mode: Mode,
}

/// An output that takes a cotangent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// Name of the output in the model.
    pub output: String,
    /// Name of the graph input that takes its cotangent; `<output>_cotangent` where `None`.
    pub cotangent: Option<String>,
}

impl Seed {
    /// A seed with the default cotangent name.
    pub fn new(output: impl Into<String>) -> Self {
        Self {
            output: output.into(),
            cotangent: None,
        }
    }

    /// The name of the input that takes the cotangent; with `_2`, `_3`, … where a tensor of the model
    /// has the name and none was chosen: what the graphs take is in [`Joint::cotangents`] and
    /// [`Split::cotangents`].
    #[must_use]
    pub fn cotangent_name(&self) -> String {
        self.cotangent
            .clone()
            .unwrap_or_else(|| format!("{}_cotangent", self.output))
    }
}

/// Which weights (float initializers) get gradients, and in what form.
///
/// A weight stays in the graphs, unless [`Weights::as_inputs`] makes it an input of them, so that a
/// training loop can pass its current value and never rebuilds a session:
///
/// ```
/// use onnx_grad::{Mode, Request, Seed, Weights};
/// let request = Request {
///     outputs: vec![Seed::new("logits")],
///     weights: Weights::named(["head.weight", "head.bias"]).as_inputs(),
///     ..Request::default()
/// };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    pub(crate) which: Which,
    pub(crate) as_inputs: bool,
    pub(crate) in_f32: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Which {
    #[default]
    None,
    All,
    Named(Vec<String>),
}

impl Weights {
    /// No weight gets a gradient.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Every float initializer of at least one axis that leads to a seeded output. Left out are the
    /// running statistics of `BatchNormalization`, bounds of `Clip` and the like, scalars, and
    /// tensors of one element that are only multiplied, divided, subtracted and the like: most are
    /// constants of the exporter. Name those that were trained with [`Weights::named`].
    ///
    /// A file does not say what was trained, so that constant vectors come along where nothing tells
    /// them from parameters: frequencies of an embedding of time, a fixed table of positions, the
    /// scale of ones of a normalisation without parameters. To hold them fixed, name the others:
    ///
    /// ```no_run
    /// # fn main() -> Result<(), onnx_grad::Error> {
    /// use onnx_grad::{Model, Weights};
    /// let trained = Model::read("model.onnx")?.weights().into_iter().map(|weight| weight.name);
    /// let weights = Weights::named(trained.filter(|name| !name.contains("frequencies")));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn all() -> Self {
        Self {
            which: Which::All,
            ..Self::default()
        }
    }

    /// These initializers.
    #[must_use]
    pub fn named<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self {
            which: Which::Named(names.into_iter().map(Into::into).collect()),
            ..Self::default()
        }
    }

    /// The chosen weights become inputs of the graphs, under their names, instead of being stored in
    /// them. Their first values are those of [`Model::weight`].
    #[must_use]
    pub fn as_inputs(mut self) -> Self {
        self.as_inputs = true;
        self
    }

    /// Chosen weights that are stored in half precision and only read through a `Cast` to 32 bits
    /// are held in 32 bits, as are their gradients. Otherwise a gradient has its weight's type.
    #[must_use]
    pub fn in_f32(mut self) -> Self {
        self.in_f32 = true;
        self
    }
}

/// One graph or two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Inputs and cotangents in, outputs and gradients out.
    #[default]
    Joint,
    /// A forward graph that also returns what the backward needs, and a backward graph.
    Split,
}

/// The graphs of a [`Request`].
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one per model, and it is taken apart at once"
)]
pub enum Gradient {
    /// For [`Mode::Joint`].
    Joint(Joint),
    /// For [`Mode::Split`].
    Split(Split),
}

impl Gradient {
    /// The joint graph, if that was asked for.
    #[must_use]
    pub fn into_joint(self) -> Option<Joint> {
        match self {
            Self::Joint(joint) => Some(joint),
            Self::Split(_) => None,
        }
    }

    /// The pair of graphs, if that was asked for.
    #[must_use]
    pub fn into_split(self) -> Option<Split> {
        match self {
            Self::Split(split) => Some(split),
            Self::Joint(_) => None,
        }
    }
}

/// One graph: the model's inputs and the cotangents in; the model's outputs and the gradients out.
#[derive(Clone, Debug)]
pub struct Joint {
    /// The graph.
    pub model: Model,
    /// The cotangents it takes, in the order of [`Request::outputs`]; shaped like those outputs.
    pub cotangents: Vec<TensorInfo>,
    /// The weights it takes as inputs: see [`Weights::as_inputs`].
    pub weights: Vec<TensorInfo>,
    /// The gradients it returns, shaped like what they belong to: in the order of
    /// [`Request::inputs`], then of the weights.
    pub gradients: Vec<GradientInfo>,
}

/// Two graphs. A step runs `forward` once, then `backward` once per cotangent.
#[derive(Clone, Debug)]
pub struct Split {
    /// The model's inputs in; the model's outputs, then the `saved` tensors out.
    pub forward: Model,
    /// `saved`, `forwarded_inputs` and `cotangents` in; `gradients` out.
    pub backward: Model,
    /// Activations that `forward` returns and `backward` takes, under the same name.
    pub saved: Vec<SavedInfo>,
    /// Inputs of the model that `backward` takes too, under the same name.
    pub forwarded_inputs: Vec<TensorInfo>,
    /// The cotangents that `backward` takes, in the order of [`Request::outputs`].
    pub cotangents: Vec<TensorInfo>,
    /// The weights that `forward` takes as inputs: see [`Weights::as_inputs`]. Those that `backward`
    /// reads are among `forwarded_inputs`.
    pub weights: Vec<TensorInfo>,
    /// The gradients that `backward` returns: in the order of [`Request::inputs`], then of the
    /// weights.
    pub gradients: Vec<GradientInfo>,
    /// Of the forward and of the backward graph.
    pub(crate) footprints: [Footprint; 2],
}

/// An activation that the forward graph keeps for the backward graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedInfo {
    /// Name, element type and shape.
    pub tensor: TensorInfo,
    /// Op type of the node that computes it.
    pub op: String,
}

/// A gradient that a graph returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GradientInfo {
    /// The input or weight it belongs to.
    pub input: String,
    /// Name, element type and shape of the gradient; the name is `<input>_gradient`, with
    /// `_2`, `_3`, … where that is taken.
    pub tensor: TensorInfo,
}
