//! Element types of tensors.

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

/// Number of elements of a tensor of these dimensions, if they are sane.
pub(crate) fn element_count(dims: &[i64]) -> Option<usize> {
    dims.iter().try_fold(1usize, |count, &dim| {
        count.checked_mul(usize::try_from(dim).ok()?)
    })
}
