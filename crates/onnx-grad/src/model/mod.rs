//! A model as a whole: read, asked for what it takes and returns, written.

mod file;
mod quantised;

use std::path::{Path, PathBuf};

use prost::Message as _;
use prost::bytes::Bytes;

use self::file::{
    DataFiles, load_external, named_files, rename_external, replace_file, visit_tensors,
    write_external,
};
pub(crate) use self::quantised::is_quantised_op;
use crate::data_type::{DataType, element_count};
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
        Self::decode(Bytes::copy_from_slice(bytes), DataFiles::none())
    }

    /// Reads a model and the data files beside it. Data files may not lie outside the model's folder,
    /// but beside the model's own file in the store of a Hugging Face hub cache (`blobs`), to which
    /// the names in the folder are links.
    ///
    /// # Errors
    /// As [`Model::from_bytes`], and [`Error::Io`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::decode(read_file(path)?, DataFiles::beside(path)?)
    }

    /// The files that hold data of the model at `path`, as paths in its folder; none where all of it
    /// lies in the model's own file. Reads no data.
    ///
    /// # Errors
    /// As [`Model::read`].
    pub fn data_files(path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let path = path.as_ref();
        let (_, mut graph) = message(read_file(path)?)?;
        named_files(&mut graph, &DataFiles::beside(path)?)
    }

    /// Reads a model whose external data stays where it is: for changes of the graph around weights
    /// that need not be in memory. [`Model::write`] writes it with the names of its data files, which
    /// have to lie in the new folder too.
    ///
    /// # Errors
    /// As [`Model::data_files`].
    pub fn read_without_data(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (mut proto, mut graph) = message(read_file(path)?)?;
        named_files(&mut graph, &DataFiles::beside(path)?)?;
        proto.graph = Some(graph);
        Ok(Self { proto })
    }

    /// Gives the data files that the model's tensors name other names.
    pub fn rename_data_files(&mut self, name: &dyn Fn(&str) -> String) {
        if let Some(graph) = &mut self.proto.graph {
            rename_external(graph, name);
        }
    }

    fn decode(bytes: Bytes, mut files: DataFiles) -> Result<Self> {
        let (mut proto, mut graph) = message(bytes)?;
        visit_tensors(&mut graph, &mut |tensor| load_external(tensor, &mut files))?;
        proto.graph = Some(graph);
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

    /// The message, to build another of.
    #[must_use]
    pub fn into_proto(self) -> ModelProto {
        self.proto
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
        write_external(&self.proto, path)
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
                data_type: tensor.element_type(),
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
        let names = self.weights().into_iter().map(|weight| weight.name);
        let unknown = Error::unknown_weight(name, names);
        let stored = self
            .proto
            .graph
            .iter_mut()
            .flat_map(|graph| &mut graph.initializer);
        let found = stored.into_iter().find(|tensor| tensor.name == name);
        let tensor = found.ok_or(unknown)?;
        let data_type = tensor.element_type();
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

    /// The first op that computes with quantised numbers or makes them, in the graph, its bodies or the
    /// model's functions; `None` where there is none.
    #[must_use]
    pub fn quantised_op(&self) -> Option<&str> {
        quantised::first(&self.proto)
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

fn read_file(path: &Path) -> Result<Bytes> {
    let bytes = kinograd_files::read_large(path, kinograd_files::Budget::of_process())?;
    Ok(Bytes::from(bytes))
}

/// A model without its graph, and the graph.
fn message(bytes: Bytes) -> Result<(ModelProto, GraphProto)> {
    let failed = |reason: String| Error::Decode { reason };
    let mut proto = ModelProto::decode(bytes).map_err(|error| failed(error.to_string()))?;
    match proto.graph.take() {
        Some(graph) => Ok((proto, graph)),
        None => Err(failed("it holds no graph".into())),
    }
}

impl TensorInfo {
    pub(crate) fn from_proto(info: &ValueInfoProto) -> Self {
        let (data_type, shape) = match info.r#type.as_ref().and_then(|t| t.value.as_ref()) {
            Some(TypeValue::TensorType(tensor)) => (tensor.element_type(), tensor.shape.as_ref()),
            _ => (DataType::Other(0), None),
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
            data_type,
            shape,
        }
    }
}
