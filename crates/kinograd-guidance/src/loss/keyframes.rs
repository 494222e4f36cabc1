use kinograd_motion::JOINTS;
use ndarray::{ArrayView3, Axis};

use super::motion::{check_finite, check_joints};
use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::{Frame, GuidanceError, WorldPoint};

/// Where joints shall be at a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyPose {
    /// When.
    pub frame: Frame,
    /// Joints and their places in the world, metres.
    pub joints: Vec<(usize, WorldPoint)>,
}

/// Mean squared distance of joints from key poses, m²: the mean over a pose's joints, summed over
/// the poses. In-betweening is key poses at both ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyframes {
    poses: Vec<KeyPose>,
}

impl Keyframes {
    /// # Errors
    /// [`GuidanceError::Field`] if there is no pose, a pose has no joints, or one is unknown or not
    /// finite.
    pub fn new(poses: Vec<KeyPose>) -> Result<Self, GuidanceError> {
        if poses.is_empty() || poses.iter().any(|pose| pose.joints.is_empty()) {
            return Err(GuidanceError::Field {
                field: "keyframes",
                value: "empty".to_owned(),
                expected: "must be at least one pose of at least one joint",
            });
        }
        for (joint, position) in poses.iter().flat_map(|pose| &pose.joints) {
            check_joints(&[*joint])?;
            check_finite("keyframes", position)?;
        }
        Ok(Self { poses })
    }

    /// The poses of another clip at some of its frames, at the same frames: with the first and
    /// the last ones given, what lies between is filled in.
    ///
    /// `joints_m`: `[frames, 22, 3]`, metres.
    ///
    /// # Errors
    /// [`GuidanceError::FrameOutOfRange`] if the clip is shorter; as [`Keyframes::new`].
    pub fn from_clip(
        joints_m: ArrayView3<'_, f64>,
        frames: &[usize],
    ) -> Result<Self, GuidanceError> {
        if joints_m.shape()[1..] != [JOINTS, 3] {
            return Err(GuidanceError::Shape {
                what: "joints of the keyframes",
                expected: vec![joints_m.len_of(Axis(0)), JOINTS, 3],
                got: joints_m.shape().to_vec(),
            });
        }
        let pose = |&frame: &usize| {
            Frame::At(frame).index("keyframes", joints_m.len_of(Axis(0)))?;
            let place = |joint: usize| [0, 1, 2].map(|axis| joints_m[[frame, joint, axis]]);
            Ok(KeyPose {
                frame: Frame::At(frame),
                joints: (0..JOINTS).map(|joint| (joint, place(joint))).collect(),
            })
        };
        Self::new(
            frames
                .iter()
                .map(pose)
                .collect::<Result<_, GuidanceError>>()?,
        )
    }
}

impl MotionLoss for Keyframes {
    fn name(&self) -> &str {
        "keyframes"
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        for pose in &self.poses {
            pose.frame.index("keyframes", frames)?;
        }
        Ok(())
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let mut total = 0.0;
        for pose in &self.poses {
            let frame = pose.frame.index("keyframes", motion.frames())?;
            let share = 1.0 / pose.joints.len() as f64;
            for &(joint, target) in &pose.joints {
                let at = motion.joint_m(frame, joint);
                let gap = [0, 1, 2].map(|axis| at[axis] - target[axis]);
                total += share * gap.iter().map(|gap| gap * gap).sum::<f64>();
                gradient.add(frame, joint, gap.map(|gap| 2.0 * weight * share * gap));
            }
        }
        Ok(total)
    }
}
