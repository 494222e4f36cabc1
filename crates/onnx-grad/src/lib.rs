//! The gradient of an ONNX model, as ONNX.

mod error;
mod model;
pub mod proto;
mod request;

pub use error::{Error, Result};
pub use model::{DataType, Dimension, Model, TensorInfo};
pub use request::{Gradient, GradientInfo, Joint, Mode, Request, SavedInfo, Seed, Split};

/// Derives the graphs that a request asks for.
///
/// # Errors
/// See [`Error`].
pub fn differentiate(_model: &Model, _request: &Request) -> Result<Gradient> {
    Err(Error::Request {
        reason: "no rule is registered yet".into(),
    })
}
