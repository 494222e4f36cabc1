use std::path::PathBuf;

/// What to do about quantised arithmetic.
pub(crate) const QUANTISED_ADVICE: &str = "quantised arithmetic has no gradient: differentiate the float model that it was \
     made from, or one whose weights alone are quantised (DequantizeLinear of initializers)";

/// Why a model could not be read, differentiated or written.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not an ONNX model.
    #[error("not an ONNX model: {reason}")]
    Decode {
        /// What the decoder met.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A tensor's data lies in another file and cannot be taken from there.
    #[error("tensor `{tensor}`: external data refused: {reason}")]
    ExternalData {
        /// The initializer.
        tensor: String,
        /// What is wrong with its location.
        reason: String,
    },
    /// The model breaks the ONNX specification.
    #[error("invalid model: {reason}")]
    Invalid {
        /// Which part, what was expected, what came.
        reason: String,
    },
    /// Nodes feed each other in a circle.
    #[error("invalid model: the graph has a cycle through node `{node}`")]
    Cycle {
        /// One node on the circle.
        node: String,
    },
    /// The model is larger than one file in this format can hold.
    #[error(
        "the model takes {bytes} bytes; a single ONNX file holds at most 2 GiB: write it with external data"
    )]
    TooLarge {
        /// Encoded size.
        bytes: usize,
    },
    /// The default operator set is outside 13 to 24.
    #[error(
        "opset {opset} is not supported: convert the model to opset 13 to 24 (onnx.version_converter)"
    )]
    UnsupportedOpset {
        /// Version of the default domain that the model imports; 0 where it imports none.
        opset: i64,
    },
    /// An op on a path from a chosen input to a seeded output has no gradient rule.
    #[error("node `{node}`: no gradient rule for op `{op}` (opset {opset}): {advice}")]
    NoRule {
        /// The node's name.
        node: String,
        /// Op type, with its domain unless that is the default one.
        op: String,
        /// Version of the op's domain that the model imports.
        opset: i64,
        /// What to do.
        advice: String,
    },
    /// A rule cannot differentiate this use of its op.
    #[error("node `{node}`: op `{op}` (opset {opset}) cannot be differentiated here: {reason}")]
    Rule {
        /// The node's name.
        node: String,
        /// Op type.
        op: String,
        /// Version of the default domain that the model imports.
        opset: i64,
        /// What is in the way and what to do.
        reason: String,
    },
    /// What this crate takes for granted does not hold: its own fault, and not the model's.
    #[error("node `{node}`: {reason} (a fault of onnx-grad: please report it)")]
    Internal {
        /// The node, or the value, at which it was noticed.
        node: String,
        /// What was expected and what came.
        reason: String,
    },
    /// The request names an output that the model lacks.
    #[error("no output `{name}`; the model has {available:?}")]
    UnknownOutput {
        /// The name asked for.
        name: String,
        /// The model's outputs.
        available: Vec<String>,
    },
    /// The request names an input that the model lacks.
    #[error("no input `{name}`; the model has {available:?}")]
    UnknownInput {
        /// The name asked for.
        name: String,
        /// The model's inputs.
        available: Vec<String>,
    },
    /// The request names a weight that the model lacks.
    #[error("no float initializer `{name}`; the model has {available:?}")]
    UnknownWeight {
        /// The name asked for.
        name: String,
        /// The model's float initializers, the first hundred of them.
        available: Vec<String>,
    },
    /// The request cannot be met as it stands.
    #[error("bad request: {reason}")]
    Request {
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor that is to be seeded or differentiated does not hold floats.
    #[error("`{name}` holds {dtype:?}; only floating-point tensors have a gradient")]
    NotFloat {
        /// The input or output.
        name: String,
        /// Its element type.
        dtype: crate::data_type::DataType,
    },
    /// The model computes with quantised numbers, and what is to be seeded or differentiated is one.
    #[error(
        "the model is quantised (op `{op}`{}): {QUANTISED_ADVICE}",
        name.as_ref().map_or_else(String::new, |name| format!(", and `{name}` holds whole numbers"))
    )]
    Quantised {
        /// An op of its that computes with quantised numbers, or makes them.
        op: String,
        /// The input or output, where one was asked for.
        name: Option<String>,
    },
    /// The element type of a tensor that has to be passed between graphs is unknown.
    #[error("the element type of `{tensor}` is unknown: run shape inference on the model first")]
    UnknownType {
        /// The tensor.
        tensor: String,
    },
    /// No differentiable path leads from the input or weight to any seeded output.
    #[error(
        "`{input}` has no differentiable path to {outputs:?}, so its gradient is zero: leave it out of the request"
    )]
    NoPath {
        /// The chosen input or weight.
        input: String,
        /// The seeded outputs.
        outputs: Vec<String>,
    },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The error for a weight that is not among those of these names.
    pub(crate) fn unknown_weight(name: &str, available: impl Iterator<Item = String>) -> Self {
        Self::UnknownWeight {
            name: name.to_owned(),
            available: available.take(100).collect(),
        }
    }
}

impl From<kinograd_files::FileError> for Error {
    fn from(error: kinograd_files::FileError) -> Self {
        Self::Io {
            path: error.path().to_path_buf(),
            source: error.into_io(),
        }
    }
}
