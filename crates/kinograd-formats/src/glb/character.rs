//! A GLB or VRM as a character: its skeleton, and clips on its own mesh.

use std::path::Path;

use glam::{DMat3, DMat4, DQuat, DVec3};
use kinograd_motion::mapping::Mapping;
use kinograd_motion::rig::BindPose;
use kinograd_motion::{Motion, MotionError, Provenance, Skeleton, write_atomic};
use serde_json::{Value, json};

use super::buffer::Buffer;
use super::document::{Document, Nodes, bad, size};
use super::poses::{World, polar};
use super::read::{clip_of, in_file, read};
use super::skeleton::{Joints, joints, skin_of};
use super::vrm::humanoid;
use super::write::assemble;
use crate::format::LoadOptions;

/// A clip on the character may differ from what is written by this much, metres.
const TOLERANCE_M: f64 = 1e-3;
/// A bind pose whose bones are longer or shorter than the nodes' by more than this share of their
/// length is another body's.
const SAME_BONES: f64 = 0.05;

/// A GLB whose animations are replaced by a clip; all else stays as it is.
#[derive(Debug)]
pub(crate) struct GlbCharacter {
    document: Document,
    nodes: Nodes,
    joints: Joints,
    /// The default pose.
    world: World,
    skeleton: Skeleton,
}

/// What a file says of its skeleton.
pub(crate) struct Found {
    pub character: GlbCharacter,
    pub mapping: Option<Mapping>,
    pub bind: Option<BindPose>,
    pub warnings: Vec<String>,
}

impl GlbCharacter {
    /// Reads a character; a file needs no animation.
    pub fn read(path: &Path) -> Result<Found, MotionError> {
        in_file(path, Self::of(&read(path)?))
    }

    fn of(bytes: &[u8]) -> Result<Found, MotionError> {
        let document = Document::parse(bytes)?;
        let nodes = document.nodes()?;
        let mut warnings = Vec::new();
        let joints = joints(&document, &nodes, &[], &mut warnings)?;
        let mut world = World::new(&nodes, &joints.nodes);
        world.update(&nodes.list);
        let skeleton = joints.skeleton(&nodes, &world);
        let mapping = humanoid(&document, &skeleton, &joints.nodes)?;
        let bind = bind_pose(&document, &joints, &world, &skeleton)?;
        let character = Self {
            document,
            nodes,
            joints,
            world,
            skeleton,
        };
        Ok(Found {
            character,
            mapping,
            bind,
            warnings,
        })
    }

    /// Metres, Y up; without rotations it is the file's default pose.
    pub fn skeleton(&self) -> &Skeleton {
        &self.skeleton
    }

    /// Writes the file with the clip as its only animation, whole or not at all.
    ///
    /// # Errors
    /// [`MotionError::Clip`] for a motion on another skeleton; [`MotionError::Format`] where the
    /// file's nodes cannot hold the clip, as under uneven scales.
    pub fn write(
        &self,
        path: &Path,
        motion: &Motion,
        provenance: &Provenance,
    ) -> Result<(), MotionError> {
        let bytes = self.bytes(motion, provenance)?;
        write_atomic(path, |file| std::io::Write::write_all(file, &bytes))
    }

    fn bytes(&self, motion: &Motion, provenance: &Provenance) -> Result<Vec<u8>, MotionError> {
        motion.check_storable()?;
        if motion.skeleton != self.skeleton {
            return Err(MotionError::Clip {
                clip: "motion".to_owned(),
                message: "it is on another skeleton than the character's".to_owned(),
            });
        }
        let mut buffer = Buffer::default();
        let animation = self.animation(motion, &mut buffer);
        let mut json = self.document.json.clone();
        let binary = append(&mut json, self.document.binary.clone(), buffer)?;
        let animation = renumbered(animation, &self.document.json);
        json["animations"] = json!([animation]);
        json["asset"]["extras"] =
            serde_json::to_value(provenance).map_err(|e| bad(&e.to_string()))?;
        let bytes = assemble(&json, binary)?;
        self.check(&bytes, motion)?;
        Ok(bytes)
    }

    /// Reads back what was written.
    fn check(&self, bytes: &[u8], motion: &Motion) -> Result<(), MotionError> {
        let back = clip_of(bytes, &LoadOptions::default())?.motion;
        if back.fps != motion.fps || back.len() != motion.len() {
            // Too slow a rate for frames: it was sampled as curves.
            return Ok(());
        }
        for frame in crate::world::probe_frames(motion.len()) {
            let wanted = motion.joint_poses_in_world(frame).0;
            let got = back.joint_poses_in_world(frame).0;
            for (joint, name) in self.skeleton.names.iter().enumerate() {
                let place = back.skeleton.names.iter().position(|other| other == name);
                let off = place.map_or(0.0, |place| got[place].distance(wanted[joint]));
                if off.is_nan() || off > TOLERANCE_M {
                    return Err(bad(&format!(
                        "joint `{name}` of frame {frame} would be {off:.4} m off: the file's nodes \
                         are scaled unevenly and cannot hold the clip"
                    )));
                }
            }
        }
        Ok(())
    }

    fn animation(&self, motion: &Motion, buffer: &mut Buffer) -> Value {
        let times: Vec<[f32; 1]> = (0..motion.len())
            .map(|frame| [(frame as f64 / motion.fps) as f32])
            .collect();
        let input = buffer.floats(&times, "SCALAR", None, true);
        let count = self.joints.nodes.len();
        let moves = |joint: usize| joint == 0 || motion.translations.contains_key(&joint);
        let mut rotations: Vec<Vec<[f32; 4]>> = vec![Vec::with_capacity(motion.len()); count];
        let mut places: Vec<Vec<[f32; 3]>> = vec![Vec::new(); count];
        let mut last = vec![DQuat::IDENTITY; count];
        for frame in 0..motion.len() {
            let (positions, turns) = motion.joint_poses_in_world(frame);
            for joint in 0..count {
                let node = self.joints.nodes[joint];
                let above = self.above(joint, &positions, &turns);
                let wanted = turns[joint] * self.world.rotation(node);
                let mut local = (above.rotation.inverse() * wanted).normalize();
                if local.dot(last[joint]) < 0.0 {
                    local = -local;
                }
                last[joint] = local;
                rotations[joint].push(local.as_quat().normalize().to_array());
                if moves(joint) {
                    let place = above.matrix.inverse().transform_point3(positions[joint]);
                    places[joint].push(place.as_vec3().to_array());
                }
            }
        }
        let (mut samplers, mut channels) = (Vec::new(), Vec::new());
        let mut channel = |output: usize, node: usize, path: &str| {
            channels.push(json!({
                "sampler": samplers.len(),
                "target": {"node": node, "path": path},
            }));
            samplers.push(json!({"input": input, "output": output, "interpolation": "LINEAR"}));
        };
        for (joint, &node) in self.joints.nodes.iter().enumerate() {
            let default = &self.nodes.list[node];
            let still = |key: &[f32; 4]| {
                let key = DQuat::from_array(key.map(f64::from));
                key.dot(default.rotation).abs() > 1.0 - 1e-10
            };
            if default.matrix.is_some() || !rotations[joint].iter().all(still) {
                let output = buffer.floats(&rotations[joint], "VEC4", None, false);
                channel(output, node, "rotation");
            }
            let rest = default.translation.as_vec3();
            let near = |key: &[f32; 3]| glam::Vec3::from_array(*key).distance(rest) < 1e-6;
            if !places[joint].iter().all(near) {
                let output = buffer.floats(&places[joint], "VEC3", None, false);
                channel(output, node, "translation");
            }
        }
        json!({"name": "motion", "channels": channels, "samplers": samplers})
    }

    /// The transform of the node above a joint's in a frame.
    fn above(&self, joint: usize, positions: &[DVec3], turns: &[DQuat]) -> Above {
        let Some(parent) = self.nodes.list[self.joints.nodes[joint]].parent else {
            return Above {
                rotation: DQuat::IDENTITY,
                matrix: DMat4::IDENTITY,
            };
        };
        let rest = self.world.matrix(parent);
        let (turn, from, to) = match self.joints.parents[joint] {
            Some(above) => (
                turns[above],
                self.world.position(self.joints.nodes[above]),
                positions[above],
            ),
            None => (DQuat::IDENTITY, DVec3::ZERO, DVec3::ZERO),
        };
        // The node turns about the joint above it as that joint does.
        let moved =
            DMat4::from_translation(to) * DMat4::from_quat(turn) * DMat4::from_translation(-from);
        Above {
            rotation: turn * self.world.rotation(parent),
            matrix: moved * rest,
        }
    }
}

struct Above {
    rotation: DQuat,
    matrix: DMat4,
}

/// Adds accessors to a document; returns the binary chunk.
fn append(json: &mut Value, mut binary: Vec<u8>, added: Buffer) -> Result<Vec<u8>, MotionError> {
    if json["buffers"][0]["uri"].is_string() {
        return Err(bad(
            "its first buffer is in another file; a GLB that holds all its data was expected",
        ));
    }
    binary.resize(binary.len().next_multiple_of(4), 0);
    let (start, views) = (binary.len(), length(json, "bufferViews"));
    for mut view in added.views {
        let offset = view["byteOffset"].as_u64().unwrap_or(0) + start as u64;
        view["byteOffset"] = json!(offset);
        push(json, "bufferViews", view);
    }
    for mut accessor in added.accessors {
        let view = accessor["bufferView"].as_u64().unwrap_or(0) + views as u64;
        accessor["bufferView"] = json!(view);
        push(json, "accessors", accessor);
    }
    binary.extend(added.bytes);
    if length(json, "buffers") == 0 {
        push(json, "buffers", json!({}));
    }
    json["buffers"][0]["byteLength"] = json!(binary.len());
    Ok(binary)
}

fn length(json: &Value, key: &str) -> usize {
    json[key].as_array().map_or(0, Vec::len)
}

fn push(json: &mut Value, key: &str, value: Value) {
    match json[key].as_array_mut() {
        Some(list) => list.push(value),
        None => json[key] = json!([value]),
    }
}

/// An animation whose accessors come after those of a document.
fn renumbered(mut animation: Value, document: &Value) -> Value {
    let first = length(document, "accessors") as u64;
    if let Some(samplers) = animation["samplers"].as_array_mut() {
        for sampler in samplers {
            for key in ["input", "output"] {
                sampler[key] = json!(sampler[key].as_u64().unwrap_or(0) + first);
            }
        }
    }
    animation
}

/// The pose in which the skin is bound; `None` where there is none, or it is of another body.
fn bind_pose(
    document: &Document,
    joints: &Joints,
    world: &World,
    skeleton: &Skeleton,
) -> Result<Option<BindPose>, MotionError> {
    let Some((skin, list)) = skin_of(document) else {
        return Ok(None);
    };
    let Some(accessor) = size(&skin["inverseBindMatrices"]) else {
        return Ok(None);
    };
    let numbers = document.numbers(accessor, 16)?;
    let matrix = |joint: usize| -> Option<DMat4> {
        let at = list.iter().position(|&node| node == joints.nodes[joint])?;
        let numbers = numbers.get(at * 16..at * 16 + 16)?;
        let matrix = DMat4::from_cols_slice(numbers).inverse();
        matrix.is_finite().then_some(matrix)
    };
    let mut places: Vec<Option<DVec3>> = Vec::new();
    let mut turns: Vec<Option<DQuat>> = Vec::new();
    for (joint, &node) in joints.nodes.iter().enumerate() {
        let matrix = matrix(joint);
        places.push(matrix.map(|m| m.w_axis.truncate()));
        let turn = matrix.and_then(|m| polar(DMat3::from_mat4(m) * world.linear(node).inverse()));
        turns.push(turn);
    }
    // Bones of the skin over those of the nodes: the skin may be in another unit.
    let (mut of_skin, mut of_nodes) = (Vec::new(), Vec::new());
    for (joint, parent) in skeleton.parents.iter().enumerate() {
        if let Some(parent) = *parent
            && let (Some(a), Some(b)) = (places[joint], places[parent])
        {
            of_skin.push(a.distance(b));
            of_nodes.push(skeleton.offsets_m[joint].length());
        }
    }
    let scale = of_nodes.iter().sum::<f64>() / of_skin.iter().sum::<f64>().max(1e-12);
    let off: f64 = of_skin
        .iter()
        .zip(&of_nodes)
        .map(|(skin, node)| (skin * scale - node).abs())
        .sum();
    if !(scale.is_finite() && off <= SAME_BONES * of_nodes.iter().sum::<f64>()) {
        return Ok(None);
    }
    for place in places.iter_mut().flatten() {
        *place *= scale;
    }
    Ok(filled(skeleton, places, turns))
}

/// Joints that the skin does not bind follow those above them, or below.
fn filled(
    skeleton: &Skeleton,
    mut places: Vec<Option<DVec3>>,
    mut turns: Vec<Option<DQuat>>,
) -> Option<BindPose> {
    for joint in (0..skeleton.len()).rev() {
        if let Some(parent) = skeleton.parents[joint]
            && places[parent].is_none()
            && let (Some(place), Some(turn)) = (places[joint], turns[joint])
        {
            turns[parent] = Some(turn);
            places[parent] = Some(place - turn * skeleton.offsets_m[joint]);
        }
    }
    for joint in 0..skeleton.len() {
        if let Some(parent) = skeleton.parents[joint]
            && (places[joint].is_none() || turns[joint].is_none())
        {
            let (place, turn) = (places[parent]?, turns[parent]?);
            places[joint].get_or_insert(place + turn * skeleton.offsets_m[joint]);
            turns[joint].get_or_insert(turn);
        }
    }
    Some(BindPose {
        places_m: places.into_iter().collect::<Option<_>>()?,
        from_rest: turns.into_iter().collect::<Option<_>>()?,
    })
}
