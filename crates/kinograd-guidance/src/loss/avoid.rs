use super::motion::check_joints;
use super::{Barrier, DecodedMotion, MotionGradient, MotionLoss, Reduction};
use crate::{GuidanceError, Shape, Span};

/// Which side of a shape joints shall be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Outside,
    Inside,
}

/// A barrier around a shape, or within one, for chosen joints: `Σ_joints Σ_frames cost(d − margin)`
/// with the signed distance d in metres. The barrier's constants carry the unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    shape: Shape,
    joints: Vec<usize>,
    barrier: Barrier,
    margin_m: f64,
    reduction: Reduction,
    span: Span,
    side: Side,
}

impl Region {
    /// Joints keep out of a shape, by at least `margin_m`.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the shape, a joint or a constant is out of range.
    pub fn avoid(
        shape: Shape,
        joints: Vec<usize>,
        barrier: Barrier,
        margin_m: f64,
    ) -> Result<Self, GuidanceError> {
        Self::new(shape, joints, barrier, margin_m, Side::Outside)
    }

    /// Joints keep within a shape, at least `margin_m` from its edge.
    ///
    /// # Errors
    /// As [`Region::avoid`].
    pub fn keep_in(
        shape: Shape,
        joints: Vec<usize>,
        barrier: Barrier,
        margin_m: f64,
    ) -> Result<Self, GuidanceError> {
        Self::new(shape, joints, barrier, margin_m, Side::Inside)
    }

    fn new(
        shape: Shape,
        joints: Vec<usize>,
        barrier: Barrier,
        margin_m: f64,
        side: Side,
    ) -> Result<Self, GuidanceError> {
        shape.check()?;
        check_joints(&joints)?;
        barrier.check(margin_m)?;
        Ok(Self {
            shape,
            joints,
            barrier,
            margin_m,
            reduction: Reduction::Sum,
            span: Span::ALL,
            side,
        })
    }

    /// Sum or mean over the frames.
    #[must_use]
    pub fn reduced(self, reduction: Reduction) -> Self {
        Self { reduction, ..self }
    }

    /// Only these frames.
    #[must_use]
    pub fn during(self, span: Span) -> Self {
        Self { span, ..self }
    }
}

impl MotionLoss for Region {
    fn name(&self) -> &str {
        match self.side {
            Side::Outside => "avoid",
            Side::Inside => "keep in",
        }
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.span.range("region", frames).map(|_| ())
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let range = self.span.range("region", motion.frames())?;
        let share = match self.reduction {
            Reduction::Sum => 1.0,
            Reduction::Mean => 1.0 / range.clone().count() as f64,
        };
        let sign = match self.side {
            Side::Outside => 1.0,
            Side::Inside => -1.0,
        };
        let mut total = 0.0;
        for frame in range {
            for &joint in &self.joints {
                let (distance, direction) = self.shape.distance_m(motion.joint_m(frame, joint));
                let (cost, slope) = self.barrier.cost(sign * distance - self.margin_m);
                total += share * cost;
                if slope != 0.0 {
                    let factor = weight * share * slope * sign;
                    gradient.add(frame, joint, direction.map(|d| factor * d));
                }
            }
        }
        Ok(total)
    }
}
