//! The binary chunk: aligned accessors over one buffer.

use serde_json::{Value, json};

/// `ARRAY_BUFFER` and `ELEMENT_ARRAY_BUFFER`, glTF 2.0 section 5.11.4.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Vertices = 34962,
    Indices = 34963,
}

/// Collects accessors; each gets a buffer view of its own, aligned to four bytes.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub bytes: Vec<u8>,
    pub views: Vec<Value>,
    pub accessors: Vec<Value>,
}

impl Buffer {
    /// `FLOAT` accessor of `N` components; `bounds` adds min and max, which glTF demands of
    /// positions and of key times.
    pub fn floats<const N: usize>(
        &mut self,
        values: &[[f32; N]],
        kind: &str,
        target: Option<Target>,
        bounds: bool,
    ) -> usize {
        let mut accessor = json!({"componentType": 5126, "count": values.len(), "type": kind});
        if bounds {
            for (key, pick) in [("min", f32::min as fn(f32, f32) -> f32), ("max", f32::max)] {
                let extreme: Vec<f32> = (0..N)
                    .map(|axis| values.iter().map(|v| v[axis]).reduce(pick).unwrap_or(0.0))
                    .collect();
                accessor[key] = json!(extreme);
            }
        }
        let bytes = values
            .iter()
            .flatten()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        self.push(bytes, target, accessor)
    }

    /// `UNSIGNED_SHORT` accessor of four components.
    pub fn joints(&mut self, values: &[[u16; 4]]) -> usize {
        let accessor = json!({"componentType": 5123, "count": values.len(), "type": "VEC4"});
        let bytes = values
            .iter()
            .flatten()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        self.push(bytes, Some(Target::Vertices), accessor)
    }

    /// Weights as normalised bytes; the four of a vertex sum to 255.
    pub fn weights(&mut self, values: &[[u8; 4]]) -> usize {
        let accessor = json!({
            "componentType": 5121, "normalized": true, "count": values.len(), "type": "VEC4",
        });
        self.push(values.concat(), Some(Target::Vertices), accessor)
    }

    /// Indices, two bytes each where they fit.
    pub fn indices(&mut self, values: &[u32]) -> usize {
        let short: Result<Vec<u16>, _> = values.iter().map(|&v| u16::try_from(v)).collect();
        // 65535 restarts a primitive.
        let (kind, bytes) = match short {
            Ok(short) if !short.contains(&u16::MAX) => {
                (5123, short.iter().flat_map(|v| v.to_le_bytes()).collect())
            }
            _ => (5125, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        };
        let accessor = json!({"componentType": kind, "count": values.len(), "type": "SCALAR"});
        self.push(bytes, Some(Target::Indices), accessor)
    }

    fn push(&mut self, bytes: Vec<u8>, target: Option<Target>, mut accessor: Value) -> usize {
        let mut view = json!({
            "buffer": 0,
            "byteOffset": self.bytes.len(),
            "byteLength": bytes.len(),
        });
        if let Some(target) = target {
            view["target"] = json!(target as u32);
        }
        accessor["bufferView"] = json!(self.views.len());
        self.views.push(view);
        self.accessors.push(accessor);
        self.bytes.extend(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.accessors.len() - 1
    }
}
