//! The parts of a glTF document that an animation needs, with every index checked.

use std::collections::HashSet;

use glam::{DMat4, DQuat, DVec3};
use kinograd_files::Budget;
use serde_json::Value;

use kinograd_motion::MotionError;

/// Extensions that keep the bytes of a buffer view in another form.
const COMPRESSIONS: [&str; 2] = ["EXT_meshopt_compression", "KHR_meshopt_compression"];

/// JSON chunk and binary chunk of a GLB.
#[derive(Debug)]
pub(super) struct Document {
    pub json: Value,
    pub binary: Vec<u8>,
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
    /// A transform that is given as a matrix, which may shear.
    pub matrix: Option<DMat4>,
    /// Whether it holds a mesh, a camera or a light.
    pub is_thing: bool,
}

impl Node {
    pub fn local(&self) -> DMat4 {
        self.matrix.unwrap_or_else(|| {
            DMat4::from_scale_rotation_translation(self.scale, self.rotation, self.translation)
        })
    }
}

/// All nodes, and their order from parents to children.
#[derive(Debug)]
pub(super) struct Nodes {
    pub list: Vec<Node>,
    pub order: Vec<usize>,
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
                    let text = String::from_utf8_lossy(chunk);
                    json = Some(serde_json::from_str(&text).map_err(|e| bad(&e.to_string()))?);
                }
                b"BIN\0" => binary = chunk.to_vec(),
                _ => {}
            }
            at += 8 + length as usize;
        }
        let json = json.ok_or_else(|| bad("no JSON chunk"))?;
        Ok(Self { json, binary })
    }

    pub fn nodes(&self) -> Result<Nodes, MotionError> {
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
        let mut order: Vec<usize> = (0..nodes.len())
            .filter(|&node| nodes[node].parent.is_none())
            .collect();
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            order.extend(&nodes[node].children);
            next += 1;
        }
        if order.len() < nodes.len() {
            let seen: HashSet<usize> = order.iter().copied().collect();
            let node = (0..nodes.len()).find(|n| !seen.contains(n)).unwrap_or(0);
            return Err(bad(&format!("node {node} is its own ancestor")));
        }
        let mut taken = HashSet::new();
        for (index, node) in nodes.iter_mut().enumerate() {
            if !taken.insert(node.name.clone()) {
                node.name = format!("{}#{index}", node.name);
                taken.insert(node.name.clone());
            }
        }
        Ok(Nodes { list: nodes, order })
    }

    /// An accessor's elements, each of `width` numbers; normalised integers become fractions.
    pub fn numbers(&self, accessor: usize, width: usize) -> Result<Vec<f64>, MotionError> {
        let fail = |message: &str| bad(&format!("accessor {accessor}: {message}"));
        let value = &self.json["accessors"][accessor];
        let count = size(&value["count"]).ok_or_else(|| fail("no count"))?;
        let expected = match width {
            1 => "SCALAR",
            3 => "VEC3",
            4 => "VEC4",
            _ => "MAT4",
        };
        if value["type"].as_str() != Some(expected) {
            return Err(fail(&format!(
                "`type` is {}; {expected} was expected",
                value["type"]
            )));
        }
        let component = Component::of(value).ok_or_else(|| fail("unknown component type"))?;
        let sparse = &value["sparse"];
        let mut numbers = if value["bufferView"].is_null() && sparse.is_object() {
            // Zeros, but for the sparse elements.
            let budget = Budget::of_process();
            budget.check(
                format!("GLB accessor {accessor}: elements"),
                count as u64,
                budget.joint_frames,
            )?;
            vec![0.0; count * width]
        } else {
            let bytes = self
                .view(&value["bufferView"], &value["byteOffset"])
                .map_err(|m| fail(&m))?;
            component
                .read(bytes, count, width)
                .map_err(|message| fail(&message))?
        };
        if sparse.is_object() {
            self.overlay(sparse, width, component, &mut numbers)
                .map_err(|message| fail(&format!("sparse: {message}")))?;
        }
        Ok(numbers)
    }

    /// Puts the elements of a sparse accessor in their places (glTF 2.0, section 3.6.2.3).
    fn overlay(
        &self,
        sparse: &Value,
        width: usize,
        component: Component,
        numbers: &mut [f64],
    ) -> Result<(), String> {
        let count = size(&sparse["count"]).ok_or("no count")?;
        let places = &sparse["indices"];
        let kind = match places["componentType"].as_u64() {
            Some(5121) => Component::U8,
            Some(5123) => Component::U16,
            Some(5125) => Component::U32,
            _ => return Err("unknown component type of indices".to_owned()),
        };
        let bytes = self.view(&places["bufferView"], &places["byteOffset"])?;
        let places = kind.whole(bytes, count)?;
        let values = &sparse["values"];
        let bytes = self.view(&values["bufferView"], &values["byteOffset"])?;
        let values = component.read(bytes, count, width)?;
        for (place, value) in places.iter().zip(values.chunks_exact(width)) {
            numbers
                .get_mut(place * width..(place + 1) * width)
                .ok_or_else(|| format!("element {place} is not there"))?
                .copy_from_slice(value);
        }
        Ok(())
    }

    /// The bytes of a buffer view from an offset on, and its stride.
    fn view(&self, view: &Value, offset: &Value) -> Result<View<'_>, String> {
        let view = size(view)
            .map(|view| &self.json["bufferViews"][view])
            .filter(|view| view.is_object())
            .ok_or("no buffer view")?;
        for extension in COMPRESSIONS {
            if view["extensions"][extension].is_object() {
                return Err(format!(
                    "its data are compressed by {extension}, which is not read; \
                     `gltfpack -i IN.glb -o OUT.glb -noq` writes the file without"
                ));
            }
        }
        let buffer = size(&view["buffer"]).unwrap_or(0);
        let uri = &self.json["buffers"][buffer]["uri"];
        if buffer != 0 || uri.is_string() {
            return Err(format!(
                "its data are in another file ({uri}); a GLB that holds all its data was expected"
            ));
        }
        let start = size(&view["byteOffset"]).unwrap_or(0);
        let length = size(&view["byteLength"]).ok_or("a buffer view without a length")?;
        let bytes = self
            .binary
            .get(start..)
            .and_then(|rest| rest.get(..length))
            .ok_or("its buffer view reaches beyond the binary chunk")?;
        let bytes = bytes
            .get(size(offset).unwrap_or(0)..)
            .ok_or("it begins after its buffer view")?;
        let stride = match &view["byteStride"] {
            Value::Null => None,
            // The specification's range; 0 would let a few bytes stand for any number of elements.
            stride => Some(
                size(stride)
                    .filter(|stride| (4..=252).contains(stride))
                    .ok_or_else(|| format!("a stride of {stride} bytes; 4 to 252 were expected"))?,
            ),
        };
        Ok(View { bytes, stride })
    }
}

struct View<'a> {
    bytes: &'a [u8],
    stride: Option<usize>,
}

/// How a number is stored.
#[derive(Clone, Copy)]
enum Component {
    I8,
    U8,
    I16,
    U16,
    U32,
    F32,
}

impl Component {
    fn of(accessor: &Value) -> Option<Self> {
        Some(match accessor["componentType"].as_u64()? {
            5120 => Self::I8,
            5121 => Self::U8,
            5122 => Self::I16,
            5123 => Self::U16,
            5126 => Self::F32,
            _ => return None,
        })
    }

    fn bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::U32 | Self::F32 => 4,
        }
    }

    /// A number of a channel: integers are normalised (glTF 2.0, section 3.11).
    fn number(self, b: &[u8]) -> f64 {
        match self {
            Self::I8 => (f64::from(b[0] as i8) / 127.0).max(-1.0),
            Self::U8 => f64::from(b[0]) / 255.0,
            Self::I16 => (f64::from(i16::from_le_bytes([b[0], b[1]])) / 32767.0).max(-1.0),
            Self::U16 => f64::from(u16::from_le_bytes([b[0], b[1]])) / 65535.0,
            Self::U32 => f64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]])),
            Self::F32 => f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
        }
    }

    /// `count` elements of `width` numbers.
    fn read(self, view: View<'_>, count: usize, width: usize) -> Result<Vec<f64>, String> {
        let element = self.bytes() * width;
        let stride = view.stride.unwrap_or(element);
        let elements = view.elements(count, element, stride)?;
        Ok(elements
            .flat_map(|bytes| bytes.chunks_exact(self.bytes()).map(|b| self.number(b)))
            .collect())
    }

    /// `count` whole numbers.
    fn whole(self, view: View<'_>, count: usize) -> Result<Vec<usize>, String> {
        let elements = view.elements(count, self.bytes(), self.bytes())?;
        Ok(elements
            .map(|bytes| bytes.iter().rev().fold(0, |n, &b| n << 8 | usize::from(b)))
            .collect())
    }
}

impl<'a> View<'a> {
    fn elements(
        &self,
        count: usize,
        element: usize,
        stride: usize,
    ) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, String> {
        let bytes = self.bytes;
        let end = count
            .checked_sub(1)
            .ok_or("no elements")?
            .checked_mul(stride)
            .and_then(|last| last.checked_add(element))
            .filter(|&end| stride >= element && end <= bytes.len());
        if end.is_none() {
            return Err(format!(
                "{count} elements of {element} bytes, {stride} apart, reach beyond the {} bytes of \
                 its buffer view",
                bytes.len()
            ));
        }
        Ok((0..count).map(move |at| &bytes[at * stride..at * stride + element]))
    }
}

fn node(index: usize, value: &Value) -> Result<Node, MotionError> {
    let numbers = |key: &str, default: &[f64]| -> Result<Vec<f64>, MotionError> {
        let Some(list) = value[key].as_array() else {
            return Ok(default.to_vec());
        };
        let list: Vec<f64> = list.iter().filter_map(Value::as_f64).collect();
        if list.len() != default.len() || !list.iter().all(|number| number.is_finite()) {
            return Err(bad(&format!(
                "node {index}: `{key}` is not {} numbers",
                default.len()
            )));
        }
        Ok(list)
    };
    let matrix = value["matrix"]
        .is_array()
        .then(|| numbers("matrix", &[0.0; 16]))
        .transpose()?
        .map(|list| DMat4::from_cols_slice(&list));
    let (scale, rotation, translation) = match matrix {
        Some(matrix) => matrix.to_scale_rotation_translation(),
        None => (
            DVec3::from_slice(&numbers("scale", &[1.0; 3])?),
            unit(DQuat::from_slice(&numbers(
                "rotation",
                &[0.0, 0.0, 0.0, 1.0],
            )?)),
            DVec3::from_slice(&numbers("translation", &[0.0; 3])?),
        ),
    };
    let name = value["name"].as_str().map_or("", str::trim);
    let light = &value["extensions"]["KHR_lights_punctual"];
    Ok(Node {
        name: if name.is_empty() {
            format!("node{index}")
        } else {
            name.to_owned()
        },
        parent: None,
        children: Vec::new(),
        translation,
        rotation,
        scale,
        matrix,
        is_thing: value["mesh"].is_u64() || value["camera"].is_u64() || light.is_object(),
    })
}

/// The rotation of a quaternion of any length; none for one that is zero.
pub(super) fn unit(rotation: DQuat) -> DQuat {
    if rotation.length_squared() > 1e-12 && rotation.is_finite() {
        rotation.normalize()
    } else {
        DQuat::IDENTITY
    }
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
