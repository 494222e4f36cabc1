use half::f16;
use ndarray::{ArrayD, ArrayViewD, Axis, CowArray, IxDyn};

use crate::RuntimeError;

/// A tensor that a session takes or returns.
///
/// It lives where it was made: in an `ndarray` on the host, or in the engine that produced it (on
/// the graphics card, for a GPU provider). Passing a session's output to another session of the
/// same engine copies nothing.
///
/// ```
/// use kinograd_runtime::Tensor;
/// use ndarray::ArrayD;
///
/// let tensor = Tensor::from(ArrayD::<f32>::zeros(vec![2, 3]));
/// assert_eq!(tensor.shape(), [2, 3]);
/// ```
pub struct Tensor(pub(crate) Repr);

pub(crate) enum Repr {
    F32(ArrayD<f32>),
    I64(ArrayD<i64>),
    F16(ArrayD<f16>),
    #[cfg(feature = "onnxruntime")]
    Ort(ort::value::DynTensor),
    #[cfg(feature = "tract")]
    Tract(std::sync::Arc<tract_onnx::prelude::Tensor>),
}

macro_rules! from_array {
    ($element:ty, $variant:ident) => {
        impl<D: ndarray::Dimension> From<ndarray::Array<$element, D>> for Tensor {
            fn from(array: ndarray::Array<$element, D>) -> Self {
                // Engines read the memory as it lies.
                let array = array.into_dyn();
                Self(Repr::$variant(if array.is_standard_layout() {
                    array
                } else {
                    array.as_standard_layout().into_owned()
                }))
            }
        }
    };
}
from_array!(f32, F32);
from_array!(i64, I64);
from_array!(f16, F16);

impl Tensor {
    /// Size of each axis.
    pub fn shape(&self) -> Vec<usize> {
        match &self.0 {
            Repr::F32(array) => array.shape().to_vec(),
            Repr::I64(array) => array.shape().to_vec(),
            Repr::F16(array) => array.shape().to_vec(),
            #[cfg(feature = "onnxruntime")]
            Repr::Ort(value) => value.shape().iter().map(|&n| n.max(0) as usize).collect(),
            #[cfg(feature = "tract")]
            Repr::Tract(tensor) => tensor.shape().to_vec(),
        }
    }

    /// Element type, as ONNX names it in lower case (`"float"`, `"int64"`, `"float16"`).
    pub fn element_type(&self) -> String {
        match &self.0 {
            Repr::F32(_) => "float".into(),
            Repr::I64(_) => "int64".into(),
            Repr::F16(_) => "float16".into(),
            #[cfg(feature = "onnxruntime")]
            Repr::Ort(value) => value.data_type().to_string(),
            #[cfg(feature = "tract")]
            Repr::Tract(tensor) => format!("{:?}", tensor.datum_type()).to_lowercase(),
        }
    }

    /// The values as `f32`, on the host; half precision is widened.
    ///
    /// # Errors
    /// [`RuntimeError::Tensor`] if the elements are neither `f32` nor `f16`.
    pub fn to_f32(&self) -> Result<CowArray<'_, f32, IxDyn>, RuntimeError> {
        match &self.0 {
            Repr::F32(array) => Ok(array.view().into()),
            Repr::F16(array) => Ok(widen(array.view())),
            Repr::I64(_) => Err(self.wrong_type("float")),
            #[cfg(feature = "onnxruntime")]
            Repr::Ort(value) => match self.host_copy(value)? {
                Some(copy) => Ok(self.ort_f32(&copy)?.into_owned().into()),
                None => self.ort_f32(value),
            },
            #[cfg(feature = "tract")]
            Repr::Tract(tensor) => {
                if let Ok(view) = tensor.to_plain_array_view::<f32>() {
                    return Ok(view.into());
                }
                let view = tensor
                    .to_plain_array_view::<f16>()
                    .map_err(|_| self.wrong_type("float"))?;
                Ok(widen(view))
            }
        }
    }

    /// The values as an owned `f32` array.
    ///
    /// # Errors
    /// As [`Tensor::to_f32`].
    pub fn into_f32(self) -> Result<ArrayD<f32>, RuntimeError> {
        match self.0 {
            Repr::F32(array) => Ok(array),
            repr => Ok(Self(repr).to_f32()?.into_owned()),
        }
    }

    /// The values as `i64`, on the host.
    ///
    /// # Errors
    /// [`RuntimeError::Tensor`] if the elements are not `i64`.
    pub fn to_i64(&self) -> Result<ArrayD<i64>, RuntimeError> {
        match &self.0 {
            Repr::I64(array) => Ok(array.clone()),
            #[cfg(feature = "onnxruntime")]
            Repr::Ort(value) => {
                let copy = self.host_copy(value)?;
                let view = copy.as_ref().unwrap_or(value).try_extract_array::<i64>();
                Ok(view.map_err(|_| self.wrong_type("int64"))?.to_owned())
            }
            #[cfg(feature = "tract")]
            Repr::Tract(tensor) => {
                let view = tensor.to_plain_array_view::<i64>();
                Ok(view.map_err(|_| self.wrong_type("int64"))?.to_owned())
            }
            _ => Err(self.wrong_type("int64")),
        }
    }

    /// These rows of the first axis, on the host.
    pub(crate) fn rows(&self, rows: &[usize]) -> Result<Self, RuntimeError> {
        Ok(match &self.0 {
            Repr::I64(array) => Self::from(array.select(Axis(0), rows)),
            Repr::F16(array) => Self::from(array.select(Axis(0), rows)),
            _ => Self::from(self.to_f32()?.select(Axis(0), rows)),
        })
    }

    fn wrong_type(&self, expected: &str) -> RuntimeError {
        RuntimeError::Tensor {
            what: "tensor's element type".into(),
            expected: expected.into(),
            got: self.element_type(),
        }
    }

    #[cfg(feature = "onnxruntime")]
    fn ort_f32<'a>(
        &self,
        value: &'a ort::value::DynTensor,
    ) -> Result<CowArray<'a, f32, IxDyn>, RuntimeError> {
        match value.try_extract_array::<f32>() {
            Ok(view) => Ok(view.into()),
            Err(_) => {
                let view = value.try_extract_array::<f16>();
                Ok(widen(view.map_err(|_| self.wrong_type("float"))?))
            }
        }
    }

    /// A copy on the host, where the value is not there already.
    #[cfg(feature = "onnxruntime")]
    fn host_copy(
        &self,
        value: &ort::value::DynTensor,
    ) -> Result<Option<ort::value::DynTensor>, RuntimeError> {
        if value.memory_info().is_cpu_accessible() {
            return Ok(None);
        }
        value
            .to(ort::memory::AllocationDevice::CPU, 0)
            .map(Some)
            .map_err(|error| RuntimeError::Tensor {
                what: "tensor on a device".into(),
                expected: "a copy to the host".into(),
                got: error.to_string(),
            })
    }
}

fn widen(view: ArrayViewD<'_, f16>) -> CowArray<'static, f32, IxDyn> {
    view.mapv(f16::to_f32).into()
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor({} {:?})", self.element_type(), self.shape())
    }
}
