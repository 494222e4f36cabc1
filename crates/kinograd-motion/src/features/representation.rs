//! What a model's numbers are to the features that goals, clips and reports are about.

use ndarray::{Array1, Array2, ArrayView2};

use super::absolute::{absolute_from_relative, relative_from_absolute, relative_from_absolute_vjp};
use super::normalizer::Normalizer;
use crate::MotionError;

/// Standard deviation of heading velocity and root velocities, as in `models/motion-base`.
const VELOCITY_STD: [f32; 3] = [0.0169, 0.0314, 0.0314];

/// How a model's features say where the root is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RootForm {
    /// By its velocities, as HumanML3D.
    #[default]
    Velocity,
    /// By its place in the world, as GMD; see
    /// [`relative_from_absolute`](super::relative_from_absolute).
    Absolute,
}

/// What a model's normalised numbers, `[frames, 263]`, are to HumanML3D's features, not normalised: the
/// one place that knows it, with the adjoint.
///
/// ```
/// use kinograd_motion::{FEATURES, MotionRepresentation, Normalizer, RootForm};
/// use ndarray::{Array1, Array2};
///
/// let normalizer = Normalizer::new(Array1::zeros(FEATURES), Array1::ones(FEATURES))?;
/// let absolute = MotionRepresentation::new(normalizer, RootForm::Absolute);
/// let mut places = Array2::<f32>::zeros((3, FEATURES));
/// places[[1, 2]] = 0.1;
/// // Half a metre to the next frame's place is a velocity of as much.
/// assert_eq!(absolute.features(places.view())?[[0, 2]], 0.1);
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MotionRepresentation {
    normalizer: Normalizer,
    root: RootForm,
}

impl From<Normalizer> for MotionRepresentation {
    /// HumanML3D's features.
    fn from(normalizer: Normalizer) -> Self {
        Self::new(normalizer, RootForm::Velocity)
    }
}

impl MotionRepresentation {
    /// Of numbers that are normalised so.
    #[must_use]
    pub fn new(normalizer: Normalizer, root: RootForm) -> Self {
        Self { normalizer, root }
    }

    /// The normalisation of the model's own numbers.
    #[must_use]
    pub fn normalizer(&self) -> &Normalizer {
        &self.normalizer
    }

    /// How the model's own numbers say where the root is.
    #[must_use]
    pub fn root(&self) -> RootForm {
        self.root
    }

    /// HumanML3D's features of a model's normalised numbers, both `[frames, 263]`.
    ///
    /// # Errors
    /// [`MotionError::Shape`] for another shape.
    pub fn features(&self, normalised: ArrayView2<'_, f32>) -> Result<Array2<f32>, MotionError> {
        let own = self.normalizer.invert(normalised)?;
        match self.root {
            RootForm::Velocity => Ok(own),
            RootForm::Absolute => relative_from_absolute(own.view()),
        }
    }

    /// Jᵀu of [`features`](Self::features) at `normalised`: a cotangent on the features becomes one on the
    /// model's normalised numbers.
    ///
    /// # Errors
    /// [`MotionError::Shape`] for another shape.
    pub fn features_vjp(
        &self,
        normalised: ArrayView2<'_, f32>,
        cotangent: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, MotionError> {
        match self.root {
            RootForm::Velocity => self.normalizer.invert_vjp(cotangent),
            RootForm::Absolute => {
                let own = self.normalizer.invert(normalised)?;
                let on_own = relative_from_absolute_vjp(own.view(), cotangent)?;
                self.normalizer.invert_vjp(on_own.view())
            }
        }
    }

    /// A model's normalised numbers of HumanML3D's features, both `[frames, 263]`.
    ///
    /// # Errors
    /// [`MotionError::Shape`] for another shape.
    pub fn normalised(&self, features: ArrayView2<'_, f32>) -> Result<Array2<f32>, MotionError> {
        match self.root {
            RootForm::Velocity => self.normalizer.apply(features),
            RootForm::Absolute => {
                let own = absolute_from_relative(features, [0.0; 3])?;
                self.normalizer.apply(own.view())
            }
        }
    }

    /// The model's normalised numbers of a changed clip: `features` are those of `normalised` but for the
    /// change. What they do not say, such as where the clip begins, stays.
    ///
    /// # Errors
    /// [`MotionError::Shape`] for another shape.
    pub fn renormalised(
        &self,
        normalised: ArrayView2<'_, f32>,
        features: ArrayView2<'_, f32>,
    ) -> Result<Array2<f32>, MotionError> {
        match self.root {
            RootForm::Velocity => self.normalizer.apply(features),
            RootForm::Absolute => {
                let before = self.normalizer.invert(normalised)?;
                let start = before.row(0);
                let start = [0, 1, 2].map(|column| f64::from(start[column]));
                let own = absolute_from_relative(features, start)?;
                self.normalizer.apply(own.view())
            }
        }
    }

    /// Standard deviation of each of HumanML3D's features, `[263]`: the model's own where its numbers are
    /// these; of the root's velocities else those of walks, runs and turns.
    #[must_use]
    pub fn features_std(&self) -> Array1<f32> {
        let mut std = self.normalizer.std().clone();
        if self.root == RootForm::Absolute {
            for (std, of_velocity) in std.iter_mut().zip(VELOCITY_STD) {
                *std = of_velocity;
            }
        }
        std
    }
}
