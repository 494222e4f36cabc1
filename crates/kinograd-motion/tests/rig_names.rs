//! Names of rigs that people have.

use kinograd_motion::mapping::Mapping;
use kinograd_motion::rig::Rig;
use kinograd_motion::{JOINT_NAMES, JOINTS, PARENTS, REST_OFFSETS, Skeleton};

/// Conventions, and their names in the order of our joints; `-` where a rig has no such joint.
const CONVENTIONS: &[(&str, &str)] = &[
    (
        "optitrack",
        "Hip LThigh RThigh Ab LShin RShin - LFoot RFoot Chest LToe RToe Neck LShoulder RShoulder Head LUArm RUArm LFArm RFArm LHand RHand",
    ),
    (
        "daz8",
        "hip lThighBend rThighBend abdomenLower lShin rShin abdomenUpper lFoot rFoot chestUpper lToe rToe neckLower lCollar rCollar head lShldrBend rShldrBend lForearmBend rForearmBend lHand rHand",
    ),
    (
        "daz9",
        "hip l_thigh r_thigh spine1 l_shin r_shin spine2 l_foot r_foot spine4 l_toes r_toes neck1 l_shoulder r_shoulder head l_upperarm r_upperarm l_forearm r_forearm l_hand r_hand",
    ),
    (
        "xsens",
        "Pelvis LeftUpperLeg RightUpperLeg L5 LeftLowerLeg RightLowerLeg L3 LeftFoot RightFoot T8 LeftToe RightToe Neck LeftShoulder RightShoulder Head LeftUpperArm RightUpperArm LeftForeArm RightForeArm LeftHand RightHand",
    ),
    (
        "rokoko",
        "Hips LeftThigh RightThigh Spine1 LeftShin RightShin Spine2 LeftFoot RightFoot Spine4 LeftToe RightToe Neck LeftShoulder RightShoulder Head LeftArm RightArm LeftForeArm RightForeArm LeftHand RightHand",
    ),
    (
        "valve",
        "ValveBiped.Bip01_Pelvis ValveBiped.Bip01_L_Thigh ValveBiped.Bip01_R_Thigh ValveBiped.Bip01_Spine ValveBiped.Bip01_L_Calf ValveBiped.Bip01_R_Calf ValveBiped.Bip01_Spine1 ValveBiped.Bip01_L_Foot ValveBiped.Bip01_R_Foot ValveBiped.Bip01_Spine4 ValveBiped.Bip01_L_Toe0 ValveBiped.Bip01_R_Toe0 ValveBiped.Bip01_Neck1 ValveBiped.Bip01_L_Clavicle ValveBiped.Bip01_R_Clavicle ValveBiped.Bip01_Head1 ValveBiped.Bip01_L_UpperArm ValveBiped.Bip01_R_UpperArm ValveBiped.Bip01_L_Forearm ValveBiped.Bip01_R_Forearm ValveBiped.Bip01_L_Hand ValveBiped.Bip01_R_Hand",
    ),
    (
        "rigify_org",
        "ORG-spine ORG-thigh.L ORG-thigh.R ORG-spine.001 ORG-shin.L ORG-shin.R ORG-spine.002 ORG-foot.L ORG-foot.R ORG-spine.003 ORG-toe.L ORG-toe.R ORG-spine.004 ORG-shoulder.L ORG-shoulder.R ORG-spine.006 ORG-upper_arm.L ORG-upper_arm.R ORG-forearm.L ORG-forearm.R ORG-hand.L ORG-hand.R",
    ),
    (
        "synty",
        "Hips UpperLeg_L UpperLeg_R Spine_01 LowerLeg_L LowerLeg_R Spine_02 Ankle_L Ankle_R Spine_03 Ball_L Ball_R Neck Clavicle_L Clavicle_R Head Shoulder_L Shoulder_R Elbow_L Elbow_R Hand_L Hand_R",
    ),
    (
        "makehuman",
        "root upperleg01.L upperleg01.R spine05 lowerleg01.L lowerleg01.R spine03 foot.L foot.R spine01 toe1-1.L toe1-1.R neck01 clavicle.L clavicle.R head upperarm01.L upperarm01.R lowerarm01.L lowerarm01.R wrist.L wrist.R",
    ),
    (
        "mhuman",
        "pelvis thigh_l thigh_r spine_01 calf_l calf_r spine_02 foot_l foot_r spine_05 ball_l ball_r neck_01 clavicle_l clavicle_r head upperarm_l upperarm_r lowerarm_l lowerarm_r hand_l hand_r",
    ),
    (
        "advskel",
        "Root_M Hip_L Hip_R Spine1_M Knee_L Knee_R Spine2_M Ankle_L Ankle_R Chest_M Toes_L Toes_R Neck_M Scapula_L Scapula_R Head_M Shoulder_L Shoulder_R Elbow_L Elbow_R Wrist_L Wrist_R",
    ),
    (
        "maya",
        "Hips_jnt LeftUpLeg_jnt RightUpLeg_jnt Spine_jnt LeftLeg_jnt RightLeg_jnt Spine1_jnt LeftFoot_jnt RightFoot_jnt Spine2_jnt LeftToeBase_jnt RightToeBase_jnt Neck_jnt LeftShoulder_jnt RightShoulder_jnt Head_jnt LeftArm_jnt RightArm_jnt LeftForeArm_jnt RightForeArm_jnt LeftHand_jnt RightHand_jnt",
    ),
    (
        "vroid_short",
        "J_Bip_C_Hips J_Bip_L_UpperLeg J_Bip_R_UpperLeg J_Bip_C_Spine J_Bip_L_LowerLeg J_Bip_R_LowerLeg J_Bip_C_Chest J_Bip_L_Foot J_Bip_R_Foot J_Bip_C_UpperChest J_Bip_L_ToeBase J_Bip_R_ToeBase J_Bip_C_Neck J_Bip_L_Shoulder J_Bip_R_Shoulder J_Bip_C_Head J_Bip_L_UpperArm J_Bip_R_UpperArm J_Bip_L_LowerArm J_Bip_R_LowerArm J_Bip_L_Hand J_Bip_R_Hand",
    ),
];

#[test]
fn joints_are_told_by_the_names_of_common_tools() {
    let mut wrong: Vec<String> = Vec::new();
    for (convention, names) in CONVENTIONS {
        let names: Vec<&str> = names.split(' ').collect();
        let mut skeleton = Skeleton {
            names: Vec::new(),
            parents: Vec::new(),
            offsets_m: Vec::new(),
        };
        let mut at: Vec<usize> = Vec::new();
        let mut skipped = [glam::DVec3::ZERO; JOINTS];
        for joint in 0..JOINTS {
            let parent = (joint > 0).then(|| at[PARENTS[joint]]);
            let mut offset = glam::DVec3::from_array(REST_OFFSETS[joint]);
            if joint > 0 {
                offset += skipped[PARENTS[joint]];
            }
            if names[joint] == "-" {
                at.push(parent.unwrap_or(0));
                skipped[joint] = offset;
                continue;
            }
            at.push(skeleton.names.len());
            skeleton.names.push(names[joint].to_owned());
            skeleton.parents.push(parent);
            skeleton.offsets_m.push(offset);
        }
        let rig = Mapping::automatic(&skeleton)
            .and_then(|mapping| Rig::new(skeleton.clone(), &mapping, None));
        let rig = match rig {
            Ok(rig) => rig,
            Err(error) => {
                wrong.push(format!("{convention}: {error}"));
                continue;
            }
        };
        let parts = rig.parts();
        for (joint, name) in names.iter().enumerate().filter(|(_, name)| **name != "-") {
            let of_trunk = [0, 3, 6, 9, 12].contains(&joint);
            let found = parts.iter().find(|part| part.joint == *name);
            let part = found.map(|part| part.part);
            let is_right = if of_trunk {
                matches!(part, Some("pelvis" | "spine" | "neck"))
            } else {
                part == Some(JOINT_NAMES[joint])
            };
            if !is_right {
                let wanted = JOINT_NAMES[joint];
                wrong.push(format!("{convention}: `{name}` is {part:?}, not {wanted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
