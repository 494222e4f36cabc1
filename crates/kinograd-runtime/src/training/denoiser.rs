use std::sync::Arc;

use kinograd_diffusion::NoiseLevel;
use ndarray::{Array1, Array2, ArrayD, Axis};
use onnx_grad::Model;

use super::{Adam, TrainingSession, WeightChoice};
use crate::{DenoiserSpec, Engine, ModelSource, Prediction, RuntimeError, SessionOptions, Tensor};

/// Clips to learn from, and how they are noised.
#[derive(Debug, Clone, Copy)]
pub struct TrainingClips<'a> {
    /// `[batch, frames, features]`, normalised.
    pub x0: &'a ArrayD<f32>,
    /// Standard normal, shape of `x0`.
    pub noise: &'a ArrayD<f32>,
    /// Frames of each clip.
    pub lengths: &'a [usize],
    /// Noise level of each clip.
    pub levels: &'a [NoiseLevel],
    /// `[batch, dims]`: what each clip shows.
    pub condition: &'a Array2<f32>,
}

/// Fits a denoiser to clips: Adam on `‖output − what it should predict‖²`, mean over the real frames
/// and features (Ho et al. 2020, eq. 14, for the model's own prediction).
pub struct DenoiserTrainer {
    name: String,
    model: Model,
    spec: DenoiserSpec,
    session: TrainingSession,
    adam: Adam,
}

impl DenoiserTrainer {
    /// Differentiates the model by the chosen weights.
    ///
    /// # Errors
    /// As [`TrainingSession::open`]; [`RuntimeError::Parameter`] if the learning rate is not a
    /// positive number.
    pub fn open(
        engine: &Arc<dyn Engine>,
        model: &ModelSource,
        spec: DenoiserSpec,
        choice: &WeightChoice,
        learning_rate: f64,
        options: &SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let name = model.name().to_owned();
        let adam = Adam::new(learning_rate)?;
        if let Some(rows) = spec.rows {
            return Err(RuntimeError::Parameter {
                name: "batch",
                value: format!("fixed to {rows} in {name}"),
                expected: "free in a network that learns; export it with a free batch".into(),
            });
        }
        let model = model.model()?;
        let session =
            TrainingSession::open(engine, &model, &name, &spec.ports.x0, choice, options)?;
        Ok(Self {
            name,
            model,
            spec,
            session,
            adam,
        })
    }

    /// Names of the trained weights.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.session.names()
    }

    /// Numbers among the trained weights.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.session.parameters()
    }

    /// One step of Adam; returns the loss before it.
    ///
    /// # Errors
    /// [`RuntimeError::Tensor`] if the clips do not fit the model or one another,
    /// [`RuntimeError::Parameter`] if the loss or a gradient is not finite; then no weight is
    /// changed.
    pub fn step(&mut self, clips: &TrainingClips<'_>) -> Result<f64, RuntimeError> {
        let (loss, gradients) = self.loss_and_gradients(clips)?;
        let adam = &mut self.adam;
        self.session
            .update(|weights| adam.step(weights, &gradients))?;
        Ok(loss)
    }

    /// The loss and its gradients, in the order of [`DenoiserTrainer::names`].
    ///
    /// # Errors
    /// As [`DenoiserTrainer::step`].
    pub fn loss_and_gradients(
        &mut self,
        clips: &TrainingClips<'_>,
    ) -> Result<(f64, Vec<ArrayD<f32>>), RuntimeError> {
        let spec = self.spec.motion()?;
        let layout = spec.layout(clips.lengths.to_vec());
        let batch = clips.lengths.len();
        let dims = spec.null_condition.len();
        if clips.noise.shape() != clips.x0.shape()
            || clips.levels.len() != batch
            || clips.condition.dim() != (batch, dims)
        {
            return Err(RuntimeError::Tensor {
                what: "training clips".into(),
                expected: format!(
                    "noise {:?}, {batch} levels, condition [{batch}, {dims}]",
                    clips.x0.shape()
                ),
                got: format!(
                    "noise {:?}, {} levels, condition {:?}",
                    clips.noise.shape(),
                    clips.levels.len(),
                    clips.condition.shape()
                ),
            });
        }
        // `weights` gives the shares of x0 and of the noise at a level.
        let mixed = |weights: &dyn Fn(NoiseLevel) -> (f64, f64)| -> Result<_, RuntimeError> {
            let mut out = clips.x0.clone();
            let samples = out
                .axis_iter_mut(Axis(0))
                .zip(clips.noise.axis_iter(Axis(0)));
            for ((mut x0, noise), &level) in samples.zip(clips.levels) {
                let (a, b) = weights(level);
                x0.zip_mut_with(&noise, |x, &n| {
                    *x = (a * f64::from(*x) + b * f64::from(n)) as f32;
                });
            }
            let frames = clips.lengths.iter().copied().max().unwrap_or(0);
            let once = Array2::ones((1, frames));
            Ok(layout.pad(layout.view(&out)?, once.view()).into_dyn())
        };
        let family = self.spec.family;
        let x_t = Tensor::from(mixed(&|level| {
            let (signal, noise) = signal_and_noise(level);
            let (_, input) = family.input(level);
            (input * signal, input * noise)
        })?);
        let target = mixed(&|level| wanted(family.prediction, level))?;
        let frames = clips.x0.shape().get(1).copied().unwrap_or(0);
        let mask = layout.mask(frames, 1);
        let timestep: Array1<f32> = clips.levels.iter().map(|&l| family.input(l).0).collect();
        let (timestep, condition) = (
            Tensor::from(timestep),
            Tensor::from(clips.condition.clone()),
        );
        let frame_mask = Tensor::from(mask.clone());
        let ports = &self.spec.ports;
        let inputs = [
            (ports.x_t.as_str(), &x_t),
            (ports.timestep.as_str(), &timestep),
            (spec.condition_port.as_str(), &condition),
            (spec.mask_port.as_str(), &frame_mask),
        ];
        let name = &self.name;
        self.session.gradients(&inputs, |output| {
            squared_error(name, output, &target, &mask)
        })
    }

    /// The model with the weights as they are now, rounded to the types that it stores.
    ///
    /// # Errors
    /// As [`TrainingSession::store`].
    pub fn model(&self) -> Result<Model, RuntimeError> {
        let mut model = self.model.clone();
        self.session.store(&mut model)?;
        Ok(model)
    }

    /// [`DenoiserTrainer::model`] for [`crate::OnnxDenoiser::set_model`].
    ///
    /// # Errors
    /// As [`DenoiserTrainer::model`].
    pub fn source(&self) -> Result<ModelSource, RuntimeError> {
        let bytes = self.model()?.to_bytes();
        let bytes = bytes.map_err(|error| RuntimeError::Gradient {
            model: self.name.clone(),
            source: error.into(),
        })?;
        Ok(ModelSource::memory(
            format!("{} (fine-tuned)", self.name),
            bytes,
        ))
    }
}

fn signal_and_noise(level: NoiseLevel) -> (f64, f64) {
    (level.alpha_bar.sqrt(), level.noise_variance().sqrt())
}

/// Shares of x0 and of the noise in what the model should predict.
fn wanted(prediction: Prediction, level: NoiseLevel) -> (f64, f64) {
    let (signal, noise) = signal_and_noise(level);
    match prediction {
        Prediction::X0 => (1.0, 0.0),
        Prediction::Epsilon => (0.0, 1.0),
        Prediction::V => (-noise, signal),
        Prediction::Flow => (-1.0, 1.0),
    }
}

/// The mean over real elements, and its gradient.
fn squared_error(
    name: &str,
    mut output: ArrayD<f32>,
    target: &ArrayD<f32>,
    mask: &Array2<f32>,
) -> Result<(f64, ArrayD<f32>), RuntimeError> {
    if output.shape() != target.shape() {
        return Err(RuntimeError::Tensor {
            what: format!("{name}: the model's output"),
            expected: format!("{:?}", target.shape()),
            got: format!("{:?}", output.shape()),
        });
    }
    let features = target.shape().last().copied().unwrap_or(1);
    let count = (f64::from(mask.sum()) * features as f64).max(1.0);
    let real = mask
        .iter()
        .flat_map(|&real| std::iter::repeat_n(real, features));
    let mut loss = 0.0;
    for ((out, &target), real) in output.iter_mut().zip(target).zip(real) {
        let gap = f64::from(*out - target) * f64::from(real);
        loss += gap * gap / count;
        *out = (2.0 * gap / count) as f32;
    }
    if loss.is_finite() {
        Ok((loss, output))
    } else {
        Err(RuntimeError::Parameter {
            name: "training loss",
            value: loss.to_string(),
            expected: "a finite number; a smaller learning rate may give one".into(),
        })
    }
}
