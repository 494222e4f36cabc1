//! Whether a clip can be played again from its end.

use glam::{DQuat, DVec3};

use crate::Motion;
use crate::export::hips_of;

/// Poses of a loop differ by no more than this, metres.
const POSE_M: f64 = 0.02;
/// Changes of velocity below this are not seen, metres per second.
const VELOCITY_MPS: f64 = 0.1;
/// A seam may lie where the body accelerates most.
const OF_USUAL: f64 = 1.5;

/// How a clip's end meets its start, where the next round goes on from where the body is and as it
/// is turned then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seam {
    /// Largest distance of a joint in the last pose from where the first has it, metres.
    pub pose_m: f64,
    /// Largest change of a joint's velocity over the seam, metres per second.
    pub velocity_mps: f64,
    /// The change of velocity that 19 of 20 frames within the clip stay below, each by the joint that
    /// changes most, metres per second.
    pub usual_change_mps: f64,
}

impl Seam {
    /// Whether the poses meet within 2 cm and no joint's velocity changes over the seam by more
    /// than 1.5 times what is usual within the clip, or than 0.1 m/s.
    #[must_use]
    pub fn is_loop(&self) -> bool {
        self.pose_m <= POSE_M
            && self.velocity_mps <= (OF_USUAL * self.usual_change_mps).max(VELOCITY_MPS)
    }
}

/// Measures the seam between a clip's last and first frame. `None` for fewer than four frames.
///
/// ```
/// use kinograd_motion::metrics::seam;
/// let walk = kinograd_motion::synth::synth_walk(1.2, 1.0, 30.0); // a whole cycle
/// assert!(seam(&walk).is_some_and(|seam| seam.is_loop()));
/// let half = kinograd_motion::synth::synth_walk(1.2, 0.5, 30.0);
/// assert!(seam(&half).is_some_and(|seam| !seam.is_loop()));
/// ```
#[must_use]
pub fn seam(motion: &Motion) -> Option<Seam> {
    let last = motion.len().checked_sub(1).filter(|&last| last >= 3)?;
    let hips = hips_of(&motion.skeleton);
    let (first_places, first_turns) = motion.joint_poses_in_world(0);
    let (last_places, last_turns) = motion.joint_poses_in_world(last);
    // The turn about Y that brings the last pose's heading to the first's.
    let between = first_turns[hips] * last_turns[hips].conjugate();
    let turn = DQuat::from_xyzw(0.0, between.y, 0.0, between.w);
    let turn = if turn.length() > 1e-9 {
        turn.normalize()
    } else {
        DQuat::IDENTITY
    };
    let ground = |place: DVec3| DVec3::new(place.x, 0.0, place.z);
    let (from, to) = (ground(last_places[hips]), ground(first_places[hips]));
    let off =
        |joint: usize| (turn * (last_places[joint] - from) + to).distance(first_places[joint]);
    let joints = motion.skeleton.len();
    let pose_m = (0..joints).map(off).fold(0.0, f64::max);

    let mut changes = Vec::with_capacity(last);
    let mut before = first_places;
    let mut velocities: Option<Vec<DVec3>> = None;
    let mut starts = Vec::new();
    for frame in 1..=last {
        let places = motion.joint_poses_in_world(frame).0;
        let steps = places.iter().zip(&before);
        let now: Vec<DVec3> = steps.map(|(b, a)| (*b - *a) * motion.fps).collect();
        match &velocities {
            None => starts.clone_from(&now),
            Some(old) => changes.push(largest(old, &now)),
        }
        velocities = Some(now);
        before = places;
    }
    let ends: Vec<DVec3> = velocities?.into_iter().map(|v| turn * v).collect();
    changes.sort_by(f64::total_cmp);
    Some(Seam {
        pose_m,
        velocity_mps: largest(&starts, &ends),
        usual_change_mps: changes[(changes.len() - 1) * 19 / 20],
    })
}

fn largest(a: &[DVec3], b: &[DVec3]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| a.distance(*b))
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::SynthWalk;

    fn walk(duration_secs: f64) -> Motion {
        SynthWalk {
            duration_secs,
            turn_rad_per_s: 0.7,
            fps: 30.0,
            ..SynthWalk::default()
        }
        .motion()
    }

    #[test]
    fn whole_cycles_loop_on_a_curve_and_parts_do_not() {
        let whole = seam(&walk(2.0)).unwrap();
        assert!(whole.pose_m < 1e-6 && whole.is_loop(), "{whole:?}");
        for secs in [0.5, 0.8, 1.5, 1.9] {
            let part = seam(&walk(secs)).unwrap();
            assert!(!part.is_loop(), "{secs} s: {part:?}");
        }
        assert!(seam(&walk(0.05)).is_none());
    }

    /// A pose that comes back the other way is no loop: its velocity turns round at the seam.
    #[test]
    fn a_swing_there_and_back_meets_in_pose_only() {
        let mut swing = walk(2.0);
        let still = swing.local_rotations[0].clone();
        let frames = swing.len();
        for (frame, rotations) in swing.local_rotations.iter_mut().enumerate() {
            let share = frame as f64 / (frames - 1) as f64;
            rotations.clone_from(&still);
            // Half a sine: the arm starts fast, and comes back as fast.
            let angle = (std::f64::consts::PI * share).sin();
            rotations[16] = DQuat::from_rotation_z(angle) * still[16];
        }
        swing.root_in_world_m.fill(DVec3::Y);
        let at_seam = seam(&swing).unwrap();
        assert!(at_seam.pose_m < 1e-9 && !at_seam.is_loop(), "{at_seam:?}");
    }
}
