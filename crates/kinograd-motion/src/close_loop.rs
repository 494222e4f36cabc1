//! Clips whose end is their start.

use glam::{DQuat, DVec3};

use crate::export::hips_of;
use crate::{Motion, MotionError};

/// Time at each end within which a clip gives way, seconds; of short clips a third.
const BLEND_SECS: f64 = 0.6;

/// Closes a loop: the last pose becomes the first one, where the body is and as it is turned at the end,
/// and joints accelerate over the seam as they do beside it. Both ends give way by half, fading within 0.6 s;
/// bones keep their lengths. With `in_place` the end is also back where the start was.
///
/// ```
/// use kinograd_motion::{close_loop, metrics::seam, synth::synth_walk};
/// let half = synth_walk(1.2, 1.5, 30.0); // one cycle and a half
/// assert!(seam(&half).is_some_and(|seam| !seam.is_loop()));
/// let closed = close_loop(&half, false)?;
/// assert!(seam(&closed).is_some_and(|seam| seam.is_loop() && seam.pose_m < 1e-6));
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
///
/// # Errors
/// [`MotionError::Clip`] for a motion that is empty, not finite or shorter than six frames.
pub fn close_loop(motion: &Motion, in_place: bool) -> Result<Motion, MotionError> {
    motion.check_storable()?;
    let last = motion.len() - 1;
    let blend = ((BLEND_SECS * motion.fps).round() as usize).min(last / 3);
    if blend < 2 {
        return Err(MotionError::Clip {
            clip: "motion".to_owned(),
            message: format!(
                "{} frames cannot be closed to a loop; six can",
                motion.len()
            ),
        });
    }
    let mut closed = motion.clone();
    let turn = heading_between(motion, last);
    for joint in 0..motion.skeleton.len() {
        // The root's turns are seen from the first frame's heading.
        let into_start = if motion.skeleton.parents[joint].is_none() {
            turn
        } else {
            DQuat::IDENTITY
        };
        close_rotations(&mut closed, joint, into_start, blend);
    }
    close_root(&mut closed, turn, blend, in_place);
    for offsets in closed.translations.values_mut() {
        let ends = Ends::of(offsets, DQuat::IDENTITY, [true; 3]);
        ends.add_to(offsets, DQuat::IDENTITY, blend);
    }
    Ok(closed)
}

/// What `edit` makes of a loop, where it sees the rounds before and after: neither end is one then, and
/// both become the same. `edit` gets three rounds, of which neighbours share the frame at their seam, and
/// the frame of one round that each of theirs repeats.
///
/// # Errors
/// As [`close_loop`], and what `edit` returns.
pub fn edit_loop<E: From<MotionError>>(
    motion: &Motion,
    edit: impl FnOnce(&Motion, &[usize]) -> Result<Motion, E>,
) -> Result<Motion, E> {
    motion.check_storable()?;
    let last = motion.len() - 1;
    let turn = heading_between(motion, last);
    let roots = &motion.root_in_world_m;
    let (start_m, end_m) = (roots[0].with_y(0.0), roots[last].with_y(0.0));
    // The middle round lies where the motion is; the others before and after it.
    let mut rounds = motion.clone();
    // Both ends of the middle round are its first frame, whose pose they have.
    let frames: Vec<usize> = (0..3 * last).map(|at| at % last).chain([last]).collect();
    let rotation = |frame: usize, by: DQuat| {
        let mut rotations = motion.local_rotations[frame].clone();
        rotations[0] = (by * rotations[0]).normalize();
        rotations
    };
    let before = (0..last).map(|f| (turn * (roots[f] - end_m) + start_m, rotation(f, turn)));
    let here = (0..=last).map(|f| (roots[f], motion.local_rotations[f].clone()));
    let back = turn.conjugate();
    let after = (1..=last).map(|f| (back * (roots[f] - start_m) + end_m, rotation(f, back)));
    let all = before.chain(here).chain(after);
    (rounds.root_in_world_m, rounds.local_rotations) = all.unzip();
    for offsets in rounds.translations.values_mut() {
        *offsets = frames.iter().map(|&frame| offsets[frame]).collect();
    }
    let edited = edit(&rounds, &frames)?;
    let middle = last..=2 * last;
    let mut round = motion.clone();
    round.root_in_world_m = edited.root_in_world_m[middle.clone()].to_vec();
    round.local_rotations = edited.local_rotations[middle.clone()].to_vec();
    for (joint, offsets) in &mut round.translations {
        if let Some(moved) = edited.translations.get(joint) {
            *offsets = moved[middle.clone()].to_vec();
        }
    }
    Ok(round)
}

/// The turn about Y that brings the last frame's heading to the first's.
fn heading_between(motion: &Motion, last: usize) -> DQuat {
    let hips = hips_of(&motion.skeleton);
    let [first, end] = [0, last].map(|frame| motion.joint_poses_in_world(frame).1[hips]);
    let between = first * end.conjugate();
    let turn = DQuat::from_xyzw(0.0, between.y, 0.0, between.w);
    if turn.length() > 1e-9 {
        turn.normalize()
    } else {
        DQuat::IDENTITY
    }
}

/// What both ends of a curve have to give way by, and their steps next to the seam.
#[derive(Debug, Clone, Copy)]
struct Ends {
    /// Offset of the first frame, and change of the step from it to the next.
    start: [DVec3; 2],
    /// Offset of the last frame, and change of the step from the one before to it.
    end: [DVec3; 2],
}

impl Ends {
    /// Of a curve whose end is turned into the start's frame; only `closes` axes meet in value, all of
    /// them in their steps.
    fn of(values: &[DVec3], into_start: DQuat, closes: [bool; 3]) -> Self {
        let last = values.len() - 1;
        let mask = DVec3::from_array(closes.map(|closes| f64::from(u8::from(closes))));
        let gap = mask * (into_start * values[last] - values[0]);
        let step = |to: usize| values[to] - values[to - 1];
        let ends = [last - 1, last].map(|to| into_start * step(to));
        let give = half_the_jump([step(1), step(2)], ends);
        Self {
            start: [0.5 * gap, -give],
            end: [-0.5 * gap, give],
        }
    }

    fn add_to(&self, values: &mut [DVec3], into_start: DQuat, blend: usize) {
        let last = values.len() - 1;
        let back = into_start.conjugate();
        for away in 0..blend {
            values[away] += faded(self.start, away, blend);
            let [offset, step] = self.end;
            values[last - away] += back * faded([offset, -step], away, blend);
        }
    }
}

/// By how much the steps on both sides of a seam have to give way so that the change from one to the
/// other is that of their neighbours: of the first two steps and the last two.
fn half_the_jump(starts: [DVec3; 2], ends: [DVec3; 2]) -> DVec3 {
    let usual = 0.5 * (starts[1] - starts[0] + ends[1] - ends[0]);
    0.5 * (starts[0] - ends[1] - usual)
}

/// A cubic from `offset` to nothing within `blend` frames, which begins with `step` from its first frame
/// to the next.
fn faded([offset, step]: [DVec3; 2], away: usize, blend: usize) -> DVec3 {
    let fall = |t: f64| 1.0 - t * t * (3.0 - 2.0 * t);
    let rise = |t: f64| t * (1.0 - t) * (1.0 - t);
    let one = 1.0 / blend as f64;
    let slope = (step - offset * (fall(one) - 1.0)) / rise(one);
    let t = away as f64 * one;
    offset * fall(t) + slope * rise(t)
}

/// Closes one joint's turns: what lies between the ends is a rotation vector, halved.
fn close_rotations(motion: &mut Motion, joint: usize, into_start: DQuat, blend: usize) {
    let last = motion.len() - 1;
    let at = |frame: usize| motion.local_rotations[frame][joint];
    let seen = |frame: usize| into_start * at(frame);
    let middle = halfway(at(0), seen(last));
    let starts = [1, 2].map(|to| vector(at(to) * at(to - 1).conjugate()));
    let ends = [last - 1, last].map(|to| vector(seen(to) * seen(to - 1).conjugate()));
    let give = half_the_jump(starts, ends);
    let first_step = DQuat::from_scaled_axis(starts[0] - give);
    let last_step = DQuat::from_scaled_axis(ends[1] + give);
    let offsets = [
        vector(middle * at(0).conjugate()),
        vector(middle * seen(last).conjugate()),
    ];
    // What takes the neighbours of the seam where these steps lead.
    let beside = [
        vector(first_step * middle * at(1).conjugate()),
        vector(last_step.conjugate() * middle * seen(last - 1).conjugate()),
    ];
    let back = into_start.conjugate();
    for away in 0..blend {
        let [start, end] = [0, 1].map(|side| {
            let curve = [offsets[side], beside[side] - offsets[side]];
            DQuat::from_scaled_axis(faded(curve, away, blend))
        });
        let rotations = &mut motion.local_rotations;
        let moved = start * rotations[away][joint];
        rotations[away][joint] = moved.normalize();
        let moved = back * end * into_start * rotations[last - away][joint];
        rotations[last - away][joint] = moved.normalize();
    }
}

/// Height and velocity of the root; its place on the ground only `in_place`, at the end alone, for a
/// clip starts where it starts.
fn close_root(motion: &mut Motion, turn: DQuat, blend: usize, in_place: bool) {
    let last = motion.len() - 1;
    let roots = &mut motion.root_in_world_m;
    let mut ends = Ends::of(roots, turn, [false, true, false]);
    if in_place {
        let gap = (roots[0] - roots[last]).with_y(0.0);
        ends.end[0] += turn * gap;
    }
    ends.add_to(roots, turn, blend);
}

fn halfway(a: DQuat, b: DQuat) -> DQuat {
    let b = if a.dot(b) < 0.0 { -b } else { b };
    a.slerp(b, 0.5)
}

/// The shorter turn as a vector, radians.
fn vector(turn: DQuat) -> DVec3 {
    let turn = if turn.w < 0.0 { -turn } else { turn };
    turn.normalize().to_scaled_axis()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::seam;
    use crate::synth::SynthWalk;

    fn walk(duration_secs: f64, fps: f64) -> Motion {
        SynthWalk {
            duration_secs,
            turn_rad_per_s: 0.7,
            fps,
            ..SynthWalk::default()
        }
        .motion()
    }

    #[test]
    fn what_does_not_meet_is_closed_on_a_curve() {
        for (secs, fps) in [(1.5, 20.0), (2.3, 20.0), (3.6, 60.0)] {
            let open = walk(secs, fps);
            let before = seam(&open).unwrap();
            assert!(before.pose_m > 0.1, "{before:?}");
            let closed = close_loop(&open, false).unwrap();
            let after = seam(&closed).unwrap();
            assert!(after.pose_m < 1e-6 && after.is_loop(), "{after:?}");
            let middle = closed.len() / 2;
            assert_eq!(closed.local_rotations[middle], open.local_rotations[middle]);
            assert_eq!(closed.root_in_world_m[0].x, open.root_in_world_m[0].x);
        }
    }

    /// Where a foot comes down at the seam its steps differ as nowhere else: what moves is its knee.
    #[test]
    fn what_meets_hardly_moves() {
        let whole = walk(2.0, 60.0);
        let closed = close_loop(&whole, false).unwrap();
        let pairs = whole.joints_in_world_m().into_iter().flatten();
        let pairs = pairs.zip(closed.joints_in_world_m().into_iter().flatten());
        let moved = pairs.map(|(a, b)| a.distance(b)).fold(0.0, f64::max);
        assert!(moved < 0.05, "{moved}");
    }

    #[test]
    fn in_place_it_is_back_where_it_was() {
        let closed = close_loop(&walk(1.5, 20.0), true).unwrap();
        let (first, end) = (
            closed.root_in_world_m[0],
            closed.root_in_world_m[closed.len() - 1],
        );
        assert!(first.distance(end) < 1e-9);
        assert!(seam(&closed).unwrap().pose_m < 1e-6);
    }

    /// Rounds go on where the one before ends: the clip of three rounds is as smooth at its seams as
    /// elsewhere, and what is done to it is done alike to both ends.
    #[test]
    fn a_loop_is_edited_as_one_without_ends() {
        let loop_ = walk(2.0, 20.0);
        let last = loop_.len() - 1;
        let same = edit_loop(&loop_, |rounds, frames| {
            assert_eq!((rounds.len(), frames.len()), (3 * last + 1, 3 * last + 1));
            let joints = rounds.joints_in_world_m();
            let steps = joints
                .windows(2)
                .map(|pair| pair[0][0].distance(pair[1][0]));
            assert!(steps.fold(0.0, f64::max) < 0.1);
            Ok::<_, MotionError>(rounds.clone())
        });
        assert_eq!(same.unwrap(), loop_);
        // Something that rises towards the end of what it gets, as a lock of feet would differ there.
        let shaken = edit_loop(&loop_, |rounds, frames| {
            let mut moved = rounds.clone();
            for (root, frame) in moved.root_in_world_m.iter_mut().zip(frames) {
                root.y += 0.01 * (*frame as f64 / last as f64 * std::f64::consts::TAU).sin();
            }
            Ok::<_, MotionError>(moved)
        });
        assert!(seam(&shaken.unwrap()).unwrap().pose_m < 1e-6);
    }

    #[test]
    fn too_short_is_refused() {
        let error = close_loop(&walk(0.2, 20.0), false).unwrap_err();
        assert!(error.to_string().contains("frames"), "{error}");
    }
}
