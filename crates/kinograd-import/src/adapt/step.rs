//! One step between a tensor of the contract and one of a graph.

use std::fmt;

use onnx_grad::DataType;

/// One node on the way between a tensor of the contract and one of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// To another element type; to whole numbers by rounding.
    Cast(DataType),
    /// The first row, as a scalar or as the only row.
    First { scalar: bool },
    /// One minus it.
    Complement,
    /// Axes in another order.
    Transpose(Vec<usize>),
    /// New axes of length 1.
    Unsqueeze(Vec<usize>),
    /// Axes of length 1 left out.
    Squeeze(Vec<usize>),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cast(to) => write!(f, "cast to {}", format!("{to:?}").to_lowercase()),
            Self::First { .. } => f.write_str("the first of the batch's"),
            Self::Complement => f.write_str("inverted, 1 is padding"),
            Self::Transpose(order) => write!(f, "axes in the order {order:?}"),
            Self::Unsqueeze(axes) => write!(f, "axes {axes:?} of length 1 added"),
            Self::Squeeze(axes) => write!(f, "axes {axes:?} of length 1 left out"),
        }
    }
}
