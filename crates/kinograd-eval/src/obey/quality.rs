//! How natural a clip is, whatever it shows.

use kinograd::motion::metrics::{foot_slide, mean_jerk};
use serde::Serialize;

use super::arms::arm_swing_m;
use super::track::{JointTrack, Side, TRACK_FPS, on_ground};
use super::travel::fastest_turn_deg;

/// A toe below this is in contact with the floor, metres.
const CONTACT_M: f64 = 0.05;
/// A toe in contact that is faster than this skates, m/s.
const SKATE_MPS: f64 = 0.2;

/// Measures of one clip.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Quality {
    /// Of the frames in which a toe is below 5 cm, the share in which it moves over the floor at more
    /// than 0.2 m/s to the next; each foot counts for itself. 0 without contact.
    pub skate: f64,
    /// Share of the frames in which no foot is within 5 cm of where it stands.
    pub float: f64,
    /// Mean jerk of the joints, m/s³.
    pub jerk_m_s3: f64,
    /// How far the hands swing, metres: see [`arm_swing_m`].
    pub arm_swing_m: f64,
    /// Largest change of the heading in one frame, degrees.
    pub turn_deg_per_frame: f64,
}

impl Quality {
    /// Measures a clip.
    #[must_use]
    pub fn of(track: &JointTrack) -> Self {
        let joints = track.to_array();
        Self {
            skate: skate(track),
            float: foot_slide(joints.view(), TRACK_FPS).float_ratio,
            jerk_m_s3: mean_jerk(joints.view(), TRACK_FPS),
            arm_swing_m: arm_swing_m(track),
            turn_deg_per_frame: fastest_turn_deg(track),
        }
    }
}

fn skate(track: &JointTrack) -> f64 {
    let (mut contacts, mut skates) = (0_usize, 0_usize);
    for side in Side::BOTH {
        let toe = side.toe();
        for frame in 0..track.len() - 1 {
            let (now, next) = (track.at(frame, toe), track.at(frame + 1, toe));
            if now.y < CONTACT_M {
                contacts += 1;
                skates += usize::from(on_ground(next - now).length() * TRACK_FPS > SKATE_MPS);
            }
        }
    }
    skates as f64 / contacts.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::SynthWalk;

    fn of(slip_mps: f64) -> Quality {
        let walk = SynthWalk {
            slip_mps,
            ..SynthWalk::default()
        };
        Quality::of(&JointTrack::of(&walk.motion()).unwrap())
    }

    #[test]
    fn feet_that_slide_skate() {
        let (clean, slow, fast) = (of(0.0), of(0.3), of(0.6));
        assert!(clean.skate < 0.35, "{clean:?}");
        assert!(
            slow.skate > clean.skate + 0.2 && fast.skate >= slow.skate,
            "{slow:?} {fast:?}"
        );
        assert!(clean.float < 0.1 && clean.arm_swing_m > 0.05 && clean.turn_deg_per_frame < 10.0);
    }
}
