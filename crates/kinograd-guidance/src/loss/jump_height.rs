use kinograd_motion::REST_OFFSETS;

use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::GuidanceError;

/// Minus the height of a jump, metres: how far the root's highest place lies above where it is when
/// the canonical body stands straight.
///
/// The highest place is a smooth maximum over the frames, `τ log(mean exp(h/τ))` with τ = 2 cm,
/// which lies between the mean height and the largest. The reference is the body's and not the clip's
/// first frame: a clip that starts in a crouch would else be rewarded for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JumpHeight;

/// τ, metres.
const SOFTNESS_M: f64 = 0.02;

impl MotionLoss for JumpHeight {
    fn name(&self) -> &str {
        "jump height"
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let heights: Vec<f64> = (0..motion.frames())
            .map(|frame| motion.joint_m(frame, 0)[1])
            .collect();
        if heights.is_empty() {
            return Ok(0.0);
        }
        let highest = heights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = heights
            .iter()
            .map(|height| ((height - highest) / SOFTNESS_M).exp())
            .collect();
        let total: f64 = shares.iter().sum();
        for (frame, share) in shares.iter().enumerate() {
            gradient.add(frame, 0, [0.0, -weight * share / total, 0.0]);
        }
        let peak = highest + SOFTNESS_M * (total / heights.len() as f64).ln();
        Ok(REST_OFFSETS[0][1] - peak)
    }
}
