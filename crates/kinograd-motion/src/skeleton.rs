//! Skeletons: joint names, parents and rest offsets.

use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::MotionError;

/// Joints of the canonical skeleton.
pub const JOINTS: usize = 22;

/// Names of the canonical joints, in the order of HumanML3D and SMPL.
pub const JOINT_NAMES: [&str; JOINTS] = [
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
];

/// Parent of each canonical joint; the pelvis is its own parent.
pub const PARENTS: [usize; JOINTS] = [
    0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19,
];

/// Rest offsets from the parent, metres, of the body every clip is retargeted to: a T-pose,
/// Y up, facing +Z, left at +X, about 1.7 m tall. The pelvis entry is its height above the floor.
pub const REST_OFFSETS: [[f64; 3]; JOINTS] = [
    [0.0, 0.955, 0.0],
    [0.085, -0.085, 0.0],
    [-0.085, -0.085, 0.0],
    [0.0, 0.115, -0.01],
    [0.0, -0.415, 0.0],
    [0.0, -0.415, 0.0],
    [0.0, 0.135, 0.0],
    [0.0, -0.395, -0.01],
    [0.0, -0.395, -0.01],
    [0.0, 0.06, 0.0],
    [0.0, -0.045, 0.13],
    [0.0, -0.045, 0.13],
    [0.0, 0.205, 0.0],
    [0.065, 0.12, 0.0],
    [-0.065, 0.12, 0.0],
    [0.0, 0.1, 0.035],
    [0.115, 0.015, 0.0],
    [-0.115, 0.015, 0.0],
    [0.265, 0.0, 0.0],
    [-0.265, 0.0, 0.0],
    [0.25, 0.0, 0.0],
    [-0.25, 0.0, 0.0],
];

/// A joint hierarchy with rest offsets. Parents come before their children.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Skeleton {
    /// Unique joint names.
    pub names: Vec<String>,
    /// Parent index per joint; `None` for the root, which is joint 0.
    pub parents: Vec<Option<usize>>,
    /// Offset from the parent in the parent's frame, metres.
    pub offsets_m: Vec<DVec3>,
}

impl Skeleton {
    /// The canonical 22-joint body.
    ///
    /// ```
    /// let body = kinograd_motion::Skeleton::canonical();
    /// assert_eq!(body.len(), 22);
    /// ```
    #[must_use]
    pub fn canonical() -> Self {
        Self {
            names: JOINT_NAMES.iter().map(ToString::to_string).collect(),
            parents: (0..JOINTS).map(|j| (j > 0).then(|| PARENTS[j])).collect(),
            offsets_m: REST_OFFSETS.iter().map(|&o| DVec3::from_array(o)).collect(),
        }
    }

    /// Number of joints.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no joints.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Checks what the rest of the crate takes for granted: a root first, parents before their
    /// children, one finite offset per joint.
    ///
    /// # Errors
    /// Names the first joint at fault.
    pub fn validate(&self) -> Result<(), MotionError> {
        let bad = |message: String| MotionError::Format {
            format: "skeleton",
            message,
        };
        let joints = self.names.len();
        if joints == 0 || self.parents.len() != joints || self.offsets_m.len() != joints {
            return Err(bad(format!(
                "{joints} names, {} parents, {} offsets",
                self.parents.len(),
                self.offsets_m.len()
            )));
        }
        for (joint, name) in self.names.iter().enumerate() {
            let in_order = match self.parents[joint] {
                None => joint == 0,
                Some(parent) => parent < joint,
            };
            if !in_order {
                return Err(bad(format!(
                    "joint `{name}` does not come after its parent"
                )));
            }
            if !self.offsets_m[joint].is_finite() {
                return Err(bad(format!(
                    "joint `{name}` has an offset that is not finite"
                )));
            }
        }
        Ok(())
    }
}
