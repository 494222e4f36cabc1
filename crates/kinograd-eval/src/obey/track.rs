//! Joints of a clip at 20 frames a second.

use std::f64::consts::{PI, TAU};

use glam::{DVec2, DVec3};
use kinograd::Error;
use kinograd::motion::features::decode_joints;
use kinograd::motion::{FEATURE_FPS, JOINTS, Motion, MotionError};
use ndarray::{Array3, ArrayView2};

/// Frames per second of every track.
pub const TRACK_FPS: f64 = 20.0;

/// Number of frames of a track in a length of time, at least 1.
#[must_use]
pub fn frames(secs: f64) -> usize {
    (secs * TRACK_FPS).round().max(1.0) as usize
}

/// Left or right of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Left, at +X where the body faces +Z.
    Left,
    /// Right.
    Right,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// 1 for left, −1 for right.
    #[must_use]
    pub fn sign(self) -> f64 {
        match self {
            Self::Left => 1.0,
            Self::Right => -1.0,
        }
    }

    fn of(self, left: usize) -> usize {
        left + usize::from(self == Self::Right)
    }

    /// Its hip.
    #[must_use]
    pub fn hip(self) -> usize {
        self.of(1)
    }

    /// Its knee.
    #[must_use]
    pub fn knee(self) -> usize {
        self.of(4)
    }

    /// Its ankle.
    #[must_use]
    pub fn ankle(self) -> usize {
        self.of(7)
    }

    /// Its toes.
    #[must_use]
    pub fn toe(self) -> usize {
        self.of(10)
    }

    /// Its shoulder.
    #[must_use]
    pub fn shoulder(self) -> usize {
        self.of(16)
    }

    /// Its elbow.
    #[must_use]
    pub fn elbow(self) -> usize {
        self.of(18)
    }

    /// Its wrist.
    #[must_use]
    pub fn wrist(self) -> usize {
        self.of(20)
    }
}

/// The pelvis.
pub(super) const PELVIS: usize = 0;
/// The neck.
pub(super) const NECK: usize = 12;
/// The head.
pub(super) const HEAD: usize = 15;

/// World positions of the 22 canonical joints in metres, Y up, 20 times a second, with the heading.
#[derive(Debug, Clone, PartialEq)]
pub struct JointTrack {
    joints: Vec<[DVec3; JOINTS]>,
    ahead: Vec<DVec2>,
}

impl JointTrack {
    /// The joints of a clip on the canonical body, at any frame rate.
    ///
    /// # Errors
    /// [`Error::Motion`] for another body, fewer than two frames or a frame rate that is none.
    ///
    /// ```
    /// use kinograd_eval::obey::JointTrack;
    /// let walk = kinograd::motion::synth::synth_walk(1.2, 2.0, 60.0);
    /// assert_eq!(JointTrack::of(&walk)?.len(), 41);
    /// # Ok::<(), kinograd::Error>(())
    /// ```
    pub fn of(motion: &Motion) -> Result<Self, Error> {
        Self::from_frames(&motion.joints_in_world_m(), motion.fps)
    }

    /// The joints of HumanML3D features `[frames, 263]`, not normalised, at 20 fps.
    ///
    /// # Errors
    /// As [`of`](Self::of); [`Error::Motion`] for another shape.
    pub fn from_features(features: ArrayView2<'_, f32>) -> Result<Self, Error> {
        let joints = decode_joints(features)?;
        let frames: Vec<Vec<DVec3>> = joints
            .outer_iter()
            .map(|frame| {
                let points = frame.outer_iter();
                points.map(|p| DVec3::new(p[0], p[1], p[2])).collect()
            })
            .collect();
        Self::from_frames(&frames, FEATURE_FPS)
    }

    /// The joints of frames at a rate, `[frame][joint]`; straight lines between them.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn from_frames(clip: &[Vec<DVec3>], fps: f64) -> Result<Self, Error> {
        if let Some(frame) = clip.iter().find(|frame| frame.len() != JOINTS) {
            return Err(shape(
                format!("{JOINTS} joints"),
                vec![clip.len(), frame.len()],
            ));
        }
        if clip.len() < 2 {
            return Err(shape("2 frames or more".to_owned(), vec![clip.len()]));
        }
        if !(fps.is_finite() && fps > 0.0) {
            return Err(Error::Request {
                field: "fps",
                message: format!("{fps}; a positive number is expected"),
            });
        }
        let last = clip.len() - 1;
        let count = (last as f64 / fps * TRACK_FPS + 1e-6).floor() as usize + 1;
        let joints: Vec<[DVec3; JOINTS]> = (0..count)
            .map(|index| {
                let at = index as f64 / TRACK_FPS * fps;
                let before = (at + 1e-6).floor().min(last as f64) as usize;
                let share = (at - before as f64).clamp(0.0, 1.0);
                let after = (before + 1).min(last);
                std::array::from_fn(|joint| {
                    let (from, to) = (clip[before][joint], clip[after][joint]);
                    // Exact where no frame lies between.
                    if share < 1e-6 {
                        from
                    } else {
                        from.lerp(to, share)
                    }
                })
            })
            .collect();
        let ahead = joints.iter().map(heading).collect();
        let track = Self { joints, ahead };
        if track.len() < 2 {
            return Err(shape(
                "a twentieth of a second or more".to_owned(),
                vec![clip.len()],
            ));
        }
        Ok(track)
    }

    /// Number of frames, 2 or more.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it has two frames or more")]
    pub fn len(&self) -> usize {
        self.joints.len()
    }

    /// From the first frame to the last, seconds.
    #[must_use]
    pub fn duration_secs(&self) -> f64 {
        (self.len() - 1) as f64 / TRACK_FPS
    }

    /// A joint in a frame.
    #[must_use]
    pub fn at(&self, frame: usize, joint: usize) -> DVec3 {
        self.joints[frame][joint]
    }

    /// Unit heading of a frame on the ground as (x, z), from hips and shoulders.
    #[must_use]
    pub fn ahead(&self, frame: usize) -> DVec2 {
        self.ahead[frame]
    }

    /// The direction to the left of the heading, (x, z).
    #[must_use]
    pub fn leftward(&self, frame: usize) -> DVec2 {
        let ahead = self.ahead[frame];
        DVec2::new(ahead.y, -ahead.x)
    }

    /// A value of every frame.
    #[must_use]
    pub fn each<T>(&self, value: impl Fn(usize) -> T) -> Vec<T> {
        (0..self.len()).map(value).collect()
    }

    /// Height of a joint in every frame, metres.
    #[must_use]
    pub fn heights(&self, joint: usize) -> Vec<f64> {
        self.each(|frame| self.at(frame, joint).y)
    }

    /// A joint seen from another in a frame: to the left, up and ahead, metres.
    #[must_use]
    pub fn seen(&self, frame: usize, joint: usize, from: usize) -> DVec3 {
        let way = self.at(frame, joint) - self.at(frame, from);
        let ground = on_ground(way);
        DVec3::new(
            ground.dot(self.leftward(frame)),
            way.y,
            ground.dot(self.ahead(frame)),
        )
    }

    /// Speed of a joint against the pelvis from each frame to the next, m/s; 0 after the last.
    #[must_use]
    pub fn speeds(&self, joint: usize) -> Vec<f64> {
        let own = |frame: usize| self.at(frame, joint) - self.at(frame, PELVIS);
        self.each(|frame| {
            if frame + 1 < self.len() {
                (own(frame + 1) - own(frame)).length() * TRACK_FPS
            } else {
                0.0
            }
        })
    }

    /// Velocity of the pelvis over the ground from each frame to the next, (x, z) in m/s.
    #[must_use]
    pub fn root_velocities(&self) -> Vec<DVec2> {
        let pairs = self.joints.windows(2);
        pairs
            .map(|pair| on_ground(pair[1][PELVIS] - pair[0][PELVIS]) * TRACK_FPS)
            .collect()
    }

    /// Heading in each frame, radians, without jumps of a full turn; more is further to the left.
    #[must_use]
    pub fn headings_rad(&self) -> Vec<f64> {
        let angle = |frame: usize| self.ahead[frame].x.atan2(self.ahead[frame].y);
        let mut total = angle(0);
        self.each(|frame| {
            let step = angle(frame) - angle(frame.saturating_sub(1));
            (step + PI).rem_euclid(TAU) - PI
        })
        .into_iter()
        .map(|step: f64| {
            total += step;
            total
        })
        .collect()
    }

    /// As an array `[frames, 22, 3]`, metres.
    #[must_use]
    pub fn to_array(&self) -> Array3<f32> {
        Array3::from_shape_fn((self.len(), JOINTS, 3), |(frame, joint, axis)| {
            self.joints[frame][joint][axis] as f32
        })
    }
}

/// The part on the ground, (x, z).
pub(super) fn on_ground(way: DVec3) -> DVec2 {
    DVec2::new(way.x, way.z)
}

/// Unit heading on the ground of one pose.
fn heading(joints: &[DVec3; JOINTS]) -> DVec2 {
    let across = joints[1] - joints[2] + joints[16] - joints[17];
    let ahead = DVec2::new(-across.z, across.x);
    ahead / ahead.length().max(1e-9)
}

fn shape(expected: String, got: Vec<usize>) -> Error {
    Error::Motion(MotionError::Shape {
        what: "clip",
        expected,
        got,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::SynthWalk;

    #[test]
    fn tracks_of_one_walk_are_alike_at_any_rate() {
        let of = |fps| {
            JointTrack::of(
                &SynthWalk {
                    fps,
                    ..SynthWalk::default()
                }
                .motion(),
            )
            .unwrap()
        };
        let (slow, fast) = (of(20.0), of(60.0));
        assert_eq!(slow.len(), fast.len());
        for frame in 0..slow.len() {
            for joint in 0..JOINTS {
                let apart = (slow.at(frame, joint) - fast.at(frame, joint)).length();
                assert!(apart < 1e-6, "frame {frame}, joint {joint}: {apart}");
            }
        }
    }

    #[test]
    fn headings_go_on_over_a_full_turn_and_left_is_more() {
        let walk = SynthWalk {
            turn_rad_per_s: 2.0,
            ..SynthWalk::default()
        };
        let track = JointTrack::of(&walk.motion()).unwrap();
        let headings = track.headings_rad();
        let turned = headings[headings.len() - 1] - headings[0];
        assert!((turned - 8.0).abs() < 0.3, "{turned}");
        let left = track.leftward(0);
        assert!(left.x > 0.9, "{left}");
    }

    #[test]
    fn what_is_no_clip_is_refused() {
        let pose = vec![DVec3::ZERO; JOINTS];
        for (clip, fps) in [
            (vec![], 20.0),
            (vec![pose.clone()], 20.0),
            (vec![vec![DVec3::ZERO; 5]; 9], 20.0),
            (vec![pose.clone(); 9], 0.0),
            (vec![pose.clone(); 9], f64::NAN),
            (vec![pose; 2], 1000.0),
        ] {
            assert!(JointTrack::from_frames(&clip, fps).is_err());
        }
    }
}
