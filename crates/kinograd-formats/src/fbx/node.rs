//! Records of a binary FBX file, as version 7.4 lays them out (Blender Foundation 2013, "FBX
//! binary file format specification").

use kinograd_motion::MotionError;

use super::error::bad;

/// FBX 7.4: the newest version whose offsets have 32 bits, and the one that every tool reads.
pub(super) const VERSION: u32 = 7400;

const HEAD: &[u8] = b"Kaydara FBX Binary  \0\x1a\0";
const SENTINEL: [u8; 13] = [0; 13];
/// Identity, time and footer belong together: readers check the footer against the other two.
/// These three are the ones that Blender writes, so that equal clips are equal bytes.
pub(super) const FILE_ID: [u8; 16] = [
    0x28, 0xb3, 0x2a, 0xeb, 0xb6, 0x24, 0xcc, 0xc2, 0xbf, 0xc8, 0xb0, 0x2a, 0xa9, 0x2b, 0xfc, 0xf1,
];
pub(super) const CREATION_TIME: &str = "1970-01-01 10:00:00:000";
const FOOT_ID: [u8; 16] = [
    0xfa, 0xbc, 0xab, 0x09, 0xd0, 0xc8, 0xd4, 0x66, 0xb1, 0x76, 0xfb, 0x83, 0x1c, 0xf7, 0x26, 0x7e,
];
const FOOT_MAGIC: [u8; 16] = [
    0xf8, 0x5a, 0x8c, 0x6a, 0xde, 0xf5, 0xd9, 0x7e, 0xec, 0xe9, 0x0c, 0xe3, 0x75, 0x8f, 0x29, 0x0b,
];

/// One value of a record.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Flag(bool),
    Int(i32),
    Long(i64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}
impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(value)
    }
}
impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<Vec<i32>> for Value {
    fn from(value: Vec<i32>) -> Self {
        Self::Ints(value)
    }
}
impl From<Vec<i64>> for Value {
    fn from(value: Vec<i64>) -> Self {
        Self::Longs(value)
    }
}
impl From<Vec<f32>> for Value {
    fn from(value: Vec<f32>) -> Self {
        Self::Floats(value)
    }
}
impl From<Vec<f64>> for Value {
    fn from(value: Vec<f64>) -> Self {
        Self::Doubles(value)
    }
}

/// A record: a name, values and records within.
#[derive(Debug, Clone)]
pub(super) struct Node {
    name: &'static str,
    values: Vec<Value>,
    children: Vec<Node>,
}

impl Node {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            values: Vec::new(),
            children: Vec::new(),
        }
    }

    /// A record of one value and nothing within.
    pub fn of(name: &'static str, value: impl Into<Value>) -> Self {
        Self::new(name).value(value)
    }

    /// An object: its number, name and class, and a kind within the class.
    pub fn object(record: &'static str, id: i64, name: &str, class: &str, kind: &str) -> Self {
        Self::of(record, id)
            .value(format!("{name}\0\u{1}{class}"))
            .value(kind)
    }

    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    pub fn child(mut self, child: Node) -> Self {
        self.children.push(child);
        self
    }

    pub fn children(mut self, children: impl IntoIterator<Item = Node>) -> Self {
        self.children.extend(children);
        self
    }

    /// Appends the record; offsets count from the start of `file`.
    fn write(&self, file: &mut Vec<u8>) -> Result<(), MotionError> {
        let header = file.len();
        file.extend([0; 12]);
        file.push(self.name.len() as u8);
        file.extend(self.name.as_bytes());
        let values = file.len();
        for value in &self.values {
            value.write(file)?;
        }
        let list = file.len() - values;
        for child in &self.children {
            child.write(file)?;
        }
        // The SDK's own files close an empty list of these, too.
        let is_list = matches!(self.name, "AnimationStack" | "AnimationLayer");
        if !self.children.is_empty() || self.values.is_empty() || is_list {
            file.extend(SENTINEL);
        }
        for (place, number) in [file.len(), self.values.len(), list]
            .into_iter()
            .enumerate()
        {
            let at = header + 4 * place;
            file[at..at + 4].copy_from_slice(&length(number)?.to_le_bytes());
        }
        Ok(())
    }
}

impl Value {
    fn write(&self, file: &mut Vec<u8>) -> Result<(), MotionError> {
        match self {
            Self::Flag(value) => file.extend([b'C', u8::from(*value)]),
            Self::Int(value) => tagged(file, b'I', &value.to_le_bytes()),
            Self::Long(value) => tagged(file, b'L', &value.to_le_bytes()),
            Self::Double(value) => tagged(file, b'D', &value.to_le_bytes()),
            Self::Text(text) => counted(file, b'S', text.as_bytes())?,
            Self::Bytes(bytes) => counted(file, b'R', bytes)?,
            Self::Ints(list) => array(file, b'i', list, |v| v.to_le_bytes())?,
            Self::Longs(list) => array(file, b'l', list, |v| v.to_le_bytes())?,
            Self::Floats(list) => array(file, b'f', list, |v| v.to_le_bytes())?,
            Self::Doubles(list) => array(file, b'd', list, |v| v.to_le_bytes())?,
        }
        Ok(())
    }
}

fn tagged(file: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    file.push(kind);
    file.extend(bytes);
}

fn counted(file: &mut Vec<u8>, kind: u8, bytes: &[u8]) -> Result<(), MotionError> {
    file.push(kind);
    file.extend(length(bytes.len())?.to_le_bytes());
    file.extend(bytes);
    Ok(())
}

/// Count, encoding 0 (as it is), length in bytes, elements.
fn array<T: Copy, const N: usize>(
    file: &mut Vec<u8>,
    kind: u8,
    list: &[T],
    bytes: impl Fn(T) -> [u8; N],
) -> Result<(), MotionError> {
    file.push(kind);
    for number in [list.len(), 0, list.len() * N] {
        file.extend(length(number)?.to_le_bytes());
    }
    file.extend(list.iter().flat_map(|&value| bytes(value)));
    Ok(())
}

fn length(number: usize) -> Result<u32, MotionError> {
    u32::try_from(number)
        .map_err(|_| bad("FBX 7.4 holds less than 4 GiB; write fewer frames, or GLB"))
}

/// A whole file of these records.
pub(super) fn file(records: &[Node]) -> Result<Vec<u8>, MotionError> {
    let mut file = Vec::from(HEAD);
    file.extend(VERSION.to_le_bytes());
    for record in records {
        record.write(&mut file)?;
    }
    file.extend(SENTINEL);
    file.extend(FOOT_ID);
    file.extend([0; 4]);
    // At least one byte of padding, up to a multiple of 16.
    file.resize((file.len() + 1).next_multiple_of(16), 0);
    file.extend(VERSION.to_le_bytes());
    file.extend([0; 120]);
    file.extend(FOOT_MAGIC);
    Ok(file)
}
