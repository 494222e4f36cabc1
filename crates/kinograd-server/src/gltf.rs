//! The answer's glTF: nodes and a skin of the client's skeleton, one animation a sample, and what the
//! protocol's extension says of them (Khronos, glTF 2.0 specification).

use std::f64::consts::TAU;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kinograd::motion::Motion;
use kinograd::motion::trajectory::{PathShape, Trajectory};
use serde_json::{Map, Value, json};

use crate::request::skeleton::RequestSkeleton;

/// The extension's version: that of the protocol.
pub(crate) const VERSION: &str = "1.2";
const FLOAT: u32 = 5126;
const GLB_MAGIC: u32 = 0x4654_6C67;
const JSON_CHUNK: u32 = 0x4E4F_534A;
const BIN_CHUNK: u32 = 0x004E_4942;

/// An answer before it is written.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub skeleton: RequestSkeleton,
    pub samples: Vec<Sample>,
    pub model: String,
    pub fps: f64,
    /// What stands for what, where the skeleton is not the canonical one.
    pub canonical_to_request: Vec<(&'static str, String)>,
}

/// One clip of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// In the client's world, on the client's skeleton.
    pub motion: Motion,
    /// Which joints stand, frame by frame.
    pub contacts: Vec<(String, Vec<bool>)>,
    /// Its travel alone, in the client's world.
    pub trajectory: Trajectory,
    /// Whether its last pose is its first.
    pub is_loop: bool,
}

/// Numbers of all accessors, and what says where they are.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    views: Vec<Value>,
    accessors: Vec<Value>,
}

impl Buffer {
    /// An accessor of rows of `N` numbers.
    fn add<const N: usize>(&mut self, rows: &[[f32; N]], kind: &str, has_range: bool) -> usize {
        let offset = self.bytes.len();
        for number in rows.iter().flatten() {
            self.bytes.extend_from_slice(&number.to_le_bytes());
        }
        self.views.push(json!({
            "buffer": 0, "byteOffset": offset, "byteLength": self.bytes.len() - offset,
        }));
        let mut accessor = json!({
            "bufferView": self.views.len() - 1, "componentType": FLOAT,
            "count": rows.len(), "type": kind,
        });
        if has_range {
            let range = |pick: fn(f32, f32) -> f32, from: f32| {
                let column = |c: usize| rows.iter().map(|row| row[c]).fold(from, pick);
                (0..N).map(column).collect::<Vec<f32>>()
            };
            accessor["min"] = json!(range(f32::min, f32::INFINITY));
            accessor["max"] = json!(range(f32::max, f32::NEG_INFINITY));
        }
        self.accessors.push(accessor);
        self.accessors.len() - 1
    }
}

impl Document {
    /// As JSON with its numbers inside.
    pub(crate) fn to_json(&self) -> Value {
        let (mut document, bytes) = self.parts();
        let data = STANDARD.encode(&bytes);
        document["buffers"] = json!([{
            "byteLength": bytes.len(),
            "uri": format!("data:application/octet-stream;base64,{data}"),
        }]);
        document
    }

    /// As a binary file.
    pub(crate) fn to_glb(&self) -> Vec<u8> {
        let (mut document, mut bytes) = self.parts();
        document["buffers"] = json!([{"byteLength": bytes.len()}]);
        let mut text = document.to_string().into_bytes();
        text.resize(text.len().next_multiple_of(4), b' ');
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let total = 12 + 8 + text.len() + 8 + bytes.len();
        let mut glb = Vec::with_capacity(total);
        let words = |glb: &mut Vec<u8>, words: &[u32]| {
            words
                .iter()
                .for_each(|word| glb.extend_from_slice(&word.to_le_bytes()));
        };
        words(
            &mut glb,
            &[GLB_MAGIC, 2, total as u32, text.len() as u32, JSON_CHUNK],
        );
        glb.extend_from_slice(&text);
        words(&mut glb, &[bytes.len() as u32, BIN_CHUNK]);
        glb.extend_from_slice(&bytes);
        glb
    }

    fn parts(&self) -> (Value, Vec<u8>) {
        let mut buffer = Buffer::default();
        let samples = self.samples.iter().enumerate();
        let animations: Vec<Value> = samples
            .map(|(index, sample)| animation(&sample.motion, index, &mut buffer))
            .collect();
        let joints: Vec<usize> = (0..self.skeleton.joints.len()).collect();
        let document = json!({
            "asset": {"version": "2.0", "generator": concat!("kinograd ", env!("CARGO_PKG_VERSION"))},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": self.nodes(),
            "skins": [{"name": "skin", "joints": joints}],
            "animations": animations,
            "accessors": buffer.accessors,
            "bufferViews": buffer.views,
            "extensionsUsed": ["MMCP_motion"],
            "extensions": {"MMCP_motion": self.extension()},
        });
        (document, buffer.bytes)
    }

    fn nodes(&self) -> Vec<Value> {
        let parents = &self.skeleton.skeleton.parents;
        let mut nodes: Vec<Value> = self
            .skeleton
            .joints
            .iter()
            .map(|joint| {
                json!({
                    "name": joint.name,
                    "translation": joint.rest_translation,
                    "rotation": joint.rest_rotation,
                })
            })
            .collect();
        for (joint, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                match &mut nodes[*parent]["children"] {
                    Value::Array(children) => children.push(joint.into()),
                    none => *none = json!([joint]),
                }
            }
        }
        nodes
    }

    fn extension(&self) -> Value {
        let samples = self.samples.iter().enumerate();
        let samples: Vec<Value> = samples
            .map(|(index, sample)| {
                let contacts = sample.contacts.iter();
                let contacts: Map<String, Value> = contacts
                    .map(|(name, stands)| (name.clone(), json!(stands)))
                    .collect();
                json!({
                    "name": format!("sample_{index}"),
                    "num_frames": sample.motion.len(),
                    "chunk_boundaries": [],
                    "foot_contacts": contacts,
                    "trajectory": trajectory(sample, self.fps),
                })
            })
            .collect();
        let mut extension = json!({
            "version": VERSION, "model": self.model, "fps": self.fps, "samples": samples,
        });
        if !self.canonical_to_request.is_empty() {
            let names = self.canonical_to_request.iter();
            let names: Map<String, Value> = names
                .filter(|(_, own)| self.skeleton.index(own).is_ok())
                .map(|(part, own)| ((*part).to_owned(), own.clone().into()))
                .collect();
            extension["canonical_to_request"] = names.into();
        }
        extension
    }
}

/// The travel of a sample, with the numbers of its path and its speeds.
fn trajectory(sample: &Sample, fps: f64) -> Value {
    let Trajectory {
        positions_xz_m,
        yaws_rad,
        shape,
        off_m,
        ..
    } = &sample.trajectory;
    let mut params = match shape {
        PathShape::Line { heading_rad, .. } => json!({"heading_deg": heading_rad.to_degrees()}),
        PathShape::Arc { radius_m, .. } => json!({"radius_m": radius_m}),
        PathShape::Bezier { control_points_m } => json!({"control_points_xz": control_points_m}),
        _ => json!({}),
    };
    params["off_cm"] = json!(off_m * 100.0);
    let steps = positions_xz_m.windows(2);
    let speeds: Vec<f64> = steps
        .map(|pair| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]) * fps)
        .collect();
    if !matches!(shape, PathShape::Still { .. }) && !speeds.is_empty() {
        let least = speeds.iter().copied().fold(f64::INFINITY, f64::min);
        let most = speeds.iter().copied().fold(0.0, f64::max);
        params["speed"] = json!(speeds.iter().sum::<f64>() / speeds.len() as f64);
        params["speed_range"] = json!([least, most]);
    }
    if let PathShape::Arc { center_m, .. } = shape {
        let turned = turned_about(*center_m, positions_xz_m).to_degrees();
        params["turned_deg"] = json!(turned);
        params["turn_deg_s"] = json!(turned * fps / speeds.len().max(1) as f64);
    }
    json!({
        "model": shape.name(), "loop": sample.is_loop, "params": params,
        "position": positions_xz_m, "yaw": yaws_rad,
    })
}

/// How far places go round a middle, radians about +Y.
fn turned_about(center: [f64; 2], places: &[[f64; 2]]) -> f64 {
    let angle = |place: &[f64; 2]| (place[0] - center[0]).atan2(place[1] - center[1]);
    let steps = places
        .windows(2)
        .map(|pair| angle(&pair[1]) - angle(&pair[0]));
    steps.map(|step| step - TAU * (step / TAU).round()).sum()
}

/// Every joint's rotation and the root's place, in every frame.
fn animation(motion: &Motion, index: usize, buffer: &mut Buffer) -> Value {
    let times: Vec<[f32; 1]> = (0..motion.len())
        .map(|frame| [(frame as f64 / motion.fps) as f32])
        .collect();
    let times = buffer.add(&times, "SCALAR", true);
    let mut samplers = Vec::new();
    let mut channels = Vec::new();
    let mut channel = |output: usize, node: usize, path: &str| {
        samplers.push(json!({"input": times, "output": output, "interpolation": "LINEAR"}));
        channels.push(json!({
            "sampler": samplers.len() - 1, "target": {"node": node, "path": path},
        }));
    };
    for joint in 0..motion.skeleton.len() {
        let mut before = None;
        let rows = motion.local_rotations.iter().map(|frame| {
            // Of the two quaternions of a rotation, the one nearer to the frame before.
            let mut rotation = frame[joint];
            if before.is_some_and(|before| rotation.dot(before) < 0.0) {
                rotation = -rotation;
            }
            before = Some(rotation);
            rotation.to_array().map(|number| number as f32)
        });
        let rows: Vec<[f32; 4]> = rows.collect();
        channel(buffer.add(&rows, "VEC4", false), joint, "rotation");
    }
    let roots = motion.root_in_world_m.iter();
    let roots: Vec<[f32; 3]> = roots
        .map(|root| root.to_array().map(|number| number as f32))
        .collect();
    channel(buffer.add(&roots, "VEC3", false), 0, "translation");
    json!({"name": format!("sample_{index}"), "channels": channels, "samplers": samplers})
}
