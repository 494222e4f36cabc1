//! Writing of GLB files.

use std::path::Path;

use glam::{DQuat, Quat};
use kinograd_motion::export::rest_positions;
use kinograd_motion::metrics::seam;
use kinograd_motion::{Motion, MotionError, Provenance, resample, write_atomic};
use serde_json::{Value, json};

use super::buffer::{Buffer, Target};
use super::document::bad;
use crate::mannequin::{Part, mannequin};

/// How a clip becomes a GLB.
#[derive(Debug, Clone, PartialEq)]
pub struct GlbOptions {
    /// Key frames per second; `None` keeps the motion's own.
    pub fps: Option<f64>,
    /// Name of the animation, as engines show it.
    pub animation_name: String,
}

impl Default for GlbOptions {
    fn default() -> Self {
        Self {
            fps: None,
            animation_name: "motion".to_owned(),
        }
    }
}

/// Writes a clip as a GLB, whole or not at all. See [`glb_bytes`].
///
/// # Errors
/// As [`glb_bytes`], and [`MotionError::Io`] with the path.
pub fn write_glb(
    path: &Path,
    motion: &Motion,
    options: &GlbOptions,
    provenance: &Provenance,
) -> Result<(), MotionError> {
    let bytes = glb_bytes(motion, options, provenance)?;
    write_atomic(path, |file| std::io::Write::write_all(file, &bytes))
}

/// A clip as a binary glTF 2.0 file (Khronos, glTF 2.0 specification): metres, Y up, facing +Z
/// like our world. Each joint is a node that rotates; the root also moves. The rest pose is the
/// skeleton's offsets without rotations, which is also the bind pose of the mannequin. The record
/// is in `asset.extras`, and `extras.loop` of the animation is true where the clip loops
/// ([`seam`]).
///
/// ```
/// use kinograd_formats::glb::{GlbOptions, glb_bytes};
/// use kinograd_motion::{Provenance, synth::synth_walk};
/// let walk = synth_walk(1.2, 1.0, 20.0);
/// let bytes = glb_bytes(&walk, &GlbOptions::default(), &Provenance::new())?;
/// assert_eq!(&bytes[..4], b"glTF");
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
///
/// # Errors
/// [`MotionError::Clip`] for a motion that is empty or not finite, or has more joints than a
/// vertex can name (65,536); [`MotionError::Format`] for a frame rate that is not positive.
pub fn glb_bytes(
    motion: &Motion,
    options: &GlbOptions,
    provenance: &Provenance,
) -> Result<Vec<u8>, MotionError> {
    motion.check_storable()?;
    if motion.skeleton.len() > usize::from(u16::MAX) {
        return Err(MotionError::Clip {
            clip: "motion".to_owned(),
            message: format!("{} joints; GLB holds 65535", motion.skeleton.len()),
        });
    }
    let resampled = match options.fps {
        Some(fps) if fps != motion.fps => Some(resample::resample(motion, fps)?),
        _ => None,
    };
    let motion = resampled.as_ref().unwrap_or(motion);
    let mut buffer = Buffer::default();
    let document = document(motion, options, provenance, &mut buffer)?;
    assemble(&document, buffer.bytes)
}

fn document(
    motion: &Motion,
    options: &GlbOptions,
    provenance: &Provenance,
    buffer: &mut Buffer,
) -> Result<Value, MotionError> {
    let joints = motion.skeleton.len();
    let mesh = mannequin(&motion.skeleton);
    let primitives: Vec<Value> = [&mesh.shell, &mesh.balls]
        .into_iter()
        .enumerate()
        .filter(|(_, part)| !part.indices.is_empty())
        .map(|(material, part)| primitive(buffer, part, material))
        .collect();
    let inverse_binds: Vec<[f32; 16]> = rest_positions(&motion.skeleton)
        .iter()
        .map(|rest| {
            let mut matrix = glam::Mat4::IDENTITY.to_cols_array();
            for axis in 0..3 {
                matrix[12 + axis] = -rest[axis] as f32;
            }
            matrix
        })
        .collect();
    let inverse_binds = buffer.floats(&inverse_binds, "MAT4", None, false);
    let animation = animation(motion, &options.animation_name, buffer);

    // Joints are nodes 0..joints, so that a joint's index is its node's.
    let mut nodes = joint_nodes(motion);
    let mut scene_nodes = vec![0];
    let mut document = json!({
        "asset": {
            "version": "2.0",
            "generator": concat!("Kinograd ", env!("CARGO_PKG_VERSION")),
            "extras": serde_json::to_value(provenance).map_err(|e| bad(&e.to_string()))?,
        },
        "scene": 0,
        "animations": [animation],
    });
    if !primitives.is_empty() {
        scene_nodes.push(joints);
        nodes.push(json!({"name": "mannequin", "mesh": 0, "skin": 0}));
        document["meshes"] = json!([{"name": "mannequin", "primitives": primitives}]);
        document["materials"] = materials(primitives.len());
        document["skins"] = json!([{
            "name": "skeleton",
            "inverseBindMatrices": inverse_binds,
            "joints": (0..joints).collect::<Vec<_>>(),
            "skeleton": 0,
        }]);
    }
    document["scenes"] = json!([{"name": "clip", "nodes": scene_nodes}]);
    document["nodes"] = json!(nodes);
    document["accessors"] = json!(buffer.accessors);
    document["bufferViews"] = json!(buffer.views);
    document["buffers"] = json!([{"byteLength": buffer.bytes.len()}]);
    Ok(document)
}

fn joint_nodes(motion: &Motion) -> Vec<Value> {
    let skeleton = &motion.skeleton;
    (0..skeleton.len())
        .map(|joint| {
            let offset = skeleton.offsets_m[joint].as_vec3().to_array();
            let children: Vec<usize> = (0..skeleton.len())
                .filter(|&child| skeleton.parents[child] == Some(joint))
                .collect();
            let mut node = json!({"name": skeleton.names[joint], "translation": offset});
            if !children.is_empty() {
                node["children"] = json!(children);
            }
            node
        })
        .collect()
}

fn primitive(buffer: &mut Buffer, part: &Part, material: usize) -> Value {
    let vertices = Some(Target::Vertices);
    let joints: Vec<[u16; 4]> = part.influences.iter().map(|i| i.joints).collect();
    let weights: Vec<[u8; 4]> = part.influences.iter().map(|i| i.shares).collect();
    json!({
        "attributes": {
            "POSITION": buffer.floats(&part.positions, "VEC3", vertices, true),
            "NORMAL": buffer.floats(&part.normals, "VEC3", vertices, false),
            "JOINTS_0": buffer.joints(&joints),
            "WEIGHTS_0": buffer.weights(&weights),
        },
        "indices": buffer.indices(&part.indices),
        "material": material,
    })
}

fn materials(count: usize) -> Value {
    let material = |name: &str, colour: [f64; 4], roughness: f64| {
        json!({
            "name": name,
            "pbrMetallicRoughness": {
                "baseColorFactor": colour,
                "metallicFactor": 0.0,
                "roughnessFactor": roughness,
            },
        })
    };
    let both = [
        material("shell", [0.62, 0.60, 0.57, 1.0], 0.75),
        material("joints", [0.16, 0.17, 0.19, 1.0], 0.55),
    ];
    json!(both[..count])
}

fn animation(motion: &Motion, name: &str, buffer: &mut Buffer) -> Value {
    let times: Vec<[f32; 1]> = (0..motion.len())
        .map(|frame| [(frame as f64 / motion.fps) as f32])
        .collect();
    let input = buffer.floats(&times, "SCALAR", None, true);
    let (mut samplers, mut channels) = (Vec::new(), Vec::new());
    let mut channel = |output: usize, node: usize, path: &str| {
        channels.push(json!({
            "sampler": samplers.len(),
            "target": {"node": node, "path": path},
        }));
        samplers.push(json!({"input": input, "output": output, "interpolation": "LINEAR"}));
    };
    let root: Vec<[f32; 3]> = motion
        .root_in_world_m
        .iter()
        .map(|root| root.as_vec3().to_array())
        .collect();
    channel(buffer.floats(&root, "VEC3", None, false), 0, "translation");
    for (&joint, offsets) in &motion.translations {
        let keys: Vec<[f32; 3]> = offsets.iter().map(|o| o.as_vec3().to_array()).collect();
        channel(
            buffer.floats(&keys, "VEC3", None, false),
            joint,
            "translation",
        );
    }
    for joint in 0..motion.skeleton.len() {
        let keys = rotation_keys(motion, joint);
        channel(buffer.floats(&keys, "VEC4", None, false), joint, "rotation");
    }
    let mut animation = json!({"name": name, "channels": channels, "samplers": samplers});
    if seam(motion).is_some_and(|seam| seam.is_loop()) {
        animation["extras"] = json!({"loop": true});
    }
    animation
}

/// Unit quaternions, each in the hemisphere of the one before: players that interpolate without
/// looking would otherwise spin the long way round.
fn rotation_keys(motion: &Motion, joint: usize) -> Vec<[f32; 4]> {
    let mut last = DQuat::IDENTITY;
    motion
        .local_rotations
        .iter()
        .map(|frame| {
            let rotation = frame[joint].normalize();
            last = if last.dot(rotation) < 0.0 {
                -rotation
            } else {
                rotation
            };
            let key: Quat = last.as_quat().normalize();
            key.to_array()
        })
        .collect()
}

pub(super) fn assemble(document: &Value, mut binary: Vec<u8>) -> Result<Vec<u8>, MotionError> {
    let mut text = serde_json::to_vec(document).map_err(|e| bad(&e.to_string()))?;
    text.resize(text.len().next_multiple_of(4), b' ');
    binary.resize(binary.len().next_multiple_of(4), 0);
    let total = 12 + 8 + text.len() + 8 + binary.len();
    let length = |n: usize| u32::try_from(n).map_err(|_| bad("a GLB holds less than 4 GiB"));
    let mut bytes = Vec::with_capacity(total);
    bytes.extend(b"glTF");
    bytes.extend(2u32.to_le_bytes());
    bytes.extend(length(total)?.to_le_bytes());
    for (chunk, kind) in [(text, b"JSON"), (binary, b"BIN\0")] {
        bytes.extend(length(chunk.len())?.to_le_bytes());
        bytes.extend(kind);
        bytes.extend(chunk);
    }
    Ok(bytes)
}
