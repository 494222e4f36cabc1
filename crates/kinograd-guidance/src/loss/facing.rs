use super::motion::check_finite;
use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::{GroundPoint, GuidanceError, Span};

/// Where a body faces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FacingTarget {
    /// A heading: the angle about Y that turns +Z to the facing, radians.
    Heading(f64),
    /// A point on the ground, metres.
    Point(GroundPoint),
}

/// `1 − cos` of the angle between the heading and where it shall point, mean over a span, 0 to 2,
/// without unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facing {
    target: FacingTarget,
    span: Span,
}

impl Facing {
    /// # Errors
    /// [`GuidanceError::Field`] if the target is not finite.
    pub fn new(target: FacingTarget, span: Span) -> Result<Self, GuidanceError> {
        match target {
            FacingTarget::Heading(angle) => check_finite("heading", &[angle])?,
            FacingTarget::Point(point) => check_finite("facing", &point)?,
        }
        Ok(Self { target, span })
    }
}

impl MotionLoss for Facing {
    fn name(&self) -> &str {
        "facing"
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.span.range("facing", frames).map(|_| ())
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let range = self.span.range("facing", motion.frames())?;
        let share = 1.0 / range.clone().count() as f64;
        let mut total = 0.0;
        for frame in range {
            let heading = motion.headings_rad[frame];
            let (sin, cos) = heading.sin_cos();
            let wanted = match self.target {
                FacingTarget::Heading(angle) => [angle.sin(), angle.cos()],
                FacingTarget::Point(point) => {
                    let root = motion.joint_m(frame, 0);
                    let offset = [point[0] - root[0], point[1] - root[2]];
                    let distance = offset[0].hypot(offset[1]);
                    // On the point itself every heading is right.
                    if distance == 0.0 {
                        continue;
                    }
                    let wanted = offset.map(|o| o / distance);
                    let agreement = sin * wanted[0] + cos * wanted[1];
                    let factor = weight * share / distance;
                    let x = factor * (sin - agreement * wanted[0]);
                    let z = factor * (cos - agreement * wanted[1]);
                    gradient.add(frame, 0, [x, 0.0, z]);
                    wanted
                }
            };
            total += share * (1.0 - sin * wanted[0] - cos * wanted[1]);
            gradient.headings[frame] -= weight * share * (cos * wanted[0] - sin * wanted[1]);
        }
        Ok(total)
    }
}
