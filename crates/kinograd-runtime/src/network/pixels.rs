//! What a graph says of the pictures that it takes.

use onnx_grad::proto::{GraphProto, NodeProto, TensorProto};
use onnx_grad::{DataType, Model, TensorInfo};

use crate::ports::dimension;

/// Numbers of channels that pictures have.
const CHANNELS: [usize; 3] = [1, 3, 4];
/// Ops before the first arithmetic that leave the numbers as they are.
const MOVES: [&str; 6] = [
    "Identity",
    "Cast",
    "Transpose",
    "Squeeze",
    "Unsqueeze",
    "Reshape",
];

/// What a graph says of the pictures that it takes: by its input's shape and type, by the model's
/// metadata (`Image.BitmapPixelFormat` and `Image.NominalPixelRange` of the ONNX specification) and by
/// the arithmetic that it begins with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PixelHints {
    /// The input's four dimensions, where the graph fixes them.
    pub shape: [Option<usize>; 4],
    /// They are `[batch, height, width, channels]`, as far as the shape says.
    pub channels_last: bool,
    /// Blue comes first, where something says the order.
    pub is_bgr: Option<bool>,
    /// The numbers of black and white, where metadata or an input of bytes says them.
    pub range: Option<[f64; 2]>,
    /// The range that the arithmetic which the graph begins with looks made for: a guess.
    pub begins_with: Option<[f64; 2]>,
}

impl PixelHints {
    /// Of the input of a network; `None` if it can be no batch of pictures.
    pub(super) fn of(model: &Model, input: &TensorInfo) -> Option<Self> {
        if input.shape.as_ref().is_some_and(|shape| shape.len() != 4) {
            return None;
        }
        let fits = |axis| dimension(input, axis).is_some_and(|n| CHANNELS.contains(&n));
        let metadata = |key: &str| {
            let mut entries = model.proto().metadata_props.iter();
            entries
                .find(|entry| entry.key == key)
                .map(|entry| entry.value.as_str())
        };
        let order = metadata("Image.BitmapPixelFormat");
        let range = match metadata("Image.NominalPixelRange") {
            Some("NominalRange_0_255") => Some([0.0, 255.0]),
            Some("NominalRange_16_235") => Some([16.0, 235.0]),
            Some("Normalized_0_1") => Some([0.0, 1.0]),
            Some("Normalized_1_1") => Some([-1.0, 1.0]),
            _ if input.data_type == DataType::UInt8 => Some([0.0, 255.0]),
            _ => None,
        };
        Some(Self {
            shape: [0, 1, 2, 3].map(|axis| dimension(input, axis)),
            channels_last: !fits(1) && fits(3),
            is_bgr: order.map(|order| order.starts_with("Bgr")),
            range,
            begins_with: model
                .proto()
                .graph
                .as_ref()
                .and_then(|graph| first_arithmetic(graph, &input.name)),
        })
    }
}

/// The range that the first arithmetic on a tensor is made for: `x / 255`, `x − mean`, `2 x − 1`.
fn first_arithmetic(graph: &GraphProto, input: &str) -> Option<[f64; 2]> {
    const UNIT: [f64; 2] = [0.0, 1.0];
    const BYTES: [f64; 2] = [0.0, 255.0];
    let mut name = input;
    loop {
        let node = only_reader(graph, name)?;
        if MOVES.contains(&node.op_type.as_str()) {
            name = node.output.first()?;
            continue;
        }
        let [first, second] = node.input.as_slice() else {
            return None;
        };
        let value = constant(graph, if first == name { second } else { first })?;
        let is_first = first == name;
        return match (node.op_type.as_str(), value) {
            ("Div", 100.0..=256.0) if is_first => Some(BYTES),
            ("Mul", 0.003..=0.011) => Some(BYTES),
            ("Sub", 2.0..=255.0) if is_first => Some(BYTES),
            ("Add", -255.0..=-2.0) => Some(BYTES),
            ("Sub", 0.2..=0.8) if is_first => Some(UNIT),
            ("Add", -0.8..=-0.2) => Some(UNIT),
            ("Mul", 1.99..=2.01) => Some(UNIT),
            _ => None,
        };
    }
}

fn only_reader<'a>(graph: &'a GraphProto, name: &str) -> Option<&'a NodeProto> {
    let mut readers = graph
        .node
        .iter()
        .filter(|node| node.input.iter().any(|i| i == name));
    match (readers.next(), readers.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// The mean of a constant of at most four numbers.
fn constant(graph: &GraphProto, name: &str) -> Option<f64> {
    let stored = graph.initializer.iter().find(|tensor| tensor.name == name);
    let tensor = stored.or_else(|| {
        let mut nodes = graph.node.iter();
        let node = nodes.find(|node| {
            node.op_type == "Constant" && node.output.first().is_some_and(|o| o == name)
        })?;
        node.attribute
            .iter()
            .find(|attribute| attribute.name == "value")?
            .t
            .as_deref()
    })?;
    let values = floats(tensor)?;
    let fits = (1..=4).contains(&values.len());
    fits.then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn floats(tensor: &TensorProto) -> Option<Vec<f64>> {
    if tensor.data_type != Some(DataType::Float32.code()) {
        return None;
    }
    Some(match &tensor.raw_data {
        Some(raw) => raw
            .chunks_exact(4)
            .map(|four| four.try_into().map(f32::from_le_bytes).map(f64::from))
            .collect::<Result<_, _>>()
            .ok()?,
        None => tensor
            .float_data
            .iter()
            .map(|&value| f64::from(value))
            .collect(),
    })
}
