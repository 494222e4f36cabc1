//! Losses on x̂0, each with its exact gradient.

mod avoid;
mod closure;
mod facing;
mod foot_contact;
mod forward_distance;
mod ground;
mod ground_goals;
mod joint_height;
mod joint_target;
mod jump_height;
mod keyframes;
mod loop_closure;
mod motion;
mod obstacles;
mod pose_similarity;
mod root_path;
mod root_target;
mod smoothness;
mod speed;
mod sum;
mod text_similarity;
mod trajectory;
mod two_person;
mod waypoints;

pub use avoid::Region;
pub use closure::ClosureLoss;
pub use facing::{Facing, FacingTarget};
pub use foot_contact::{FEET, FootContact, NoSkate};
pub use forward_distance::ForwardDistance;
pub use ground::GroundPenetration;
pub use joint_height::JointHeight;
pub use joint_target::{JointTarget, Origin};
pub use jump_height::JumpHeight;
pub use keyframes::{KeyPose, Keyframes};
pub use loop_closure::LoopClosure;
pub(crate) use motion::check_not_negative;
pub use motion::{
    DecodedMotion, MotionGradient, MotionLoss, MotionLossAdapter, RootPathAsMotion, joint_index,
};
pub use obstacles::{Barrier, Obstacles, Reduction};
pub use pose_similarity::PoseSimilarity;
pub use root_path::{MotionDecoder, PathLoss, RootPathLossAdapter};
pub use root_target::RootTarget;
pub use smoothness::{Derivative, Smoothness};
pub use speed::Speed;
pub use sum::SumLoss;
pub use text_similarity::{Embedding, EmbeddingPullBack, TextSimilarity};
pub use trajectory::Trajectory;
pub use two_person::PersonDistance;
pub use waypoints::Waypoints;

use ndarray::{ArrayD, Axis};

use crate::GuidanceError;

/// Values of a loss, one per sample, and its gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct LossValue {
    /// `[batch]`.
    pub values: Vec<f64>,
    /// ∂ value / ∂x̂0, shape of x̂0. A sample's gradient depends on that sample alone.
    pub gradient: ArrayD<f32>,
}

/// Something to make small.
///
/// ```
/// use kinograd_guidance::{GuidanceError, Loss, LossValue};
/// use ndarray::{ArrayD, Axis};
///
/// /// Half the squared distance of every element from `target`.
/// struct Towards { target: f32 }
///
/// impl Loss for Towards {
///     fn name(&self) -> &str {
///         "towards"
///     }
///
///     fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
///         let gradient = x0.mapv(|x| x - self.target);
///         let half_square = |sample: ndarray::ArrayViewD<f32>| {
///             sample.iter().map(|&x| f64::from(x).powi(2) / 2.0).sum()
///         };
///         let values = gradient.axis_iter(Axis(0)).map(half_square).collect();
///         Ok(LossValue { values, gradient })
///     }
/// }
/// ```
pub trait Loss {
    /// The loss's name, for messages and reports.
    fn name(&self) -> &str;

    /// `x0`: `[batch, ...]`, in the model's normalised units.
    ///
    /// # Errors
    /// [`GuidanceError`] if `x0` doesn't fit or a network behind the loss fails.
    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError>;
}

impl<L: Loss + ?Sized> Loss for Box<L> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        (**self).value_and_grad(x0)
    }
}

/// Evaluates a loss and rejects wrong shapes and numbers that are not finite.
///
/// # Errors
/// The loss's own; [`GuidanceError::Shape`] and [`GuidanceError::NonFinite`] for what it must not give.
pub fn checked(loss: &mut dyn Loss, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
    let value = loss.value_and_grad(x0)?;
    finite(loss.name(), &value, x0)?;
    Ok(value)
}

/// Rejects wrong shapes and numbers that are not finite.
pub(crate) fn finite(name: &str, value: &LossValue, x0: &ArrayD<f32>) -> Result<(), GuidanceError> {
    if value.gradient.shape() != x0.shape() || Some(&value.values.len()) != x0.shape().first() {
        return Err(GuidanceError::Shape {
            what: "loss gradient",
            expected: x0.shape().to_vec(),
            got: value.gradient.shape().to_vec(),
        });
    }
    let gradients = value.gradient.axis_iter(Axis(0));
    for (sample, (number, gradient)) in value.values.iter().zip(gradients).enumerate() {
        if !number.is_finite() || gradient.iter().any(|element| !element.is_finite()) {
            return Err(GuidanceError::NonFinite {
                loss: name.to_owned(),
                sample,
            });
        }
    }
    Ok(())
}
