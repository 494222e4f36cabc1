//! The engine seam: ONNX bytes in, named tensors through.

#[cfg(feature = "onnxruntime")]
mod onnx_runtime;
mod open;
mod options;
mod source;
#[cfg(feature = "tract")]
mod tract;

#[cfg(feature = "onnxruntime")]
pub use onnx_runtime::OnnxRuntime;
pub use open::{EngineChoice, EngineOptions, EngineReport, OpenEngine, open_engine};
pub(crate) use options::TOO_LONG;
pub use options::{GraphOptimization, Provider, SessionOptions};
pub use source::ModelSource;
#[cfg(feature = "tract")]
pub use tract::BuiltIn;

use crate::{RuntimeError, Tensor};

/// Runs ONNX models.
///
/// ```no_run
/// use kinograd_runtime::{BuiltIn, Engine, ModelSource, SessionOptions, Tensor};
/// use ndarray::ArrayD;
///
/// let engine = BuiltIn::new(0);
/// let model = ModelSource::file("model.onnx")?;
/// let mut session = engine.load(&model, &SessionOptions::default())?;
/// let x = Tensor::from(ArrayD::<f32>::zeros(vec![1, 4]));
/// let outputs = session.run(&[("x", &x)], &["y"])?;
/// println!("{:?}", outputs[0].shape());
/// # Ok::<(), kinograd_runtime::RuntimeError>(())
/// ```
pub trait Engine: Send + Sync {
    /// `"ONNX Runtime"` or `"built-in"`.
    fn name(&self) -> &'static str;

    /// Where sessions run: `"cpu"`, `"cuda"` or `"tensorrt"`.
    fn provider(&self) -> &'static str;

    /// Makes a session of a model.
    ///
    /// # Errors
    /// [`RuntimeError::Load`] or [`RuntimeError::UnsupportedOp`] if the engine cannot run the
    /// model, [`RuntimeError::Io`] if its file cannot be read.
    fn load(
        &self,
        model: &ModelSource,
        options: &SessionOptions,
    ) -> Result<Box<dyn Session>, RuntimeError>;
}

/// A model made ready to run.
pub trait Session: Send {
    /// Names of the graph's inputs, in order.
    fn inputs(&self) -> &[String];

    /// Names of the graph's outputs, in order.
    fn outputs(&self) -> &[String];

    /// Runs the graph; returns the tensors named in `outputs`, in that order.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownName`] for a name that the graph does not have,
    /// [`RuntimeError::Run`] if the engine fails, for example on a shape that does not fit.
    fn run(
        &mut self,
        inputs: &[(&str, &Tensor)],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, RuntimeError>;
}

/// Refuses names that the graph does not have.
fn check_names<'a>(
    model: &str,
    kind: &'static str,
    asked: impl Iterator<Item = &'a str>,
    known: &[String],
) -> Result<(), RuntimeError> {
    for name in asked {
        if !known.iter().any(|k| k == name) {
            return Err(RuntimeError::UnknownName {
                model: model.to_owned(),
                kind,
                name: name.to_owned(),
                known: known.to_vec(),
            });
        }
    }
    Ok(())
}
