//! Where the model runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where the model runs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Engine")]
pub struct EngineArgs {
    /// Model package: a name, or a folder with a model.json; motion-base if not given.
    #[arg(long, value_name = "NAME|FOLDER")]
    pub model: Option<String>,
    /// Which execution provider runs the model.
    #[arg(long, value_enum, default_value_t = ProviderArg::Auto)]
    pub provider: ProviderArg,
    /// ONNX Runtime's shared library, or `builtin` for the built-in engine.
    #[arg(long, value_name = "FILE|builtin")]
    pub runtime: Option<PathBuf>,
    /// Threads per model call; 0 lets the engine choose.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
}

impl EngineArgs {
    /// The package, or the one that is taken where none is named.
    pub fn model(&self) -> &str {
        self.model
            .as_deref()
            .unwrap_or(kinograd::task::DEFAULT_MODEL)
    }
}

/// Execution providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProviderArg {
    /// The fastest that works.
    Auto,
    /// The processor.
    Cpu,
    /// NVIDIA CUDA.
    Cuda,
    /// NVIDIA TensorRT.
    Tensorrt,
}
