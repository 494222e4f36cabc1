#[cfg(feature = "onnxruntime")]
use std::path::Path;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use kinograd_files::Budget;

#[cfg(feature = "tract")]
use super::BuiltIn;
#[cfg(feature = "onnxruntime")]
use super::OnnxRuntime;
use super::options::thread_count;
use super::{Engine, Provider};
use crate::RuntimeError;
#[cfg(feature = "onnxruntime")]
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
/// [`RuntimeError::NotBuilt`] if the engine or the provider that was asked for is not in this build,
/// [`RuntimeError::OverBudget`] for more threads than [`Budget::threads`].
pub fn open_engine(options: &EngineOptions) -> Result<OpenEngine, RuntimeError> {
    let budget = Budget::of_process();
    budget.check("threads", options.threads as u64, budget.threads)?;
    let asked = options.engine == EngineChoice::OnnxRuntime || options.library.is_some();
    let gpu = options.provider.is_gpu();
    if options.engine == EngineChoice::BuiltIn {
        let note = gpu.then(|| "the built-in engine runs on the processor only".to_owned());
        return built_in(options.threads, note.into_iter().collect());
    }
    match onnx_runtime(options) {
        Ok(engine) => Ok(engine),
        Err(error) if asked || !falls_back(options.provider) => Err(error),
        Err(error) => {
            let is_absent = matches!(
                error,
                RuntimeError::LibraryNotFound { .. } | RuntimeError::NotBuilt { .. }
            );
            if gpu || !is_absent {
                tracing::warn!("{error}; using the built-in engine, on the processor");
            }
            built_in(options.threads, vec![error.to_string()])
        }
    }
}

/// Whether the built-in engine may stand in for ONNX Runtime: not where this build has only one of them,
/// and could never do what is asked for.
fn falls_back(provider: Provider) -> bool {
    cfg!(feature = "tract") && (cfg!(feature = "onnxruntime") || !provider.is_gpu())
}

#[cfg(feature = "onnxruntime")]
fn onnx_runtime(options: &EngineOptions) -> Result<OpenEngine, RuntimeError> {
    find_library(options.library.as_deref())
        .and_then(|(library, _)| open_library(&library, options))
}

#[cfg(not(feature = "onnxruntime"))]
fn onnx_runtime(options: &EngineOptions) -> Result<OpenEngine, RuntimeError> {
    Err(RuntimeError::NotBuilt {
        what: match options.provider {
            Provider::Cuda => "the provider cuda",
            Provider::TensorRt => "the provider tensorrt",
            Provider::Auto | Provider::Cpu => "ONNX Runtime",
        },
        feature: "onnxruntime",
    })
}

#[cfg(feature = "onnxruntime")]
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

#[cfg(feature = "tract")]
fn built_in(threads: usize, notes: Vec<String>) -> Result<OpenEngine, RuntimeError> {
    let engine = BuiltIn::new(threads);
    let report = EngineReport {
        engine: engine.name(),
        version: "tract 0.23.9".to_owned(),
        provider: engine.provider(),
        library: None,
        threads: thread_count(threads),
        notes,
    };
    Ok(OpenEngine {
        engine: Arc::new(engine),
        report,
    })
}

#[cfg(not(feature = "tract"))]
fn built_in(_threads: usize, _notes: Vec<String>) -> Result<OpenEngine, RuntimeError> {
    Err(RuntimeError::NotBuilt {
        what: "the built-in engine",
        feature: "tract",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What opening says, `None` where an engine opens.
    fn refusal(engine: EngineChoice, provider: Provider) -> Option<String> {
        let options = EngineOptions {
            engine,
            provider,
            ..EngineOptions::default()
        };
        open_engine(&options).err().map(|error| error.to_string())
    }

    #[test]
    fn the_built_in_engine_opens_where_it_is_built() {
        let found = refusal(EngineChoice::BuiltIn, Provider::Auto);
        let expected = "the built-in engine is not in this build, which leaves out the feature `tract` of \
                        kinograd-runtime";
        assert_eq!(
            found.as_deref(),
            (!cfg!(feature = "tract")).then_some(expected)
        );
    }

    #[cfg(not(feature = "onnxruntime"))]
    #[test]
    fn without_onnx_runtime_it_and_its_providers_are_refused() {
        let of = |what: &str| {
            Some(format!(
                "{what} is not in this build, which leaves out the feature `onnxruntime` of kinograd-runtime"
            ))
        };
        let auto = EngineChoice::Auto;
        assert_eq!(
            refusal(EngineChoice::OnnxRuntime, Provider::Cpu),
            of("ONNX Runtime")
        );
        assert_eq!(refusal(auto, Provider::Cuda), of("the provider cuda"));
        assert_eq!(
            refusal(auto, Provider::TensorRt),
            of("the provider tensorrt")
        );
        assert_eq!(refusal(auto, Provider::Auto), None);
        assert_eq!(refusal(auto, Provider::Cpu), None);
    }
}
