/// What can go wrong while sampling.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffusionError {
    /// The model behind a denoiser failed.
    #[error("the denoiser failed at timestep {timestep}")]
    Model {
        /// Timestep of the call.
        timestep: f64,
        /// The engine's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
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
    /// A parameter outside its range.
    #[error("{name} = {value}: {expected}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// The value that came.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A sample stopped being finite.
    #[error("non-finite values in {what} at timestep {timestep}")]
    NonFinite {
        /// Which array.
        what: &'static str,
        /// Timestep where it was seen.
        timestep: f64,
    },
    /// The denoiser has no gradient, and one was asked for.
    #[error("this model has no gradient: choose a guidance method that needs none")]
    NoGradient,
    /// A guidance method failed.
    #[error("guidance method `{method}` failed at timestep {timestep}")]
    Guidance {
        /// The method's name.
        method: String,
        /// Timestep of the step.
        timestep: f64,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}
