//! The numbers of a binary glTF by what they are for, whatever the order of its parts.
//!
//! Read by hand from the specification, so that neither our reader nor a library's can hide what
//! our writer does: <https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html>.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::read::Numbers;

/// Vertices, faces, weights, binding matrices and what the animation's channels hold.
pub fn numbers(path: &Path) -> Result<Vec<Numbers>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let file = Glb::read(&bytes).ok_or("no binary glTF of two chunks")?;
    file.gather()
        .ok_or_else(|| "an accessor leads nowhere".to_owned())
}

struct Glb<'a> {
    json: Value,
    binary: &'a [u8],
}

impl<'a> Glb<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let length = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let json_length = length(12)? as usize;
        let json = serde_json::from_slice(bytes.get(20..20 + json_length)?).ok()?;
        let binary = bytes.get(28 + json_length..)?;
        Some(Self { json, binary })
    }

    fn gather(&self) -> Option<Vec<Numbers>> {
        // Sorted by name: the file's order is the writer's.
        let mut found = BTreeMap::new();
        for (index, mesh) in list(&self.json["meshes"]).enumerate() {
            for (part, primitive) in list(&mesh["primitives"]).enumerate() {
                let name = format!("mesh {index}.{part}");
                for (attribute, accessor) in primitive["attributes"].as_object()? {
                    found.insert(format!("{name} {attribute}"), self.accessor(accessor)?);
                }
                found.insert(
                    format!("{name} faces"),
                    self.accessor(&primitive["indices"])?,
                );
            }
        }
        for (index, skin) in list(&self.json["skins"]).enumerate() {
            let accessor = self.accessor(&skin["inverseBindMatrices"])?;
            found.insert(format!("skin {index}"), accessor);
        }
        for animation in list(&self.json["animations"]) {
            // One array a path: joints by the name of their node.
            let mut channels: Vec<_> = list(&animation["channels"]).collect();
            channels.sort_by_key(|channel| self.node_of(channel));
            for channel in channels {
                let path = channel["target"]["path"].as_str()?;
                let sampler = &animation["samplers"][channel["sampler"].as_u64()? as usize];
                for key in ["input", "output"] {
                    let values = self.accessor(&sampler[key])?;
                    let name = format!("animation {path} {key}");
                    found.entry(name).or_insert_with(Vec::new).extend(values);
                }
            }
        }
        let numbers =
            |(name, values): (String, Vec<f64>)| Numbers::array(&name, &[values.len()], values);
        Some(found.into_iter().map(numbers).collect())
    }

    fn node_of(&self, channel: &Value) -> String {
        let node = channel["target"]["node"].as_u64().unwrap_or(u64::MAX) as usize;
        self.json["nodes"][node]["name"].to_string()
    }

    /// The numbers of an accessor that is not sparse.
    fn accessor(&self, index: &Value) -> Option<Vec<f64>> {
        let accessor = &self.json["accessors"][index.as_u64()? as usize];
        let view = &self.json["bufferViews"][accessor["bufferView"].as_u64()? as usize];
        let width = match accessor["type"].as_str()? {
            "SCALAR" => 1,
            "VEC2" => 2,
            "VEC3" => 3,
            "VEC4" => 4,
            "MAT4" => 16,
            _ => return None,
        };
        let (size, convert): (usize, fn(&[u8]) -> f64) = match accessor["componentType"].as_u64()? {
            5121 => (1, |b| f64::from(b[0])),
            5123 => (2, |b| f64::from(u16::from_le_bytes([b[0], b[1]]))),
            5125 => (4, |b| {
                f64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            }),
            5126 => (4, |b| {
                f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            }),
            _ => return None,
        };
        let offset = |value: &Value| value["byteOffset"].as_u64().unwrap_or(0) as usize;
        let start = offset(view) + offset(accessor);
        let stride = view["byteStride"]
            .as_u64()
            .map_or(size * width, |s| s as usize);
        let mut values = Vec::new();
        for row in 0..accessor["count"].as_u64()? as usize {
            for column in 0..width {
                let at = start + row * stride + column * size;
                values.push(convert(self.binary.get(at..at + size)?));
            }
        }
        Some(values)
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
