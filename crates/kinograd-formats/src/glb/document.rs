//! The parts of a glTF document that an animation needs, with every index checked.

use glam::{DMat4, DQuat, DVec3};
use serde_json::Value;

use kinograd_motion::MotionError;

/// JSON chunk and binary chunk of a GLB.
pub(super) struct Document {
    pub json: Value,
    binary: Vec<u8>,
}

/// A node's place in the hierarchy and its default transform.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub name: String,
    pub parent: Option<usize>,
    pub children: Vec<usize>,
    pub translation: DVec3,
    pub rotation: DQuat,
    pub scale: DVec3,
}

impl Node {
    pub fn local(&self) -> DMat4 {
        DMat4::from_scale_rotation_translation(self.scale, self.rotation, self.translation)
    }
}

impl Document {
    pub fn parse(bytes: &[u8]) -> Result<Self, MotionError> {
        let word = |at: usize| -> Option<u32> {
            Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
        };
        if bytes.get(..4) != Some(b"glTF") {
            return Err(bad(
                "does not start with `glTF`; a binary glTF 2.0 file was expected",
            ));
        }
        if word(4) != Some(2) {
            return Err(bad("another version than 2"));
        }
        let (mut at, mut json, mut binary) = (12, None, Vec::new());
        while let (Some(length), Some(kind)) = (word(at), word(at + 4)) {
            let chunk = bytes
                .get(at + 8..)
                .and_then(|rest| rest.get(..length as usize))
                .ok_or_else(|| bad("a chunk ends after the file does"))?;
            match &kind.to_le_bytes() {
                b"JSON" => {
                    json = Some(serde_json::from_slice(chunk).map_err(|e| bad(&e.to_string()))?);
                }
                b"BIN\0" => binary = chunk.to_vec(),
                _ => {}
            }
            at += 8 + length as usize;
        }
        let json = json.ok_or_else(|| bad("no JSON chunk"))?;
        Ok(Self { json, binary })
    }

    pub fn nodes(&self) -> Result<Vec<Node>, MotionError> {
        let list = self.json["nodes"]
            .as_array()
            .ok_or_else(|| bad("no nodes"))?;
        let mut nodes = list
            .iter()
            .enumerate()
            .map(|(index, value)| node(index, value))
            .collect::<Result<Vec<_>, _>>()?;
        for (parent, value) in list.iter().enumerate() {
            for child in indices(&value["children"]) {
                let slot = nodes
                    .get_mut(child)
                    .ok_or_else(|| bad(&format!("node {parent} has no child {child}")))?;
                if child == parent || slot.parent.is_some() {
                    return Err(bad(&format!("node {child} has two parents")));
                }
                slot.parent = Some(parent);
                nodes[parent].children.push(child);
            }
        }
        for start in 0..nodes.len() {
            let mut steps = 0;
            let mut at = start;
            while let Some(parent) = nodes[at].parent {
                at = parent;
                steps += 1;
                if steps > nodes.len() {
                    return Err(bad(&format!("node {start} is its own ancestor")));
                }
            }
        }
        Ok(nodes)
    }

    /// An accessor's elements, each of `width` numbers; normalised integers become fractions.
    pub fn numbers(&self, accessor: usize, width: usize) -> Result<Vec<f64>, MotionError> {
        let fail = |message: &str| bad(&format!("accessor {accessor}: {message}"));
        let value = &self.json["accessors"][accessor];
        let count = size(&value["count"]).ok_or_else(|| fail("no count"))?;
        if value["sparse"].is_object() {
            return Err(fail("sparse accessors are not read"));
        }
        let (bytes, decode): (usize, fn(&[u8]) -> f64) = match value["componentType"].as_u64() {
            Some(5126) => (4, |b| {
                f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            }),
            Some(5120) => (1, |b| (f64::from(b[0] as i8) / 127.0).max(-1.0)),
            Some(5121) => (1, |b| f64::from(b[0]) / 255.0),
            Some(5122) => (2, |b| {
                (f64::from(i16::from_le_bytes([b[0], b[1]])) / 32767.0).max(-1.0)
            }),
            Some(5123) => (2, |b| f64::from(u16::from_le_bytes([b[0], b[1]])) / 65535.0),
            _ => return Err(fail("unknown component type")),
        };
        let view = size(&value["bufferView"])
            .map(|view| &self.json["bufferViews"][view])
            .ok_or_else(|| fail("no buffer view"))?;
        let buffer = size(&view["buffer"]).unwrap_or(0);
        if buffer != 0 || self.json["buffers"][0]["uri"].is_string() {
            return Err(fail("its data are in another file"));
        }
        let start =
            size(&view["byteOffset"]).unwrap_or(0) + size(&value["byteOffset"]).unwrap_or(0);
        let stride = size(&view["byteStride"]).unwrap_or(bytes * width);
        let end = count
            .checked_sub(1)
            .and_then(|last| last.checked_mul(stride))
            .and_then(|last| last.checked_add(start + bytes * width))
            .ok_or_else(|| fail("no elements"))?;
        if end > self.binary.len() {
            return Err(fail("reaches beyond the binary chunk"));
        }
        Ok((0..count)
            .flat_map(|element| (0..width).map(move |part| start + element * stride + part * bytes))
            .map(|at| decode(&self.binary[at..at + bytes]))
            .collect())
    }
}

fn node(index: usize, value: &Value) -> Result<Node, MotionError> {
    let numbers = |key: &str, default: &[f64]| -> Result<Vec<f64>, MotionError> {
        let Some(list) = value[key].as_array() else {
            return Ok(default.to_vec());
        };
        let list: Vec<f64> = list.iter().filter_map(Value::as_f64).collect();
        if list.len() != default.len() {
            return Err(bad(&format!(
                "node {index}: `{key}` is not {} numbers",
                default.len()
            )));
        }
        Ok(list)
    };
    let (scale, rotation, translation) = if value["matrix"].is_array() {
        DMat4::from_cols_slice(&numbers("matrix", &[0.0; 16])?).to_scale_rotation_translation()
    } else {
        let rotation = DQuat::from_slice(&numbers("rotation", &[0.0, 0.0, 0.0, 1.0])?);
        (
            DVec3::from_slice(&numbers("scale", &[1.0; 3])?),
            if rotation.length_squared() > 1e-12 {
                rotation.normalize()
            } else {
                DQuat::IDENTITY
            },
            DVec3::from_slice(&numbers("translation", &[0.0; 3])?),
        )
    };
    Ok(Node {
        name: value["name"]
            .as_str()
            .map_or_else(|| format!("node{index}"), str::to_owned),
        parent: None,
        children: Vec::new(),
        translation,
        rotation,
        scale,
    })
}

/// A list of indices; anything else in it is left out.
pub(super) fn indices(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .map_or_else(Vec::new, |list| list.iter().filter_map(size).collect())
}

/// A non-negative integer that cannot overflow an address computation.
pub(super) fn size(value: &Value) -> Option<usize> {
    value
        .as_u64()
        .filter(|&n| n < 1 << 32)
        .and_then(|n| usize::try_from(n).ok())
}

/// The error of a file that is not as it should be.
pub(super) fn bad(message: &str) -> MotionError {
    MotionError::Format {
        format: "GLB",
        message: message.to_owned(),
    }
}
