//! When a foot stands.

use ndarray::{Array2, ArrayView2, ArrayView3};

use super::feet::FEET;
use crate::MotionError;

/// Channels of the features that hold contacts: the last four.
const CONTACT_CHANNELS: usize = 4;
/// Above this a contact channel says "stands".
const CONTACT_THRESHOLD: f32 = 0.5;

/// A foot joint begins to stand below this speed, metres per second.
const STAND_BELOW_MPS: f64 = 0.35;
/// And is lifted above this one.
const LIFT_ABOVE_MPS: f64 = 0.7;
/// Height over its resting height below which a joint can begin to stand, metres.
const STAND_BELOW_M: f64 = 0.04;
/// Height over its resting height above which it is lifted, metres.
const LIFT_ABOVE_M: f64 = 0.07;
/// Gaps and contacts shorter than this are noise, seconds.
const FLICKER_SECS: f64 = 0.1;

/// Contacts `[frames, 4]` (left ankle, left toe, right ankle, right toe) from the last four
/// channels of features `[frames, 263]` that are not normalised: above 0.5 stands.
///
/// # Errors
/// [`MotionError::Shape`] with fewer than four channels.
pub fn contacts_from_features(features: ArrayView2<'_, f32>) -> Result<Array2<bool>, MotionError> {
    let Some(first) = features.ncols().checked_sub(CONTACT_CHANNELS) else {
        return Err(MotionError::Shape {
            what: "features",
            expected: "[frames, 263]".to_owned(),
            got: features.shape().to_vec(),
        });
    };
    Ok(Array2::from_shape_fn(
        (features.nrows(), CONTACT_CHANNELS),
        |(frame, channel)| features[[frame, first + channel]] > CONTACT_THRESHOLD,
    ))
}

/// Contacts `[frames, 4]` (left ankle, left toe, right ankle, right toe) from the motion of the
/// canonical joints `[frames, 22, 3]` over a floor at height 0, metres. A joint stands once it is
/// slow and low, until it is clearly fast or high.
///
/// # Errors
/// [`MotionError::Shape`] with fewer than 12 joints.
pub fn contacts_from_joints(
    joints: ArrayView3<'_, f32>,
    fps: f64,
) -> Result<Array2<bool>, MotionError> {
    let (frames, count, _) = joints.dim();
    if count < 12 {
        return Err(MotionError::Shape {
            what: "joints",
            expected: "[frames, 22, 3]".to_owned(),
            got: joints.shape().to_vec(),
        });
    }
    let mut contacts = Array2::from_elem((frames, CONTACT_CHANNELS), false);
    for (side, foot) in FEET.iter().enumerate() {
        let rests = [(foot.ankle, foot.ankle_rest_m), (foot.toe, foot.toe_rest_m)];
        for (part, (joint, rest_m)) in rests.into_iter().enumerate() {
            let at = |f: usize, axis: usize| f64::from(joints[[f, joint, axis]]);
            let mut stands = false;
            for frame in 0..frames {
                let (before, after) = (frame.saturating_sub(1), (frame + 1).min(frames - 1));
                let secs = (after - before).max(1) as f64 / fps;
                let way = (at(after, 0) - at(before, 0)).hypot(at(after, 2) - at(before, 2));
                let (speed, height) = (way / secs, at(frame, 1) - rest_m);
                stands = if stands {
                    speed < LIFT_ABOVE_MPS && height < LIFT_ABOVE_M
                } else {
                    speed < STAND_BELOW_MPS && height < STAND_BELOW_M
                };
                contacts[[frame, 2 * side + part]] = stands;
            }
        }
    }
    Ok(contacts)
}

/// One channel without flicker: short gaps are closed, then short contacts dropped.
pub(super) fn steady(channel: impl Iterator<Item = bool>, fps: f64) -> Vec<bool> {
    let mut values: Vec<bool> = channel.collect();
    let limit = (FLICKER_SECS * fps).round().max(1.0) as usize;
    for flickering in [false, true] {
        for (start, end) in runs(&values, flickering) {
            let inside = start > 0 && end < values.len();
            if end - start < limit && (inside || flickering) {
                values[start..end].fill(!flickering);
            }
        }
    }
    values
}

/// Half-open runs of `wanted`.
pub(super) fn runs(values: &[bool], wanted: bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = None;
    for (index, &value) in values.iter().chain([&!wanted]).enumerate() {
        match (start, value == wanted) {
            (None, true) => start = Some(index),
            (Some(from), false) => {
                found.push((from, index));
                start = None;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};

    use super::*;
    use crate::joints_array;
    use crate::synth::SynthWalk;

    #[test]
    fn finds_the_contacts_of_a_walk() {
        for slip_mps in [0.0, 0.25] {
            let walk = SynthWalk {
                slip_mps,
                ..SynthWalk::default()
            };
            let found = contacts_from_joints(joints_array(&walk.motion()).view(), 20.0).unwrap();
            let truth = walk.contacts();
            let wrong = found.iter().zip(&truth).filter(|(a, b)| a != b).count();
            let share = wrong as f64 / truth.len() as f64;
            assert!(share < 0.15, "slip {slip_mps}: {share} wrong");
        }
        assert!(contacts_from_joints(ndarray::Array3::zeros((4, 5, 3)).view(), 20.0).is_err());
    }

    #[test]
    fn reads_the_last_four_channels() {
        let mut features = Array2::<f32>::zeros((3, 263));
        features[[1, 260]] = 0.9;
        let contacts = contacts_from_features(features.view()).unwrap();
        assert!(contacts[[1, 1]]);
        assert_eq!(contacts.iter().filter(|&&c| c).count(), 1);
        assert!(contacts_from_features(features.slice(s![.., ..3])).is_err());
    }

    #[test]
    fn flicker_goes() {
        let text = |s: &str| s.chars().map(|c| c == '#').collect::<Vec<_>>();
        let steadied = steady(text("###.##...#...###").into_iter(), 20.0);
        assert_eq!(steadied, text("######.......###"));
        assert_eq!(runs(&text("##.#"), true), [(0, 2), (3, 4)]);
    }
}
