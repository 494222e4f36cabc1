//! Any ONNX network of one input and one output, with its vector–Jacobian product.

mod edges;
mod pixels;

use std::path::Path;
use std::sync::Arc;

use ndarray::{ArrayD, Axis, Slice, concatenate};
use onnx_grad::{Model, TensorInfo};

use crate::engine::TOO_LONG;
use crate::ports::{described, dimension, groups, listed};
use crate::{
    Engine, GradientSession, ModelSource, Package, Role, RuntimeError, Session, SessionOptions,
    Tensor,
};

pub(crate) use self::edges::FloatEdges;
pub use self::pixels::PixelHints;

/// A network behind a loss: an embedding, a mask, a classifier, a reward.
///
/// ```no_run
/// use kinograd_runtime::*;
/// use ndarray::ArrayD;
///
/// let engine = open_engine(&EngineOptions::default())?.engine;
/// let mut reward = OnnxNetwork::of_file(engine, "reward.onnx".as_ref(), SessionOptions::default())?;
/// let (value, mut pull_back) = reward.linearize(&ArrayD::zeros(vec![1, 3, 64, 64]))?;
/// let gradient = pull_back(&ArrayD::ones(value.shape()))?;
/// # Ok::<(), kinograd_runtime::RuntimeError>(())
/// ```
pub struct OnnxNetwork {
    engine: Arc<dyn Engine>,
    model: ModelSource,
    sha256: String,
    options: SessionOptions,
    input: String,
    output: String,
    batch: Option<usize>,
    /// Where it is a user's own file.
    file: Option<Port>,
    plain: Option<Box<dyn Session>>,
    gradient: Option<GradientSession>,
}

/// `v ↦ Jᵀv` of an [`OnnxNetwork`].
pub type NetworkGradient<'a> =
    Box<dyn FnMut(&ArrayD<f32>) -> Result<ArrayD<f32>, RuntimeError> + 'a>;

impl OnnxNetwork {
    /// A package's network; `input` and `output` are the contract's names for the role.
    ///
    /// # Errors
    /// As [`Package::file`].
    pub fn of_package(
        engine: Arc<dyn Engine>,
        package: &Package,
        role: Role,
        input: &str,
        output: &str,
        options: SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let model = package.model(role)?;
        Ok(Self {
            engine,
            sha256: model.sha256().to_owned(),
            model,
            options,
            input: package.port(role, input),
            output: package.port(role, output),
            batch: package.rows(role),
            file: None,
            plain: None,
            gradient: None,
        })
    }

    /// An ONNX file with one input of numbers; its first output of floats is taken. Both may be of any
    /// width: this network takes and gives floats of 32 bits. A batch that the graph fixes is kept to.
    ///
    /// # Errors
    /// [`RuntimeError::Io`] if the file cannot be read, [`RuntimeError::Load`] if it is no ONNX
    /// model, [`RuntimeError::Tensor`] if it takes anything but one tensor that a gradient can be
    /// taken by.
    pub fn of_file(
        engine: Arc<dyn Engine>,
        path: &Path,
        options: SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let source = ModelSource::file(path)?;
        let (model, sha256) = (source.model()?, source.sha256().to_owned());
        let name = path.display().to_string();
        let port = port_of(&name, &model)?;
        let mut edges = FloatEdges::of(&name, &model);
        let input = edges.input(&port.input)?;
        let output = edges.output(&port.output);
        drop(model);
        Ok(Self {
            engine,
            model: edges.finish(source)?,
            sha256,
            options: options.of_user_network(),
            input,
            output,
            batch: dimension(&port.input, 0),
            file: Some(port),
            plain: None,
            gradient: None,
        })
    }

    /// What the graph says of the pictures that it takes; `None` if it can take none, or is a package's.
    #[must_use]
    pub fn pixels(&self) -> Option<&PixelHints> {
        self.file.as_ref().and_then(|port| port.pixels.as_ref())
    }

    /// The input in words: its name, type and shape.
    #[must_use]
    pub fn input(&self) -> String {
        let port = self.file.as_ref().map(|port| described(&port.input));
        port.unwrap_or_else(|| format!("`{}`", self.input))
    }

    /// The rows that the graph takes at once, where it fixes them.
    #[must_use]
    pub fn batch(&self) -> Option<usize> {
        self.batch
    }

    /// SHA-256 of the file.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The output at `x`.
    ///
    /// # Errors
    /// As [`Engine::load`] and [`Session::run`].
    pub fn run(&mut self, x: &ArrayD<f32>) -> Result<ArrayD<f32>, RuntimeError> {
        if self.plain.is_none() && self.gradient.is_none() {
            self.plain = Some(self.engine.load(&self.model, &self.options)?);
        }
        let mut outputs = Vec::new();
        for (group, own) in groups(x, self.batch) {
            let tensor = Tensor::from(group);
            let named = [(self.input.as_str(), &tensor)];
            let result = match (&mut self.plain, &mut self.gradient) {
                (Some(plain), _) => plain
                    .run(&named, &[&self.output])
                    .map(|mut all| all.remove(0)),
                (None, Some(gradient)) => gradient.forward(&named).map(|(output, _)| output),
                (None, None) => Err(crate::denoiser::not_loaded()),
            };
            let result = result.map_err(|error| misfit(self.file.as_ref(), error, &tensor))?;
            outputs.push((result.into_f32()?, own));
        }
        joined(outputs)
    }

    /// The output at `x`, and `v ↦ Jᵀv` there.
    ///
    /// # Errors
    /// As [`GradientSession::open`] and [`Session::run`].
    pub fn linearize<'a>(
        &'a mut self,
        x: &ArrayD<f32>,
    ) -> Result<(ArrayD<f32>, NetworkGradient<'a>), RuntimeError> {
        if self.gradient.is_none() {
            self.gradient = Some(GradientSession::open(
                &self.engine,
                &self.model,
                &self.output,
                &self.input,
                &self.options,
            )?);
        }
        let Self {
            gradient,
            input,
            batch,
            file,
            ..
        } = self;
        let gradient = gradient.as_mut().ok_or_else(crate::denoiser::not_loaded)?;
        let (input, batch) = (input.as_str(), *batch);
        let (mut outputs, mut kept) = (Vec::new(), Vec::new());
        for (group, own) in groups(x, batch) {
            let tensor = Tensor::from(group);
            let (output, activations) = gradient
                .forward(&[(input, &tensor)])
                .map_err(|error| misfit(file.as_ref(), error, &tensor))?;
            outputs.push((output.into_f32()?, own));
            kept.push((tensor, activations, own));
        }
        let pull_back = move |cotangent: &ArrayD<f32>| -> Result<ArrayD<f32>, RuntimeError> {
            let mut pulled = Vec::with_capacity(kept.len());
            for ((group, own), (tensor, activations, _)) in
                groups(cotangent, batch).into_iter().zip(&kept)
            {
                // Copies fill a group up, and what they pull back is cut off.
                let group = Tensor::from(group);
                let gradient = gradient.backward(activations, &[(input, tensor)], &group)?;
                pulled.push((gradient.into_f32()?, own));
            }
            joined(pulled)
        };
        Ok((joined(outputs)?, Box::new(pull_back)))
    }
}

/// What a user's file takes and gives.
struct Port {
    name: String,
    input: TensorInfo,
    output: TensorInfo,
    pixels: Option<PixelHints>,
}

fn port_of(name: &str, model: &Model) -> Result<Port, RuntimeError> {
    let (inputs, outputs) = (model.inputs(), model.outputs());
    let refused = |expected: &str, got: String| RuntimeError::Tensor {
        what: name.to_owned(),
        expected: expected.into(),
        got,
    };
    let [input] = inputs.as_slice() else {
        let got = format!("{} inputs: {}", inputs.len(), listed(&inputs));
        let expected = "a network with one input; make the others constants when you export it";
        return Err(refused(expected, got));
    };
    if dimension(input, 0) == Some(0) {
        return Err(refused("a batch of 1 or more", described(input)));
    }
    let output = outputs.iter().find(|output| output.data_type.is_float());
    let output = output.ok_or_else(|| refused("an output of floats", listed(&outputs)))?;
    Ok(Port {
        name: name.to_owned(),
        input: input.clone(),
        output: output.clone(),
        pixels: PixelHints::of(model, input),
    })
}

/// A run of a user's network that failed, by the tensor that does not fit; the engine's own words are
/// logged.
fn misfit(file: Option<&Port>, error: RuntimeError, got: &Tensor) -> RuntimeError {
    match (file, error) {
        (Some(port), RuntimeError::Run { reason, .. }) if !reason.contains(TOO_LONG) => {
            tracing::debug!("{}: {reason}", port.name);
            RuntimeError::Tensor {
                what: format!("{}: input {}", port.name, described(&port.input)),
                expected: "a shape that the network's layers take; give its height and width, or                            export it with fixed ones"
                    .into(),
                got: format!("{:?}", got.shape()),
            }
        }
        (_, error) => error,
    }
}

/// Groups of rows, each cut to its own, one after another.
fn joined(mut groups: Vec<(ArrayD<f32>, usize)>) -> Result<ArrayD<f32>, RuntimeError> {
    if let [(only, own)] = groups.as_mut_slice()
        && only.shape().first() == Some(own)
    {
        return Ok(std::mem::take(only));
    }
    let mut views = Vec::with_capacity(groups.len());
    for (group, own) in &groups {
        if group.shape().first().is_none_or(|rows| rows < own) {
            return Err(RuntimeError::Tensor {
                what: "the network's output".into(),
                expected: format!("{own} rows or more"),
                got: format!("{:?}", group.shape()),
            });
        }
        views.push(group.slice_axis(Axis(0), Slice::from(..*own)));
    }
    concatenate(Axis(0), &views).map_err(|error| RuntimeError::Tensor {
        what: "the network's output".into(),
        expected: "the same shape for every group of rows".into(),
        got: error.to_string(),
    })
}
