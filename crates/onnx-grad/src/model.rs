use std::fs;
use std::io::Write as _;
use std::path::{Component, Path};

use prost::Message as _;
use prost::bytes::Bytes;

use crate::proto::{
    DimensionValue, GraphProto, ModelProto, TensorProto, TypeValue, ValueInfoProto,
};
use crate::tensor;
use crate::{Error, Result};

/// Largest protobuf message that readers accept.
const MAX_MESSAGE_BYTES: usize = i32::MAX as usize;

/// An ONNX model in memory, weights included.
///
/// ```
/// # fn main() -> Result<(), onnx_grad::Error> {
/// let error = onnx_grad::Model::from_bytes(b"not a model").unwrap_err();
/// assert!(error.to_string().contains("not an ONNX model"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    proto: ModelProto,
}

/// Element type of a tensor.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are those of the specification")]
pub enum DataType {
    Float32,
    Float64,
    Float16,
    BFloat16,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Bool,
    String,
    /// Any other code of `TensorProto.DataType`; 0 where unknown.
    Other(i32),
}

impl DataType {
    /// The type with this code in `TensorProto.DataType`.
    #[must_use]
    pub fn from_code(code: i32) -> Self {
        match code {
            1 => Self::Float32,
            2 => Self::UInt8,
            3 => Self::Int8,
            4 => Self::UInt16,
            5 => Self::Int16,
            6 => Self::Int32,
            7 => Self::Int64,
            8 => Self::String,
            9 => Self::Bool,
            10 => Self::Float16,
            11 => Self::Float64,
            12 => Self::UInt32,
            13 => Self::UInt64,
            16 => Self::BFloat16,
            other => Self::Other(other),
        }
    }

    /// Its code in `TensorProto.DataType`.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Float32 => 1,
            Self::UInt8 => 2,
            Self::Int8 => 3,
            Self::UInt16 => 4,
            Self::Int16 => 5,
            Self::Int32 => 6,
            Self::Int64 => 7,
            Self::String => 8,
            Self::Bool => 9,
            Self::Float16 => 10,
            Self::Float64 => 11,
            Self::UInt32 => 12,
            Self::UInt64 => 13,
            Self::BFloat16 => 16,
            Self::Other(code) => code,
        }
    }

    /// Whether tensors of this type have gradients.
    #[must_use]
    pub fn is_float(self) -> bool {
        matches!(
            self,
            Self::Float32 | Self::Float64 | Self::Float16 | Self::BFloat16
        )
    }

    /// Bytes per element, where elements have a whole number of them.
    #[must_use]
    pub fn size(self) -> Option<usize> {
        match self {
            Self::Int8 | Self::UInt8 | Self::Bool => Some(1),
            Self::Float16 | Self::BFloat16 | Self::Int16 | Self::UInt16 => Some(2),
            Self::Float32 | Self::Int32 | Self::UInt32 => Some(4),
            Self::Float64 | Self::Int64 | Self::UInt64 => Some(8),
            Self::String | Self::Other(_) => None,
        }
    }
}

/// One dimension of a tensor that a graph takes or returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Known from the file.
    Fixed(i64),
    /// Free, and equal to every other dimension of this name. May be an expression such as
    /// `4*frames`.
    Named(String),
    /// Free.
    Unknown,
}

/// Name, element type and shape of a tensor that a graph takes or returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name in the graph.
    pub name: String,
    /// Element type.
    pub data_type: DataType,
    /// Dimensions; `None` where not even their number is known.
    pub shape: Option<Vec<Dimension>>,
}

impl Model {
    /// Decodes a model. Initializers whose data lies in other files are refused: see [`Model::read`].
    ///
    /// # Errors
    /// [`Error::Decode`], [`Error::Invalid`] or [`Error::ExternalData`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::decode(Bytes::copy_from_slice(bytes), None)
    }

    /// Reads a model and the data files beside it. Data files may not lie outside the model's folder.
    ///
    /// # Errors
    /// As [`Model::from_bytes`], and [`Error::Io`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| io_error(path, source))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::decode(Bytes::from(bytes), Some(folder))
    }

    fn decode(bytes: Bytes, folder: Option<&Path>) -> Result<Self> {
        let mut proto = ModelProto::decode(bytes).map_err(|error| Error::Decode {
            reason: error.to_string(),
        })?;
        let Some(graph) = proto.graph.as_mut() else {
            return Err(Error::Decode {
                reason: "it holds no graph".into(),
            });
        };
        visit_tensors(graph, &mut |tensor| load_external(tensor, folder))?;
        Ok(Self { proto })
    }

    /// Wraps a message built elsewhere.
    #[must_use]
    pub fn from_proto(proto: ModelProto) -> Self {
        Self { proto }
    }

    /// The message that is written.
    #[must_use]
    pub fn proto(&self) -> &ModelProto {
        &self.proto
    }

    /// Encodes the model with its weights.
    ///
    /// # Errors
    /// [`Error::TooLarge`] from 2 GiB on; [`Model::write`] can hold such a model.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let bytes = self.proto.encoded_len();
        if bytes > MAX_MESSAGE_BYTES {
            return Err(Error::TooLarge { bytes });
        }
        Ok(self.proto.encode_to_vec())
    }

    /// Writes the model, to a temporary file that is then renamed. From 2 GiB on the weights go to
    /// `<file name>.data` beside it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if self.proto.encoded_len() <= MAX_MESSAGE_BYTES {
            return replace_file(path, |file| file.write_all(&self.proto.encode_to_vec()));
        }
        self.write_external(path)
    }

    fn write_external(&self, path: &Path) -> Result<()> {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".data");
        let location = name.to_string_lossy().into_owned();
        let mut proto = self.proto.clone();
        let mut blocks: Vec<Bytes> = Vec::new();
        let mut offset = 0usize;
        if let Some(graph) = proto.graph.as_mut() {
            visit_tensors(graph, &mut |tensor| {
                // Small tensors stay inside: engines read shapes and axes while loading.
                if tensor.raw_data.as_ref().is_none_or(|raw| raw.len() < 1024) {
                    return Ok(());
                }
                if let Some(raw) = tensor.raw_data.take() {
                    tensor.data_location = Some(1);
                    tensor.external_data = [
                        ("location", location.clone()),
                        ("offset", offset.to_string()),
                        ("length", raw.len().to_string()),
                    ]
                    .into_iter()
                    .map(|(key, value)| crate::proto::StringStringEntryProto {
                        key: key.into(),
                        value,
                    })
                    .collect();
                    offset += raw.len();
                    blocks.push(raw);
                }
                Ok(())
            })?;
        }
        replace_file(&path.with_file_name(&name), |file| {
            blocks.iter().try_for_each(|block| file.write_all(block))
        })?;
        replace_file(path, |file| file.write_all(&proto.encode_to_vec()))
    }

    /// Version of the default operator set; 0 where the model imports none.
    #[must_use]
    pub fn opset(&self) -> i64 {
        self.proto
            .opset_import
            .iter()
            .filter(|import| import.domain.is_empty() || import.domain == "ai.onnx")
            .filter_map(|import| import.version)
            .next()
            .unwrap_or(0)
    }

    /// The tensors that the model takes, initializers left out.
    #[must_use]
    pub fn inputs(&self) -> Vec<TensorInfo> {
        let Some(graph) = &self.proto.graph else {
            return Vec::new();
        };
        let weights: std::collections::HashSet<&str> =
            graph.initializer.iter().map(|t| t.name.as_str()).collect();
        graph
            .input
            .iter()
            .filter(|info| !weights.contains(info.name.as_str()))
            .map(TensorInfo::from_proto)
            .collect()
    }

    /// The float tensors that the model stores: its weights, and constants of the exporter.
    #[must_use]
    pub fn weights(&self) -> Vec<TensorInfo> {
        let stored = self.proto.graph.iter().flat_map(|graph| &graph.initializer);
        stored
            .map(|tensor| TensorInfo {
                name: tensor.name.clone(),
                data_type: DataType::from_code(tensor.data_type.unwrap_or(0)),
                shape: Some(tensor.dims.iter().map(|&n| Dimension::Fixed(n)).collect()),
            })
            .filter(|info| info.data_type.is_float())
            .collect()
    }

    /// The values of a weight, in row-major order; `None` where there is no float initializer of
    /// this name.
    #[must_use]
    pub fn weight(&self, name: &str) -> Option<Vec<f32>> {
        let mut stored = self.proto.graph.iter().flat_map(|graph| &graph.initializer);
        tensor::to_f32(stored.find(|tensor| tensor.name == name)?)
    }

    /// Stores new values of a weight, rounded to its type.
    ///
    /// # Errors
    /// [`Error::UnknownWeight`], or [`Error::Request`] where the number of values is not the
    /// weight's.
    pub fn set_weight(&mut self, name: &str, values: &[f32]) -> Result<()> {
        let available = || {
            self.weights()
                .into_iter()
                .take(100)
                .map(|w| w.name)
                .collect()
        };
        let unknown = Error::UnknownWeight {
            name: name.to_owned(),
            available: available(),
        };
        let stored = self
            .proto
            .graph
            .iter_mut()
            .flat_map(|graph| &mut graph.initializer);
        let found = stored.into_iter().find(|tensor| tensor.name == name);
        let tensor = found.ok_or(unknown)?;
        let data_type = DataType::from_code(tensor.data_type.unwrap_or(0));
        if !data_type.is_float() {
            return Err(Error::NotFloat {
                name: name.to_owned(),
                dtype: data_type,
            });
        }
        if element_count(&tensor.dims) != Some(values.len()) {
            return Err(Error::Request {
                reason: format!(
                    "`{name}` has shape {:?}, {} values were given",
                    tensor.dims,
                    values.len()
                ),
            });
        }
        *tensor = TensorProto {
            name: name.to_owned(),
            ..tensor::from_f32(values, &tensor.dims, data_type)
        };
        Ok(())
    }

    /// The tensors that the model returns.
    #[must_use]
    pub fn outputs(&self) -> Vec<TensorInfo> {
        self.proto
            .graph
            .iter()
            .flat_map(|graph| graph.output.iter().map(TensorInfo::from_proto))
            .collect()
    }
}

impl TensorInfo {
    pub(crate) fn from_proto(info: &ValueInfoProto) -> Self {
        let (code, shape) = match info.r#type.as_ref().and_then(|t| t.value.as_ref()) {
            Some(TypeValue::TensorType(tensor)) => {
                (tensor.elem_type.unwrap_or(0), tensor.shape.as_ref())
            }
            _ => (0, None),
        };
        let shape = shape.map(|shape| {
            shape
                .dim
                .iter()
                .map(|dim| match &dim.value {
                    Some(DimensionValue::DimValue(n)) if *n >= 0 => Dimension::Fixed(*n),
                    Some(DimensionValue::DimParam(name)) if !name.is_empty() => {
                        Dimension::Named(name.clone())
                    }
                    _ => Dimension::Unknown,
                })
                .collect()
        });
        Self {
            name: info.name.clone(),
            data_type: DataType::from_code(code),
            shape,
        }
    }
}

fn io_error(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        path: path.to_path_buf(),
        source,
    }
}

/// Writes beside `path` and renames, so that no half-written file is ever seen under that name.
fn replace_file(
    path: &Path,
    fill: impl FnOnce(&mut fs::File) -> std::io::Result<()>,
) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = fs::File::create(&part)
        .and_then(|mut file| fill(&mut file))
        .and_then(|()| fs::rename(&part, path));
    written.map_err(|source| {
        // The error that matters is the first one.
        let _ = fs::remove_file(&part);
        io_error(path, source)
    })
}

fn visit_tensors(
    graph: &mut GraphProto,
    visit: &mut dyn FnMut(&mut TensorProto) -> Result<()>,
) -> Result<()> {
    for tensor in &mut graph.initializer {
        visit(tensor)?;
    }
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        if let Some(tensor) = attribute.t.as_mut() {
            visit(tensor)?;
        }
        if let Some(graph) = attribute.g.as_mut() {
            visit_tensors(graph, visit)?;
        }
        for graph in &mut attribute.graphs {
            visit_tensors(graph, visit)?;
        }
    }
    Ok(())
}

fn load_external(tensor: &mut TensorProto, folder: Option<&Path>) -> Result<()> {
    if tensor.data_location != Some(1) {
        return Ok(());
    }
    let name = tensor.name.clone();
    let refuse = |reason: String| Error::ExternalData {
        tensor: name.clone(),
        reason,
    };
    let folder = folder.ok_or_else(|| {
        refuse("the model was given as bytes; read it from its file instead".into())
    })?;
    let field = |key: &str| {
        tensor
            .external_data
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| entry.value.clone())
    };
    let number = |key: &str| match field(key) {
        None => Ok(None),
        Some(text) => text
            .parse::<u64>()
            .map(Some)
            .map_err(|_| refuse(format!("{key} `{text}` is not a number"))),
    };
    let location = field("location").ok_or_else(|| refuse("it names no file".into()))?;
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    let relative = Path::new(&location);
    let inside = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if location.is_empty() || !inside {
        return Err(refuse(format!(
            "`{location}` leaves the folder of the model"
        )));
    }
    let path = folder.join(relative);
    let root = folder
        .canonicalize()
        .map_err(|source| io_error(folder, source))?;
    let real = path
        .canonicalize()
        .map_err(|source| io_error(&path, source))?;
    if !real.starts_with(&root) {
        return Err(refuse(format!(
            "`{location}` is a link that leaves the folder of the model"
        )));
    }
    // Both are checked before anything is allocated: they come from the model file.
    let given = bytes_given(&real, offset, length).map_err(|source| io_error(&path, source))?;
    let expected = element_count(&tensor.dims)
        .zip(DataType::from_code(tensor.data_type.unwrap_or(0)).size())
        .and_then(|(count, size)| u64::try_from(count.checked_mul(size)?).ok());
    if let Some(expected) = expected
        && expected != given
    {
        return Err(refuse(format!(
            "its shape {:?} needs {expected} bytes, `{location}` gives {given}",
            tensor.dims,
        )));
    }
    let raw = read_range(&real, offset, given).map_err(|source| io_error(&path, source))?;
    tensor.raw_data = Some(Bytes::from(raw));
    tensor.external_data.clear();
    tensor.data_location = None;
    Ok(())
}

/// How many bytes from `offset` on are meant, of those that the file has.
fn bytes_given(path: &Path, offset: u64, length: Option<u64>) -> std::io::Result<u64> {
    let available = fs::metadata(path)?.len().saturating_sub(offset);
    let length = length.unwrap_or(available);
    if length > available {
        return Err(std::io::Error::new(
            std::io::ErrorKind::UnexpectedEof,
            format!("{length} bytes at {offset} lie beyond its end"),
        ));
    }
    Ok(length)
}

fn read_range(path: &Path, offset: u64, length: u64) -> std::io::Result<Vec<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut raw = Vec::new();
    // At once: growing would hold a large tensor twice.
    raw.try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX))?;
    let read = file.take(length).read_to_end(&mut raw)?;
    if u64::try_from(read).is_ok_and(|read| read == length) {
        return Ok(raw);
    }
    Err(std::io::ErrorKind::UnexpectedEof.into())
}

/// Number of elements of a tensor of these dimensions, if they are sane.
pub(crate) fn element_count(dims: &[i64]) -> Option<usize> {
    dims.iter().try_fold(1usize, |count, &dim| {
        count.checked_mul(usize::try_from(dim).ok()?)
    })
}
