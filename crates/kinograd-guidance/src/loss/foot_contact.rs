use super::motion::{check_finite, check_joints, check_not_negative};
use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::{GuidanceError, Span};

/// Ankles and toes of the canonical skeleton, with the height below which each may stand, metres.
pub const FEET: [(usize, f64); 4] = [(7, 0.1), (10, 0.05), (8, 0.1), (11, 0.05)];

/// Mean squared ground speed of feet that are low, (m/s)²: `Σ w_t w_{t+1} v²` over frames and feet,
/// with `w = sigmoid((height − y)/softness)`. Its gradient slows low feet and lifts fast ones.
#[derive(Debug, Clone, PartialEq)]
pub struct NoSkate {
    feet: Vec<(usize, f64)>,
    softness_m: f64,
}

impl Default for NoSkate {
    /// [`FEET`], with a softness of 1 cm.
    fn default() -> Self {
        Self {
            feet: FEET.to_vec(),
            softness_m: 0.01,
        }
    }
}

impl NoSkate {
    /// `feet`: joints and the heights below which they may stand, metres.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a joint is unknown, a height not finite or the softness not
    /// positive.
    pub fn new(feet: Vec<(usize, f64)>, softness_m: f64) -> Result<Self, GuidanceError> {
        for &(joint, height) in &feet {
            check_joints(&[joint])?;
            check_finite("height", &[height])?;
        }
        check_not_negative("softness_m", softness_m)?;
        if softness_m == 0.0 || feet.is_empty() {
            return Err(GuidanceError::Field {
                field: "no skate",
                value: format!("{} feet, softness {softness_m} m", feet.len()),
                expected: "must have feet and a positive softness",
            });
        }
        Ok(Self { feet, softness_m })
    }

    /// How much a foot stands at a height, and the slope.
    fn standing(&self, height_m: f64, limit_m: f64) -> (f64, f64) {
        let share = 1.0 / (1.0 + ((height_m - limit_m) / self.softness_m).exp());
        (share, -share * (1.0 - share) / self.softness_m)
    }
}

impl MotionLoss for NoSkate {
    fn name(&self) -> &str {
        "no skate"
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let pairs = motion.frames().saturating_sub(1);
        let share = 1.0 / (pairs * self.feet.len()).max(1) as f64;
        let squared_fps = motion.fps * motion.fps;
        let mut total = 0.0;
        for frame in 0..pairs {
            for &(foot, limit) in &self.feet {
                let (here, next) = (motion.joint_m(frame, foot), motion.joint_m(frame + 1, foot));
                let ((w0, slope0), (w1, slope1)) =
                    (self.standing(here[1], limit), self.standing(next[1], limit));
                let [x, z] = [next[0] - here[0], next[2] - here[2]];
                let squared_speed = (x * x + z * z) * squared_fps;
                total += share * w0 * w1 * squared_speed;
                let factor = weight * share;
                let pull = 2.0 * factor * w0 * w1 * squared_fps;
                let lift = factor * squared_speed;
                gradient.add(frame, foot, [-pull * x, lift * slope0 * w1, -pull * z]);
                gradient.add(frame + 1, foot, [pull * x, lift * w0 * slope1, pull * z]);
            }
        }
        Ok(total)
    }
}

/// A foot stands during a span, m²: mean squared height above where it rests plus mean squared
/// distance from its mean place on the ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FootContact {
    joint: usize,
    rest_height_m: f64,
    span: Span,
}

impl FootContact {
    /// `rest_height_m`: the joint's height while the foot stands.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the joint is unknown or the height not finite.
    pub fn new(joint: usize, rest_height_m: f64, span: Span) -> Result<Self, GuidanceError> {
        check_joints(&[joint])?;
        check_finite("rest_height_m", &[rest_height_m])?;
        Ok(Self {
            joint,
            rest_height_m,
            span,
        })
    }
}

impl MotionLoss for FootContact {
    fn name(&self) -> &str {
        "foot contact"
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.span.range("foot contact", frames).map(|_| ())
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let range = self.span.range("foot contact", motion.frames())?;
        let share = 1.0 / range.clone().count() as f64;
        let mut mean = [0.0; 2];
        for frame in range.clone() {
            let at = motion.joint_m(frame, self.joint);
            mean[0] += share * at[0];
            mean[1] += share * at[2];
        }
        let mut total = 0.0;
        for frame in range {
            let at = motion.joint_m(frame, self.joint);
            // The mean's own dependence cancels: offsets from it sum to zero.
            let gap = [at[0] - mean[0], at[1] - self.rest_height_m, at[2] - mean[1]];
            total += share * gap.iter().map(|gap| gap * gap).sum::<f64>();
            gradient.add(frame, self.joint, gap.map(|gap| 2.0 * weight * share * gap));
        }
        Ok(total)
    }
}
