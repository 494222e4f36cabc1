//! Steerable motion generation from exported ONNX diffusion models.

mod choices;
mod clip;
pub mod dataset;
mod error;
pub mod eval;
mod finish;
mod format;
mod generator;
mod goals;
pub mod gradient;
mod known;
pub mod models;
mod observer;
mod request;

pub use choices::{Method, Sampler};
pub use clip::{Clip, ClipReport, LoadOptions, save_report};
pub use error::Error;
pub use format::{FileFormat, check_output};
pub use generator::{MakeLoss, MotionGenerator, Timings};
pub use observer::{Event, Observer, Warning};
pub use request::{
    DURATION_RANGE_SECS, GenerateRequest, GenerateRequestBuilder, Goal, MAX_CLIPS,
    MAX_PROMPT_CHARS, Obstacle,
};

pub use kinograd_diffusion as diffusion;
pub use kinograd_guidance as guidance;
pub use kinograd_motion as motion;
pub use kinograd_runtime as runtime;
pub use onnx_grad;

/// Sets how many threads the work on motion takes; 0 is one per core. Only the first call counts.
pub fn use_threads(threads: usize) {
    if threads > 0 {
        // An error means that the pool runs already, with as many threads as it was given then.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global();
    }
}
