//! Losses on the root's path over the ground.

use kinograd_motion::{MotionRepresentation, Normalizer, decode_root_path, decode_root_path_vjp};
use ndarray::{Array2, ArrayD, ArrayView2, Axis, Ix2, s};

use super::{Loss, LossValue};
use crate::GuidanceError;

/// A loss on one path, `[frames, 2]` as (x, z), metres.
pub trait PathLoss {
    /// The loss's name, for messages and reports.
    fn name(&self) -> &str;

    /// Whether it makes sense for a clip of this length.
    ///
    /// # Errors
    /// [`GuidanceError::FrameOutOfRange`] if it needs a frame beyond the clip.
    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        let _ = frames;
        Ok(())
    }

    /// The value and its gradient, `[frames, 2]`.
    ///
    /// # Errors
    /// [`GuidanceError`] if the loss needs a frame that the path doesn't have.
    fn value_and_grad(
        &self,
        path_m: ArrayView2<'_, f64>,
    ) -> Result<(f64, Array2<f64>), GuidanceError>;
}

/// Root paths of a batch of normalised features, each sample with its own length.
#[derive(Debug, Clone)]
pub struct MotionDecoder {
    representation: MotionRepresentation,
    lengths: Vec<usize>,
}

impl MotionDecoder {
    /// `representation`: what x0's numbers are; HumanML3D's features where it is their normalisation.
    /// `lengths`: frames of each sample; frames beyond are padding.
    #[must_use]
    pub fn new(representation: impl Into<MotionRepresentation>, lengths: Vec<usize>) -> Self {
        Self {
            representation: representation.into(),
            lengths,
        }
    }

    /// Frames of each sample.
    #[must_use]
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// What x0's numbers are.
    #[must_use]
    pub fn representation(&self) -> &MotionRepresentation {
        &self.representation
    }

    /// The normalisation of x0's numbers.
    #[must_use]
    pub fn normalizer(&self) -> &Normalizer {
        self.representation.normalizer()
    }

    /// Features of one sample of `x0`, `[length, 263]`, no longer normalised.
    ///
    /// # Errors
    /// [`GuidanceError::Shape`] if `x0` isn't `[batch, frames, 263]` for these lengths.
    pub fn features(&self, x0: &ArrayD<f32>, sample: usize) -> Result<Array2<f32>, GuidanceError> {
        Ok(self.representation.features(self.clip(x0, sample)?)?)
    }

    /// One sample of `x0`, its own frames.
    pub(crate) fn clip<'a>(
        &self,
        x0: &'a ArrayD<f32>,
        sample: usize,
    ) -> Result<ArrayView2<'a, f32>, GuidanceError> {
        let wrong = || GuidanceError::Shape {
            what: "x̂0",
            expected: vec![
                self.lengths.len(),
                self.lengths.iter().copied().max().unwrap_or(0),
                self.normalizer().mean().len(),
            ],
            got: x0.shape().to_vec(),
        };
        if x0.ndim() != 3 || x0.len_of(Axis(0)) != self.lengths.len() {
            return Err(wrong());
        }
        let length = *self.lengths.get(sample).ok_or_else(wrong)?;
        let clip = x0
            .index_axis(Axis(0), sample)
            .into_dimensionality::<Ix2>()
            .map_err(|_| wrong())?;
        if length > clip.nrows() || clip.ncols() != self.normalizer().mean().len() {
            return Err(wrong());
        }
        Ok(clip.slice_move(s![..length, ..]))
    }

    /// The gradient on `x0`, all zero but for one sample's own frames, from one on its path.
    pub(crate) fn pull_back_into(
        &self,
        x0: &ArrayD<f32>,
        path_gradient: ArrayView2<'_, f64>,
        sample: usize,
        gradient: &mut ArrayD<f32>,
    ) -> Result<(), GuidanceError> {
        let features = self.features(x0, sample)?;
        let on_features = decode_root_path_vjp(features.view(), path_gradient)?;
        self.features_into(x0, on_features.view(), sample, gradient)
    }

    /// The gradient on `x0`, all zero but for one sample's own frames, from one on its features.
    pub(crate) fn features_into(
        &self,
        x0: &ArrayD<f32>,
        on_features: ArrayView2<'_, f64>,
        sample: usize,
        gradient: &mut ArrayD<f32>,
    ) -> Result<(), GuidanceError> {
        let clip = self.clip(x0, sample)?;
        let on_x0 = self.representation.features_vjp(clip, on_features)?;
        let mut out = gradient.index_axis_mut(Axis(0), sample);
        // Row-major, so a sample's own frames are its first elements.
        for (out, value) in out.iter_mut().zip(&on_x0) {
            *out = *value as f32;
        }
        Ok(())
    }
}

/// A sum of path losses as a loss on normalised features.
pub struct RootPathLossAdapter {
    decoder: MotionDecoder,
    terms: Vec<(f64, Box<dyn PathLoss>)>,
}

impl RootPathLossAdapter {
    /// No terms yet.
    #[must_use]
    pub fn new(decoder: MotionDecoder) -> Self {
        Self {
            decoder,
            terms: Vec::new(),
        }
    }

    /// Adds a term.
    #[must_use]
    pub fn with(mut self, weight: f64, loss: impl PathLoss + 'static) -> Self {
        self.terms.push((weight, Box::new(loss)));
        self
    }
}

impl Loss for RootPathLossAdapter {
    fn name(&self) -> &str {
        match self.terms.as_slice() {
            [(_, only)] => only.name(),
            _ => "root path",
        }
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let mut gradient = ArrayD::zeros(x0.raw_dim());
        let mut values = Vec::with_capacity(self.decoder.lengths.len());
        for sample in 0..self.decoder.lengths.len() {
            let features = self.decoder.features(x0, sample)?;
            let path = decode_root_path(features.view())?;
            let mut value = 0.0;
            let mut path_gradient = Array2::zeros(path.raw_dim());
            for (weight, term) in &self.terms {
                let (term_value, term_gradient) = term.value_and_grad(path.view())?;
                value += weight * term_value;
                path_gradient.scaled_add(*weight, &term_gradient);
            }
            self.decoder
                .pull_back_into(x0, path_gradient.view(), sample, &mut gradient)?;
            values.push(value);
        }
        Ok(LossValue { values, gradient })
    }
}
