//! How feet that are near the ground move over it.

use ndarray::{ArrayView3, Axis};

/// Ankles and toes of the canonical skeleton, with their heights while a foot stands, metres.
const FEET: [(usize, f64); 4] = [(7, 0.06), (10, 0.015), (8, 0.06), (11, 0.015)];
/// A foot whose lowest point is no higher than this over where it stands is near the ground, metres.
const NEAR_M: f64 = 0.05;
/// A foot on the ground that is faster than this slides, metres per second.
const SLIDES_MPS: f64 = 0.2;

/// How the lower foot of each frame moves over the ground, whatever its speed: somebody who is pulled
/// along as a statue slides in all frames, and somebody who hovers floats in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct FootSlide {
    /// Mean speed over the ground, over the frames in which a foot is near it, metres per second.
    pub mean_mps: f64,
    /// Share of these frames in which the lower foot is faster than 0.2 m/s.
    pub ratio: f64,
    /// Share of all frames in which no foot is within 5 cm of where it stands.
    pub float_ratio: f64,
}

/// Measures joints `[frames, 22, 3]`, metres, Y up, over a floor at height 0. Clips of one frame and
/// other skeletons give zeros.
///
/// ```
/// use ndarray::Array3;
/// use kinograd_motion::metrics::foot_slide;
/// // A statue on its feet that is pulled along at 0.5 m/s.
/// let statue = Array3::from_shape_fn((21, 22, 3), |(f, _, axis)| {
///     if axis == 2 { 0.5 * f as f32 / 20.0 } else { 0.0 }
/// });
/// let slide = foot_slide(statue.view(), 20.0);
/// assert!((slide.mean_mps - 0.5).abs() < 1e-5 && slide.ratio == 1.0 && slide.float_ratio == 0.0);
/// ```
#[must_use]
pub fn foot_slide(joints: ArrayView3<'_, f32>, fps: f64) -> FootSlide {
    let pairs = joints.len_of(Axis(0)).saturating_sub(1);
    if pairs == 0
        || FEET
            .iter()
            .any(|(joint, _)| *joint >= joints.len_of(Axis(1)))
    {
        return FootSlide::default();
    }
    let at = |frame: usize, joint: usize, axis: usize| f64::from(joints[[frame, joint, axis]]);
    let height = |frame: usize, (joint, rest_m): (usize, f64)| at(frame, joint, 1) - rest_m;
    let (mut near, mut slides, mut way_m) = (0_usize, 0_usize, 0.0);
    for frame in 0..pairs {
        let low =
            |a: &(usize, f64), b: &(usize, f64)| height(frame, *a).total_cmp(&height(frame, *b));
        let Some(point) = FEET.into_iter().min_by(low) else {
            continue;
        };
        if height(frame, point) > NEAR_M || height(frame + 1, point) > NEAR_M {
            continue;
        }
        let step = |axis: usize| at(frame + 1, point.0, axis) - at(frame, point.0, axis);
        let step_m = step(0).hypot(step(2));
        near += 1;
        way_m += step_m;
        slides += usize::from(step_m * fps > SLIDES_MPS);
    }
    let near_or_one = near.max(1) as f64;
    FootSlide {
        mean_mps: way_m * fps / near_or_one,
        ratio: slides as f64 / near_or_one,
        float_ratio: 1.0 - near as f64 / pairs as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joints_array;
    use crate::synth::SynthWalk;
    use ndarray::Array3;

    fn slip(slip_mps: f64) -> FootSlide {
        let walk = SynthWalk {
            slip_mps,
            ..SynthWalk::default()
        };
        foot_slide(joints_array(&walk.motion()).view(), 20.0)
    }

    /// Faster than the 0.5 m/s at which the usual ratio begins to see it, and slower.
    #[test]
    fn slipping_shows_at_any_speed() {
        let (clean, slow, fast) = (slip(0.0), slip(0.3), slip(0.7));
        assert!(clean.mean_mps < 0.15 && clean.ratio < 0.2, "{clean:?}");
        assert!(slow.mean_mps > clean.mean_mps + 0.15, "{slow:?}");
        assert!(fast.mean_mps > slow.mean_mps + 0.2, "{fast:?}");
        assert!(clean.float_ratio < 0.1, "{clean:?}");
    }

    #[test]
    fn who_hovers_floats() {
        let up = Array3::from_shape_fn((20, 22, 3), |(_, _, axis)| f32::from(u8::from(axis == 1)));
        let slide = foot_slide(up.view(), 20.0);
        assert_eq!((slide.mean_mps, slide.float_ratio), (0.0, 1.0));
        for frames in 0..2 {
            let none = foot_slide(Array3::zeros((frames, 22, 3)).view(), 20.0);
            assert_eq!(none, FootSlide::default());
        }
    }
}
