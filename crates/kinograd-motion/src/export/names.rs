//! What tools call the joints of the canonical body.

use serde::{Deserialize, Serialize};

use crate::{JOINT_NAMES, JOINTS};

/// Whose names the joints of a file have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JointNaming {
    /// Those of SMPL and HumanML3D: `left_hip`.
    #[default]
    Ours,
    /// Adobe's: `mixamorig:LeftUpLeg`.
    Mixamo,
    /// Those of Unreal's Manny and Quinn: `thigh_l`.
    Ue5,
    /// The bones of Unity's Humanoid: `LeftUpperLeg`.
    Unity,
    /// The bones of VRM 1.0: `leftUpperLeg`.
    Vrm,
}

const MIXAMO: [&str; JOINTS] = [
    "mixamorig:Hips",
    "mixamorig:LeftUpLeg",
    "mixamorig:RightUpLeg",
    "mixamorig:Spine",
    "mixamorig:LeftLeg",
    "mixamorig:RightLeg",
    "mixamorig:Spine1",
    "mixamorig:LeftFoot",
    "mixamorig:RightFoot",
    "mixamorig:Spine2",
    "mixamorig:LeftToeBase",
    "mixamorig:RightToeBase",
    "mixamorig:Neck",
    "mixamorig:LeftShoulder",
    "mixamorig:RightShoulder",
    "mixamorig:Head",
    "mixamorig:LeftArm",
    "mixamorig:RightArm",
    "mixamorig:LeftForeArm",
    "mixamorig:RightForeArm",
    "mixamorig:LeftHand",
    "mixamorig:RightHand",
];

const UE5: [&str; JOINTS] = [
    "pelvis",
    "thigh_l",
    "thigh_r",
    "spine_01",
    "calf_l",
    "calf_r",
    "spine_02",
    "foot_l",
    "foot_r",
    "spine_03",
    "ball_l",
    "ball_r",
    "neck_01",
    "clavicle_l",
    "clavicle_r",
    "head",
    "upperarm_l",
    "upperarm_r",
    "lowerarm_l",
    "lowerarm_r",
    "hand_l",
    "hand_r",
];

const UNITY: [&str; JOINTS] = [
    "Hips",
    "LeftUpperLeg",
    "RightUpperLeg",
    "Spine",
    "LeftLowerLeg",
    "RightLowerLeg",
    "Chest",
    "LeftFoot",
    "RightFoot",
    "UpperChest",
    "LeftToes",
    "RightToes",
    "Neck",
    "LeftShoulder",
    "RightShoulder",
    "Head",
    "LeftUpperArm",
    "RightUpperArm",
    "LeftLowerArm",
    "RightLowerArm",
    "LeftHand",
    "RightHand",
];

const VRM: [&str; JOINTS] = [
    "hips",
    "leftUpperLeg",
    "rightUpperLeg",
    "spine",
    "leftLowerLeg",
    "rightLowerLeg",
    "chest",
    "leftFoot",
    "rightFoot",
    "upperChest",
    "leftToes",
    "rightToes",
    "neck",
    "leftShoulder",
    "rightShoulder",
    "head",
    "leftUpperArm",
    "rightUpperArm",
    "leftLowerArm",
    "rightLowerArm",
    "leftHand",
    "rightHand",
];

impl JointNaming {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ours, Self::Mixamo, Self::Ue5, Self::Unity, Self::Vrm];

    /// Names in the order of [`JOINT_NAMES`].
    ///
    /// ```
    /// use kinograd_motion::export::JointNaming;
    /// assert_eq!(JointNaming::Ue5.joints()[1], "thigh_l");
    /// ```
    #[must_use]
    pub fn joints(self) -> &'static [&'static str; JOINTS] {
        match self {
            Self::Ours => &JOINT_NAMES,
            Self::Mixamo => &MIXAMO,
            Self::Ue5 => &UE5,
            Self::Unity => &UNITY,
            Self::Vrm => &VRM,
        }
    }

    /// The name of a bone above the hips that carries the travel. Only Unreal has one of its own;
    /// the others' case is followed.
    #[must_use]
    pub fn root(self) -> &'static str {
        match self {
            Self::Unity => "Root",
            _ => "root",
        }
    }

    /// As people type it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Mixamo => "mixamo",
            Self::Ue5 => "ue5",
            Self::Unity => "unity",
            Self::Vrm => "vrm",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Skeleton;
    use crate::mapping::{JointSource, Mapping};

    #[test]
    fn names_are_unique_and_found_again() {
        for naming in JointNaming::ALL {
            let mut skeleton = Skeleton::canonical();
            skeleton.names = naming.joints().map(str::to_owned).to_vec();
            let unique: BTreeSet<&String> = skeleton.names.iter().collect();
            assert_eq!(unique.len(), JOINTS, "{}", naming.name());
            assert!(!skeleton.names.iter().any(|name| name == naming.root()));
            let mapping = Mapping::automatic(&skeleton).unwrap();
            for (joint, ours) in JOINT_NAMES.iter().enumerate() {
                let expected = JointSource::Joint(naming.joints()[joint].to_owned());
                // The trunk is found by its shape: at joints, or within a centimetre of them.
                if !ours.starts_with("spine") && !ours.ends_with("collar") && *ours != "pelvis" {
                    assert_eq!(mapping.joints[*ours], expected, "{} {ours}", naming.name());
                }
            }
            let rest = crate::export::rest_positions(&skeleton);
            let found = mapping.resolve(&skeleton).unwrap().canonical(&rest);
            for (joint, (found, is)) in found.iter().zip(&rest).enumerate() {
                let off = found.distance(*is);
                assert!(
                    off < 0.01,
                    "{} {}: {off} m",
                    naming.name(),
                    JOINT_NAMES[joint]
                );
            }
        }
    }
}
