//! A user's network that gives every clip one number: a reward or a loss, with its gradient.

use std::path::Path;
use std::sync::Arc;

use ndarray::{Array2, ArrayD, Axis, IxDyn, Slice};
use onnx_grad::{Model, TensorInfo};

use crate::network::FloatEdges;
use crate::ports::{dimension, groups, listed};
use crate::{Engine, GradientSession, ModelSource, RuntimeError, SessionOptions, Tensor};

/// Joints of a clip's body, and their axes.
const JOINTS: [usize; 2] = [22, 3];

/// What a [`ScoreNetwork`] looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreInput {
    /// `[batch, frames, features]`, normalised with the package's constants.
    Features,
    /// `[batch, frames, 22, 3]`, joints in the world, metres.
    Joints,
}

/// An ONNX model that scores clips.
///
/// Of its inputs, the one of rank 4 takes the joints `[batch, frames, 22, 3]` or that of rank 3 the
/// features `[batch, frames, features]`; an input `frame_mask [batch, frames]` is optional. Its first
/// float output holds one number per clip, `[batch]` or `[batch, 1]`. Batch and frames may be fixed, and
/// floats be of any width.
pub struct ScoreNetwork {
    session: GradientSession,
    name: String,
    input: TensorInfo,
    kind: ScoreInput,
    mask: Option<String>,
    /// The clips that the graph takes at once, where it fixes them.
    batch: Option<usize>,
}

impl ScoreNetwork {
    /// Opens and differentiates a model. `features`: how many a frame has.
    ///
    /// # Errors
    /// [`RuntimeError::Tensor`] if no input or output fits, [`RuntimeError::Io`] if the file cannot
    /// be read, otherwise as [`GradientSession::open`]. An evaluation that takes too long
    /// ([`SessionOptions::of_user_network`]) is [`RuntimeError::Run`].
    pub fn open(
        engine: &Arc<dyn Engine>,
        path: &Path,
        features: usize,
        options: &SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let source = ModelSource::file(path)?;
        let name = source.name().to_owned();
        let model = source.model()?;
        let (input, kind) = found_input(&model, &name, features)?;
        let mask = other_inputs(&model, &name, &input.name)?;
        let output = found_output(&model, &name)?;
        let mut edges = FloatEdges::of(&name, &model);
        let output = edges.output(&output);
        let mask = mask.map(|mask| edges.constant(&mask));
        let fed = edges.input(&input)?;
        let source = edges.finish(source)?;
        let options = options.clone().of_user_network();
        Ok(Self {
            session: GradientSession::open(engine, &source, &output, &fed, &options)?,
            name,
            batch: dimension(&input, 0),
            input: TensorInfo { name: fed, ..input },
            kind,
            mask,
        })
    }

    /// The model's name in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it looks at.
    #[must_use]
    pub fn input(&self) -> ScoreInput {
        self.kind
    }

    /// Whether clips of this length fit.
    ///
    /// # Errors
    /// [`RuntimeError::Tensor`] if the graph fixes another number of frames.
    pub fn check_frames(&self, frames: usize) -> Result<(), RuntimeError> {
        match dimension(&self.input, 1) {
            Some(fixed) if fixed != frames => Err(RuntimeError::Tensor {
                what: format!("{}: frames of input `{}`", self.name, self.input.name),
                expected: fixed.to_string(),
                got: format!("a clip of {frames}"),
            }),
            _ => Ok(()),
        }
    }

    /// One number per clip, and the gradient of each in its own rows. `clips` is what
    /// [`ScoreNetwork::input`] says; every clip has all its frames.
    ///
    /// # Errors
    /// [`RuntimeError::Tensor`] if the output is not one number per clip; otherwise as
    /// [`crate::Session::run`].
    pub fn value_and_grad(
        &mut self,
        clips: &ArrayD<f32>,
    ) -> Result<(Vec<f64>, ArrayD<f32>), RuntimeError> {
        let batch = clips.shape().first().copied().unwrap_or(0);
        self.check_frames(clips.shape().get(1).copied().unwrap_or(0))?;
        if self.batch.is_none_or(|fixed| fixed == batch) {
            return self.run(clips.clone());
        }
        let mut values = Vec::with_capacity(batch);
        let mut gradient = ArrayD::zeros(clips.raw_dim());
        for (group, own) in groups(clips, self.batch) {
            let (value, pulled) = self.run(group)?;
            let rows = Slice::from(values.len()..values.len() + own);
            values.extend(value.into_iter().take(own));
            let pulled = pulled.slice_axis(Axis(0), Slice::from(..own));
            gradient.slice_axis_mut(Axis(0), rows).assign(&pulled);
        }
        Ok((values, gradient))
    }

    fn run(&mut self, clips: ArrayD<f32>) -> Result<(Vec<f64>, ArrayD<f32>), RuntimeError> {
        let shape = clips.shape().to_vec();
        let mask = Tensor::from(Array2::<f32>::ones((shape[0], shape[1])));
        let clips = Tensor::from(clips);
        let mut named = vec![(self.input.name.as_str(), &clips)];
        named.extend(self.mask.iter().map(|name| (name.as_str(), &mask)));
        let (output, activations) = self.session.forward(&named)?;
        let scores = output.into_f32()?;
        if scores.len() != shape[0] || scores.ndim() > 2 {
            return Err(RuntimeError::Tensor {
                what: format!("{}: the scores", self.name),
                expected: format!("one number per clip, [{}]", shape[0]),
                got: format!("{:?}", scores.shape()),
            });
        }
        let ones = Tensor::from(ArrayD::<f32>::ones(scores.raw_dim()));
        let gradient = self.session.backward(&activations, &named, &ones)?;
        let gradient = gradient.into_f32()?;
        if gradient.shape() != shape {
            return Err(RuntimeError::Tensor {
                what: format!("{}: the gradient", self.name),
                expected: format!("{:?}", IxDyn(&shape)),
                got: format!("{:?}", gradient.shape()),
            });
        }
        Ok((
            scores.iter().map(|&score| f64::from(score)).collect(),
            gradient,
        ))
    }
}

/// Whether the last axes may be these.
fn ends_in(tensor: &TensorInfo, rank: usize, last: &[usize]) -> bool {
    let shape = tensor.shape.as_ref();
    shape.is_some_and(|shape| shape.len() == rank)
        && tensor.data_type.is_float()
        && last
            .iter()
            .enumerate()
            .all(|(i, &n)| dimension(tensor, rank - last.len() + i).is_none_or(|fixed| fixed == n))
        && dimension(tensor, 0).is_none_or(|batch| batch > 0)
}

fn found_input(
    model: &Model,
    name: &str,
    features: usize,
) -> Result<(TensorInfo, ScoreInput), RuntimeError> {
    let inputs = model.inputs();
    let joints = inputs.iter().find(|input| ends_in(input, 4, &JOINTS));
    let by_features = inputs.iter().find(|input| ends_in(input, 3, &[features]));
    match (joints, by_features) {
        (Some(input), _) => Ok((input.clone(), ScoreInput::Joints)),
        (None, Some(input)) => Ok((input.clone(), ScoreInput::Features)),
        (None, None) => Err(RuntimeError::Tensor {
            what: format!("{name}: inputs"),
            expected: format!(
                "joints [batch, frames, 22, 3] or features [batch, frames, {features}]"
            ),
            got: listed(&inputs),
        }),
    }
}

/// The mask, if there is one; nothing else can be fed.
fn other_inputs(
    model: &Model,
    name: &str,
    taken: &str,
) -> Result<Option<TensorInfo>, RuntimeError> {
    let others: Vec<TensorInfo> = model
        .inputs()
        .into_iter()
        .filter(|input| input.name != taken)
        .collect();
    match others.as_slice() {
        [] => Ok(None),
        [mask] if mask.name == "frame_mask" => Ok(Some(mask.clone())),
        _ => Err(RuntimeError::Tensor {
            what: format!("{name}: inputs beside `{taken}`"),
            expected: "frame_mask [batch, frames] or none".into(),
            got: listed(&others),
        }),
    }
}

fn found_output(model: &Model, name: &str) -> Result<TensorInfo, RuntimeError> {
    let outputs = model.outputs();
    let fits = |output: &&TensorInfo| {
        let rank = output.shape.as_ref().map(Vec::len);
        output.data_type.is_float()
            && (rank.is_none()
                || rank == Some(1)
                || (rank == Some(2) && dimension(output, 1).is_none_or(|n| n == 1)))
    };
    outputs
        .iter()
        .find(fits)
        .cloned()
        .ok_or_else(|| RuntimeError::Tensor {
            what: format!("{name}: outputs"),
            expected: "one number per clip, [batch] or [batch, 1]".into(),
            got: listed(&outputs),
        })
}
