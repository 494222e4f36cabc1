//! A BVH file in memory, and its poses.

use std::collections::BTreeMap;

use glam::{DQuat, DVec3};
use kinograd_motion::mapping::Mapping;
use kinograd_motion::retarget::{Retargeted, retarget_frames};
use kinograd_motion::{Motion, MotionError, Skeleton, resample};

/// One animated number of a joint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Translation along an axis (0 = X, 1 = Y, 2 = Z), file units.
    Position(usize),
    /// Rotation about an axis (0 = X, 1 = Y, 2 = Z), degrees.
    Rotation(usize),
}

/// A parsed BVH file, in the file's own units and axes.
///
/// Values stay as the flat `f32` table of the file, so that a million frames cost what the
/// numbers cost; poses are evaluated on demand.
///
/// ```
/// let text = b"HIERARCHY\nROOT hips\n{\nOFFSET 0 0 0\nCHANNELS 1 Yposition\nEnd Site\n{\nOFFSET 0 1 0\n}\n}\n\
/// MOTION\nFrames: 2\nFrame Time: 0.5\n3\n4\n";
/// let clip = kinograd_formats::bvh::parse(text)?;
/// assert_eq!(clip.skeleton.names, ["hips", "hips_end"]);
/// assert_eq!(clip.joints_in_world_m(1.0)[1][1].y, 5.0);
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bvh {
    /// Joints in file order, offsets in file units. End Sites are joints named `NAME_end`.
    pub skeleton: Skeleton,
    /// Channels of each joint, in file order; empty for End Sites.
    pub channels: Vec<Vec<Channel>>,
    /// Whether each joint is an End Site.
    pub end_sites: Vec<bool>,
    /// Frames per second.
    pub fps: f64,
    /// Numbers per frame.
    pub(super) stride: usize,
    /// `[frames * stride]`.
    pub(super) values: Vec<f32>,
    /// Irregularities that were read over.
    pub warnings: Vec<String>,
}

/// Offsets that move less than this stand still: a few millionths of the skeleton's size, which is
/// how exactly files write them.
fn still_m(offsets: &[DVec3]) -> f64 {
    const SHARE: f64 = 3e-6;
    SHARE
        * offsets
            .iter()
            .skip(1)
            .map(|offset| offset.length())
            .sum::<f64>()
}

/// A pose on a BVH rig: translation from the parent and rotation in the parent, per joint.
#[derive(Debug, Clone)]
struct Pose {
    offsets: Vec<DVec3>,
    rotations: Vec<DQuat>,
}

impl Bvh {
    /// Number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.stride
    }

    /// Whether there are no frames (never after a successful parse).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Length from the first to the last frame, seconds.
    #[must_use]
    pub fn duration_secs(&self) -> f64 {
        self.len().saturating_sub(1) as f64 / self.fps
    }

    /// The clip on its own skeleton, every length multiplied by `unit_to_metre`, in the file's axes.
    ///
    /// A joint below the root whose position channels say the same in every frame has that as its
    /// offset; one that moves keeps its way ([`Motion::translations`]).
    #[must_use]
    pub fn to_motion(&self, unit_to_metre: f64) -> Motion {
        let mut skeleton = self.skeleton.clone();
        let moves = |c: &Channel| matches!(c, Channel::Position(_));
        let movable: Vec<usize> = (1..skeleton.len())
            .filter(|&joint| self.channels[joint].iter().any(moves))
            .collect();
        let mut ways: BTreeMap<usize, Vec<DVec3>> = movable
            .iter()
            .map(|&joint| (joint, Vec::with_capacity(self.len())))
            .collect();
        let mut root_in_world_m = Vec::with_capacity(self.len());
        let mut local_rotations: Vec<Vec<DQuat>> = Vec::with_capacity(self.len());
        for frame in 0..self.len() {
            let mut pose = self.pose(frame);
            for (&joint, way) in &mut ways {
                way.push(pose.offsets[joint] * unit_to_metre);
            }
            if let Some(previous) = local_rotations.last() {
                resample::keep_signs(previous, &mut pose.rotations);
            }
            root_in_world_m.push(pose.offsets[0] * unit_to_metre);
            local_rotations.push(pose.rotations);
        }
        for offset in &mut skeleton.offsets_m {
            *offset *= unit_to_metre;
        }
        let still = still_m(&skeleton.offsets_m);
        let translations = ways
            .into_iter()
            .filter_map(|(joint, way)| {
                let mean = way.iter().sum::<DVec3>() / way.len().max(1) as f64;
                skeleton.offsets_m[joint] = mean;
                let moves = way.iter().any(|place| place.distance(mean) > still);
                moves.then_some((joint, way))
            })
            .collect();
        Motion {
            skeleton,
            fps: self.fps,
            root_in_world_m,
            local_rotations,
            translations,
        }
    }

    /// Joint positions by forward kinematics at the file's own rate, `[frame][joint]`, metres
    /// in the file's axes.
    #[must_use]
    pub fn joints_in_world_m(&self, unit_to_metre: f64) -> Vec<Vec<DVec3>> {
        (0..self.len())
            .map(|frame| self.positions(&self.pose(frame), unit_to_metre))
            .collect()
    }

    /// Joint positions of a frame in the file's unit and axes.
    pub(super) fn joints_in_file(&self, frame: usize) -> Vec<DVec3> {
        self.positions(&self.pose(frame), 1.0)
    }

    /// Joint positions at another rate: local rotations by slerp, translations linearly, then
    /// forward kinematics. `[frame][joint]`, metres in the file's axes.
    ///
    /// # Errors
    /// When `fps` is not a positive number.
    pub fn joints_at_fps_m(
        &self,
        fps: f64,
        unit_to_metre: f64,
    ) -> Result<Vec<Vec<DVec3>>, MotionError> {
        Ok(self.frames_at_fps(fps, unit_to_metre)?.collect())
    }

    /// [`Bvh::joints_at_fps_m`], a frame at a time.
    fn frames_at_fps(
        &self,
        fps: f64,
        unit_to_metre: f64,
    ) -> Result<impl Iterator<Item = Vec<DVec3>>, MotionError> {
        let samples = resample::sample_points(self.len(), self.fps, fps)?;
        Ok(samples.map(move |(before, after, t)| {
            let mut pose = self.pose(before);
            if t > 0.0 {
                let next = self.pose(after);
                for (a, b) in pose.rotations.iter_mut().zip(&next.rotations) {
                    *a = resample::slerp(*a, *b, t);
                }
                for (a, b) in pose.offsets.iter_mut().zip(&next.offsets) {
                    *a = a.lerp(*b, t);
                }
            }
            self.positions(&pose, unit_to_metre)
        }))
    }

    /// The clip on the canonical body at a frame rate.
    ///
    /// # Errors
    /// When the mapping does not fit the rig, the legs have no length, or `fps` is not positive.
    pub fn retarget(&self, mapping: &Mapping, fps: f64) -> Result<Retargeted, MotionError> {
        let resolved = mapping.resolve(&self.skeleton)?;
        retarget_frames(self.frames_at_fps(fps, 1.0)?, &resolved, fps)
    }

    fn pose(&self, frame: usize) -> Pose {
        let mut values = self.values[frame * self.stride..][..self.stride].iter();
        let mut offsets = self.skeleton.offsets_m.clone();
        let mut rotations = vec![DQuat::IDENTITY; offsets.len()];
        for (joint, channels) in self.channels.iter().enumerate() {
            for (channel, value) in channels.iter().zip(values.by_ref()) {
                let value = f64::from(*value);
                match *channel {
                    Channel::Position(axis) => offsets[joint][axis] = value,
                    Channel::Rotation(axis) => {
                        let turn = DQuat::from_axis_angle(DVec3::AXES[axis], value.to_radians());
                        rotations[joint] *= turn;
                    }
                }
            }
            rotations[joint] = rotations[joint].normalize();
        }
        Pose { offsets, rotations }
    }

    fn positions(&self, pose: &Pose, unit_to_metre: f64) -> Vec<DVec3> {
        let mut turned = Vec::with_capacity(pose.offsets.len());
        let mut positions: Vec<DVec3> = Vec::with_capacity(pose.offsets.len());
        for (joint, parent) in self.skeleton.parents.iter().enumerate() {
            let offset = pose.offsets[joint] * unit_to_metre;
            let (position, rotation) = match *parent {
                None => (offset, pose.rotations[joint]),
                Some(parent) => {
                    let world: DQuat = turned[parent];
                    (
                        positions[parent] + world * offset,
                        world * pose.rotations[joint],
                    )
                }
            };
            positions.push(position);
            turned.push(rotation);
        }
        positions
    }
}
