use kinograd_diffusion::DiffusionError;
use kinograd_motion::MotionError;

/// What can go wrong in a loss or a guidance method.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuidanceError {
    /// A field outside its range.
    #[error("{field} = {value}: {expected}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// The value that came.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A frame beyond the end of a sample.
    #[error("{what}: frame {frame} lies beyond the clip's {length} frames")]
    FrameOutOfRange {
        /// Which goal.
        what: &'static str,
        /// The frame that was asked for.
        frame: usize,
        /// Length of the sample.
        length: usize,
    },
    /// Two arrays that must agree in shape do not.
    #[error("{what}: expected shape {expected:?}, got {got:?}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The shape that was needed.
        expected: Vec<usize>,
        /// The shape that came.
        got: Vec<usize>,
    },
    /// A loss gave a value or gradient that is not finite.
    #[error("loss `{loss}` is not finite for sample {sample}")]
    NonFinite {
        /// The loss's name.
        loss: String,
        /// Index in the batch.
        sample: usize,
    },
    /// The network or closure behind a loss failed.
    #[error("loss `{loss}` failed")]
    Loss {
        /// The loss's name.
        loss: String,
        /// The network's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No method has this name.
    #[error("unknown guidance method `{name}`: {known}")]
    UnknownMethod {
        /// The name that came.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A model or noise source behind a method failed.
    #[error(transparent)]
    Diffusion(#[from] DiffusionError),
    /// Features could not be decoded.
    #[error(transparent)]
    Motion(#[from] MotionError),
}

impl GuidanceError {
    /// Names the method and step in which the error happened.
    pub(crate) fn during(self, method: &str, timestep: f64) -> DiffusionError {
        DiffusionError::Guidance {
            method: method.to_owned(),
            timestep,
            source: Box::new(self),
        }
    }
}
