use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use kinograd_files::Budget;

use super::options::thread_count;
use super::{BuiltIn, Engine, OnnxRuntime, Provider};
use crate::RuntimeError;
use crate::library::find_library;

/// Which engine to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineChoice {
    /// ONNX Runtime where its library is found, else the built-in engine.
    #[default]
    Auto,
    /// ONNX Runtime or an error.
    OnnxRuntime,
    /// The built-in engine.
    BuiltIn,
}

impl FromStr for EngineChoice {
    type Err = RuntimeError;

    fn from_str(word: &str) -> Result<Self, RuntimeError> {
        match word.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "onnxruntime" | "ort" => Ok(Self::OnnxRuntime),
            "built-in" | "builtin" => Ok(Self::BuiltIn),
            _ => Err(RuntimeError::UnknownChoice {
                what: "engine",
                got: word.to_owned(),
                choices: "auto, onnxruntime, built-in",
            }),
        }
    }
}

/// What to open.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Which engine.
    pub engine: EngineChoice,
    /// Where ONNX Runtime runs.
    pub provider: Provider,
    /// ONNX Runtime's library, or the folder that holds it.
    pub library: Option<PathBuf>,
    /// Processor threads; 0 takes one per core.
    pub threads: usize,
}

/// What was opened, for `runtime info` and for records.
#[derive(Debug, Clone)]
pub struct EngineReport {
    /// `"ONNX Runtime"` or `"built-in"`.
    pub engine: &'static str,
    /// The engine's version.
    pub version: String,
    /// `"cpu"`, `"cuda"` or `"tensorrt"`.
    pub provider: &'static str,
    /// ONNX Runtime's library.
    pub library: Option<PathBuf>,
    /// Processor threads: part of what decides the last bits of sums.
    pub threads: usize,
    /// Why this is not what was asked for.
    pub notes: Vec<String>,
}

/// An engine and what it is.
#[derive(Clone)]
pub struct OpenEngine {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// What was opened.
    pub report: EngineReport,
}

/// Opens an engine; without a library and without being told otherwise, the built-in one.
///
/// # Errors
/// [`RuntimeError::LibraryNotFound`] if ONNX Runtime was asked for and is nowhere,
/// [`RuntimeError::LibraryRejected`] if the library that was named cannot be used,
/// [`RuntimeError::OverBudget`] for more threads than [`Budget::threads`].
pub fn open_engine(options: &EngineOptions) -> Result<OpenEngine, RuntimeError> {
    let budget = Budget::of_process();
    budget.check("threads", options.threads as u64, budget.threads)?;
    let asked = options.engine == EngineChoice::OnnxRuntime || options.library.is_some();
    let gpu = matches!(options.provider, Provider::Cuda | Provider::TensorRt);
    if options.engine == EngineChoice::BuiltIn {
        let note = gpu.then(|| "the built-in engine runs on the processor only".to_owned());
        return Ok(built_in(options.threads, note.into_iter().collect()));
    }
    let opened = find_library(options.library.as_deref())
        .and_then(|(library, _)| open_library(&library, options));
    match opened {
        Ok(engine) => Ok(engine),
        Err(error) if asked => Err(error),
        Err(error) => {
            if gpu || !matches!(error, RuntimeError::LibraryNotFound { .. }) {
                tracing::warn!("{error}; using the built-in engine, on the processor");
            }
            Ok(built_in(options.threads, vec![error.to_string()]))
        }
    }
}

fn open_library(library: &Path, options: &EngineOptions) -> Result<OpenEngine, RuntimeError> {
    let engine = OnnxRuntime::new(library, options.provider, options.threads)?;
    let report = EngineReport {
        engine: engine.name(),
        version: engine.version(),
        provider: engine.provider(),
        library: Some(engine.library().to_owned()),
        threads: thread_count(options.threads),
        notes: engine.notes().to_vec(),
    };
    Ok(OpenEngine {
        engine: Arc::new(engine),
        report,
    })
}

fn built_in(threads: usize, notes: Vec<String>) -> OpenEngine {
    let engine = BuiltIn::new(threads);
    let report = EngineReport {
        engine: engine.name(),
        version: "tract 0.23.9".to_owned(),
        provider: engine.provider(),
        library: None,
        threads: thread_count(threads),
        notes,
    };
    OpenEngine {
        engine: Arc::new(engine),
        report,
    }
}
