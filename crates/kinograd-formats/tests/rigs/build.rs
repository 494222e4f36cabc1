//! Characters as other tools make them: names, bones, frames of joints and units of their own.

use std::path::Path;

use glam::{DQuat, DVec3, EulerRot, Mat4};
use kinograd_formats::glb::{GlbOptions, glb_bytes};
use kinograd_motion::{JOINT_NAMES, JOINTS, Motion, PARENTS, Provenance, REST_OFFSETS, Skeleton};
use serde_json::{Value, json};

/// A convention of names, and the bones that it has more than our body.
pub struct Convention {
    pub name: &'static str,
    /// In the order of our joints.
    pub joints: [&'static str; JOINTS],
    /// Bones in the middle of others: parent, child, name.
    pub between: &'static [(&'static str, &'static str, &'static str)],
    /// Bones that hang on others, such as fingers and twists: parent, name.
    pub hanging: &'static [(&'static str, &'static str)],
    /// A bone above the hips.
    pub root: Option<&'static str>,
    /// How far the arms hang in the bind pose, radians from the T-pose.
    pub arms_down_rad: f64,
    /// Size beside our body.
    pub scale: f64,
    /// Lengths of thigh, shin, upper arm, forearm and spine, and the hips' width, beside that.
    pub limbs: [f64; 6],
    /// Whether the armature is in centimetres, with Z up.
    pub armature_cm: bool,
}

pub const CONVENTIONS: [Convention; 6] = [
    Convention {
        name: "mixamo",
        joints: [
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
        ],
        between: &[],
        hanging: &[
            ("mixamorig:LeftHand", "mixamorig:LeftHandIndex1"),
            ("mixamorig:Head", "mixamorig:HeadTop_End"),
        ],
        root: None,
        arms_down_rad: 0.0,
        scale: 1.05,
        limbs: [1.0; 6],
        armature_cm: true,
    },
    Convention {
        name: "ue5",
        joints: [
            "pelvis",
            "thigh_l",
            "thigh_r",
            "spine_01",
            "calf_l",
            "calf_r",
            "spine_03",
            "foot_l",
            "foot_r",
            "spine_05",
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
        ],
        between: &[
            ("spine_01", "spine_03", "spine_02"),
            ("spine_03", "spine_05", "spine_04"),
            ("neck_01", "head", "neck_02"),
        ],
        hanging: &[
            ("upperarm_l", "upperarm_twist_01_l"),
            ("lowerarm_r", "lowerarm_twist_01_r"),
            ("thigh_l", "thigh_twist_01_l"),
            ("hand_l", "index_01_l"),
        ],
        root: Some("root"),
        arms_down_rad: 0.8,
        scale: 1.12,
        limbs: [1.06, 0.95, 0.93, 1.04, 1.05, 1.2],
        armature_cm: true,
    },
    Convention {
        name: "unity",
        joints: [
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
        ],
        between: &[],
        hanging: &[("LeftHand", "LeftThumbProximal"), ("Head", "Jaw")],
        root: None,
        arms_down_rad: 0.4,
        scale: 0.93,
        limbs: [1.0; 6],
        armature_cm: false,
    },
    Convention {
        name: "vrm",
        joints: [
            "J_Bip_C_Hips",
            "J_Bip_L_UpperLeg",
            "J_Bip_R_UpperLeg",
            "J_Bip_C_Spine",
            "J_Bip_L_LowerLeg",
            "J_Bip_R_LowerLeg",
            "J_Bip_C_Chest",
            "J_Bip_L_Foot",
            "J_Bip_R_Foot",
            "J_Bip_C_UpperChest",
            "J_Bip_L_ToeBase",
            "J_Bip_R_ToeBase",
            "J_Bip_C_Neck",
            "J_Bip_L_Shoulder",
            "J_Bip_R_Shoulder",
            "J_Bip_C_Head",
            "J_Bip_L_UpperArm",
            "J_Bip_R_UpperArm",
            "J_Bip_L_LowerArm",
            "J_Bip_R_LowerArm",
            "J_Bip_L_Hand",
            "J_Bip_R_Hand",
        ],
        between: &[],
        hanging: &[
            ("J_Bip_C_Head", "J_Sec_Hair1"),
            ("J_Bip_L_Hand", "J_Bip_L_Index1"),
        ],
        root: Some("Root"),
        arms_down_rad: 0.0,
        scale: 0.78,
        limbs: [0.9, 1.05, 1.1, 0.92, 0.85, 0.8],
        armature_cm: false,
    },
    Convention {
        name: "rigify",
        joints: [
            "DEF-spine",
            "DEF-thigh.L",
            "DEF-thigh.R",
            "DEF-spine.001",
            "DEF-shin.L",
            "DEF-shin.R",
            "DEF-spine.002",
            "DEF-foot.L",
            "DEF-foot.R",
            "DEF-spine.003",
            "DEF-toe.L",
            "DEF-toe.R",
            "DEF-spine.005",
            "DEF-shoulder.L",
            "DEF-shoulder.R",
            "DEF-spine.006",
            "DEF-upper_arm.L",
            "DEF-upper_arm.R",
            "DEF-forearm.L",
            "DEF-forearm.R",
            "DEF-hand.L",
            "DEF-hand.R",
        ],
        between: &[
            ("DEF-thigh.L", "DEF-shin.L", "DEF-thigh.L.001"),
            ("DEF-forearm.R", "DEF-hand.R", "DEF-forearm.R.001"),
        ],
        hanging: &[("DEF-hand.L", "DEF-f_index.01.L")],
        root: Some("rig"),
        arms_down_rad: 0.6,
        scale: 1.0,
        limbs: [1.0; 6],
        armature_cm: false,
    },
    Convention {
        name: "biped",
        joints: [
            "Bip01 Pelvis",
            "Bip01 L Thigh",
            "Bip01 R Thigh",
            "Bip01 Spine",
            "Bip01 L Calf",
            "Bip01 R Calf",
            "Bip01 Spine1",
            "Bip01 L Foot",
            "Bip01 R Foot",
            "Bip01 Spine2",
            "Bip01 L Toe0",
            "Bip01 R Toe0",
            "Bip01 Neck",
            "Bip01 L Clavicle",
            "Bip01 R Clavicle",
            "Bip01 Head",
            "Bip01 L UpperArm",
            "Bip01 R UpperArm",
            "Bip01 L Forearm",
            "Bip01 R Forearm",
            "Bip01 L Hand",
            "Bip01 R Hand",
        ],
        between: &[],
        hanging: &[("Bip01 L Hand", "Bip01 L Finger0")],
        root: Some("Bip01"),
        arms_down_rad: 0.0,
        scale: 1.2,
        limbs: [1.1, 1.1, 0.9, 0.95, 0.95, 1.0],
        armature_cm: true,
    },
];

/// Length of our body's leg, metres.
fn leg_m() -> f64 {
    let length = |joint: usize| DVec3::from_array(REST_OFFSETS[joint]).length();
    length(4) + length(7)
}

impl Convention {
    /// Length of a leg, metres.
    pub fn leg_m(&self) -> f64 {
        let length = |joint: usize| DVec3::from_array(REST_OFFSETS[joint]).length();
        self.scale * (length(4) * self.limbs[0] + length(7) * self.limbs[1])
    }

    /// Length of its legs beside our body's.
    pub fn leg_scale(&self) -> f64 {
        self.leg_m() / leg_m()
    }

    /// The bind pose as a skeleton, metres, Y up; frames of joints are the world's.
    pub fn skeleton(&self) -> Skeleton {
        let mut skeleton = Skeleton {
            names: Vec::new(),
            parents: Vec::new(),
            offsets_m: Vec::new(),
        };
        let mut add = |name: &str, parent: Option<usize>, offset: DVec3| {
            skeleton.names.push(name.to_owned());
            skeleton.parents.push(parent);
            skeleton.offsets_m.push(offset);
            skeleton.names.len() - 1
        };
        let root = self.root.map(|root| add(root, None, DVec3::ZERO));
        let mut at = [0; JOINTS];
        for joint in 0..JOINTS {
            let side = if JOINT_NAMES[joint].starts_with("left") {
                -1.0
            } else {
                1.0
            };
            let down = match JOINT_NAMES[joint].split('_').nth(1) {
                Some("elbow" | "wrist") => side * self.arms_down_rad,
                _ => 0.0,
            };
            let mut offset = DVec3::from_array(REST_OFFSETS[joint]) * self.scale;
            let [thigh, shin, upper_arm, forearm, spine, width] = self.limbs;
            let legs = self.leg_m() - leg_m() * self.scale;
            match joint {
                0 => offset.y += legs,
                1 | 2 => offset.x *= width,
                4 | 5 => offset *= thigh,
                7 | 8 => offset *= shin,
                18 | 19 => offset *= upper_arm,
                20 | 21 => offset *= forearm,
                3 | 6 | 9 => offset *= spine,
                _ => {}
            }
            let mut offset = DQuat::from_rotation_z(down) * offset;
            let mut parent = if joint == 0 {
                root
            } else {
                Some(at[PARENTS[joint]])
            };
            let name = self.joints[joint];
            if let Some((_, _, middle)) = self.between.iter().find(|(_, child, _)| *child == name) {
                offset *= 0.5;
                parent = Some(add(middle, parent, offset));
            }
            at[joint] = add(name, parent, offset);
        }
        for (parent, name) in self.hanging {
            let joint = self
                .joints
                .iter()
                .position(|joint| joint == parent)
                .unwrap();
            add(
                name,
                Some(at[joint]),
                DVec3::new(0.02, -0.03, 0.01) * self.scale,
            );
        }
        skeleton
    }

    /// The convention's joint for each of ours.
    pub fn of(&self, skeleton: &Skeleton, joint: usize) -> usize {
        let name = self.joints[joint];
        skeleton
            .names
            .iter()
            .position(|other| other == name)
            .unwrap()
    }

    /// The character as a GLB without an animation, its joints' frames turned at will. Its figure is
    /// that of our body, bone by bone.
    pub fn write(&self, path: &Path) {
        let skeleton = self.skeleton();
        let body = Motion::new(
            Skeleton::canonical(),
            30.0,
            vec![DVec3::from_array(REST_OFFSETS[0])],
            vec![vec![DQuat::IDENTITY; JOINTS]],
        );
        let bytes = glb_bytes(&body, &GlbOptions::default(), &Provenance::default()).unwrap();
        let (mut json, mut binary) = chunks(&bytes);
        self.dress(&skeleton, &mut json, &mut binary);
        self.bones(&skeleton, &mut json, &mut binary);
        json.as_object_mut().unwrap().remove("animations");
        if self.name == "vrm" {
            json["extensions"] = json!({"VRMC_vrm": self.humanoid(&skeleton)});
            json["extensionsUsed"] = json!(["VRMC_vrm"]);
        }
        std::fs::write(path, assembled(&json, &binary)).unwrap();
    }

    /// Puts the figure's vertices on this skeleton.
    fn dress(&self, skeleton: &Skeleton, json: &mut Value, binary: &mut [u8]) {
        let (ours, own) = (places(&Skeleton::canonical()), places(skeleton));
        let mine: Vec<DVec3> = (0..JOINTS).map(|j| own[self.of(skeleton, j)]).collect();
        let turns: Vec<DQuat> = (0..JOINTS)
            .map(|joint| {
                let child = (1..JOINTS).find(|&child| PARENTS[child] == joint && joint > 12);
                child.map_or(DQuat::IDENTITY, |child| {
                    let bone = |places: &[DVec3]| (places[child] - places[joint]).normalize();
                    DQuat::from_rotation_arc(bone(&ours), bone(&mine))
                })
            })
            .collect();
        // Hands hang on as their arms do.
        let turn = |joint: usize| match joint {
            20 | 21 => turns[joint - 2],
            _ => turns[joint],
        };
        let primitives = json["meshes"][0]["primitives"].clone();
        for primitive in primitives.as_array().unwrap() {
            let (mut low, mut high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
            let start = |key: &str| {
                let accessor = primitive["attributes"][key].as_u64().unwrap() as usize;
                let accessor = &json["accessors"][accessor];
                let view = accessor["bufferView"].as_u64().unwrap() as usize;
                let start = json["bufferViews"][view]["byteOffset"].as_u64().unwrap();
                (start as usize, accessor["count"].as_u64().unwrap() as usize)
            };
            let (positions, count) = start("POSITION");
            let [normals, joints, weights] =
                ["NORMAL", "JOINTS_0", "WEIGHTS_0"].map(|key| start(key).0);
            for vertex in 0..count {
                let vector = |binary: &[u8], start: usize| {
                    let part = |axis: usize| {
                        let at = start + (vertex * 3 + axis) * 4;
                        f64::from(f32::from_le_bytes(binary[at..at + 4].try_into().unwrap()))
                    };
                    DVec3::new(part(0), part(1), part(2))
                };
                let (place, normal) = (vector(binary, positions), vector(binary, normals));
                let (mut moved, mut turned) = (DVec3::ZERO, DVec3::ZERO);
                for slot in 0..4 {
                    let share = f64::from(binary[weights + vertex * 4 + slot]) / 255.0;
                    let at = joints + (vertex * 4 + slot) * 2;
                    let joint = usize::from(u16::from_le_bytes([binary[at], binary[at + 1]]));
                    let offset = (place - ours[joint]) * self.scale;
                    moved += share * (mine[joint] + turn(joint) * offset);
                    turned += share * (turn(joint) * normal);
                    let new = self.of(skeleton, joint) as u16;
                    binary[at..at + 2].copy_from_slice(&new.to_le_bytes());
                }
                let turned = turned.normalize_or(normal);
                (low, high) = (low.min(moved), high.max(moved));
                for (start, vector) in [(positions, moved), (normals, turned)] {
                    for axis in 0..3 {
                        let at = start + (vertex * 3 + axis) * 4;
                        binary[at..at + 4].copy_from_slice(&(vector[axis] as f32).to_le_bytes());
                    }
                }
            }
            let accessor = primitive["attributes"]["POSITION"].as_u64().unwrap() as usize;
            json["accessors"][accessor]["min"] = json!(low.as_vec3().to_array());
            json["accessors"][accessor]["max"] = json!(high.as_vec3().to_array());
        }
    }

    /// Nodes, armature and skin in the place of our body's.
    fn bones(&self, skeleton: &Skeleton, json: &mut Value, binary: &mut Vec<u8>) {
        let frame = |joint: usize| {
            let j = joint as f64;
            DQuat::from_euler(EulerRot::XYZ, 0.7 * j, -0.4 * j, 0.3 + 0.2 * j)
        };
        // Armatures of Blender and Unreal: centimetres, Z up.
        let (turn, size) = if self.armature_cm {
            (DQuat::from_rotation_x(-std::f64::consts::FRAC_PI_2), 0.01)
        } else {
            (DQuat::IDENTITY, 1.0)
        };
        let mesh = json["nodes"][JOINTS].clone();
        let (count, start) = (skeleton.len(), binary.len());
        let mut nodes = Vec::new();
        for (joint, place) in places(skeleton).into_iter().enumerate() {
            let parent = skeleton.parents[joint];
            // The armature's node turns and scales: joints are in its frame.
            let above = parent.map_or(DQuat::IDENTITY, frame);
            let offset = above.inverse() * (turn.inverse() * skeleton.offsets_m[joint]) / size;
            let children: Vec<usize> = (0..count)
                .filter(|&child| skeleton.parents[child] == Some(joint))
                .collect();
            let mut node = json!({
                "name": skeleton.names[joint],
                "translation": offset.to_array(),
                "rotation": (above.inverse() * frame(joint)).to_array(),
            });
            if !children.is_empty() {
                node["children"] = json!(children);
            }
            nodes.push(node);
            let world = Mat4::from_scale_rotation_translation(
                glam::Vec3::splat(size as f32),
                (turn * frame(joint)).as_quat(),
                place.as_vec3(),
            );
            let numbers = world.inverse().to_cols_array();
            binary.extend(numbers.into_iter().flat_map(f32::to_le_bytes));
        }
        nodes.push(mesh);
        nodes.push(json!({
            "name": "Armature",
            "children": [0],
            "rotation": turn.to_array(),
            "scale": [size, size, size],
        }));
        json["nodes"] = json!(nodes);
        json["scenes"][0]["nodes"] = json!([count, count + 1]);
        let (views, accessors) = (
            json["bufferViews"].as_array().unwrap().len(),
            json["accessors"].as_array().unwrap().len(),
        );
        let view = json!({"buffer": 0, "byteOffset": start, "byteLength": count * 64});
        json["bufferViews"].as_array_mut().unwrap().push(view);
        let accessor =
            json!({"bufferView": views, "componentType": 5126, "count": count, "type": "MAT4"});
        json["accessors"].as_array_mut().unwrap().push(accessor);
        json["buffers"][0]["byteLength"] = json!(binary.len());
        json["skins"] = json!([{
            "inverseBindMatrices": accessors,
            "skeleton": 0,
            "joints": (0..count).collect::<Vec<_>>(),
        }]);
    }

    fn humanoid(&self, skeleton: &Skeleton) -> Value {
        let unity = &CONVENTIONS[2].joints;
        let bones: serde_json::Map<String, Value> = (0..JOINTS)
            .map(|joint| {
                let mut bone = unity[joint].to_owned();
                bone[..1].make_ascii_lowercase();
                (bone, json!({"node": self.of(skeleton, joint)}))
            })
            .collect();
        json!({"specVersion": "1.0", "humanoid": {"humanBones": bones}})
    }
}

/// Joints in the rest pose.
fn places(skeleton: &Skeleton) -> Vec<DVec3> {
    let mut places: Vec<DVec3> = Vec::new();
    for (joint, parent) in skeleton.parents.iter().enumerate() {
        let above = parent.map_or(DVec3::ZERO, |parent| places[parent]);
        places.push(above + skeleton.offsets_m[joint]);
    }
    places
}

/// The two chunks of a GLB.
pub fn chunks(bytes: &[u8]) -> (Value, Vec<u8>) {
    let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let json = serde_json::from_slice(&bytes[20..20 + length]).unwrap();
    (json, bytes[28 + length..].to_vec())
}

/// A GLB of two chunks.
pub fn assembled(json: &Value, binary: &[u8]) -> Vec<u8> {
    let mut text = serde_json::to_vec(json).unwrap();
    text.resize(text.len().next_multiple_of(4), b' ');
    let total = 28 + text.len() + binary.len();
    let mut bytes = b"glTF".to_vec();
    for word in [2, total, text.len()] {
        bytes.extend((word as u32).to_le_bytes());
    }
    bytes.extend(b"JSON");
    bytes.extend(text);
    bytes.extend((binary.len() as u32).to_le_bytes());
    bytes.extend(b"BIN\0");
    bytes.extend(binary);
    bytes
}
