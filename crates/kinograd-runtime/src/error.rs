use std::path::PathBuf;

/// What can go wrong between a model file and its outputs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// A file or folder could not be read or written.
    #[error("{what}: {}", path.display())]
    Io {
        /// What was being done.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// ONNX Runtime's shared library is nowhere.
    #[error(
        "no ONNX Runtime library found (looked at {}); `kinograd runtime install` fetches it",
        display_paths(searched)
    )]
    LibraryNotFound {
        /// The places that were tried, in order.
        searched: Vec<PathBuf>,
    },
    /// A shared library is not a usable ONNX Runtime.
    #[error("{} is not a usable ONNX Runtime library: {reason}", path.display())]
    LibraryRejected {
        /// The library.
        path: PathBuf,
        /// The loader's reason.
        reason: String,
    },
    /// A process loads one ONNX Runtime only.
    #[error(
        "ONNX Runtime is already loaded from {}; this process cannot load {}",
        loaded.display(),
        asked.display()
    )]
    LibraryAlreadyLoaded {
        /// The library in use.
        loaded: PathBuf,
        /// The library that was asked for.
        asked: PathBuf,
    },
    /// A model could not be made into a session.
    #[error("model {model}: {engine} cannot load it: {reason}")]
    Load {
        /// The model's name.
        model: String,
        /// The engine's name.
        engine: &'static str,
        /// The engine's reason.
        reason: String,
    },
    /// The built-in engine has no implementation of an operator.
    #[error(
        "model {model}: node `{node}`: the built-in engine cannot run op `{op}`; \
         install ONNX Runtime with `kinograd runtime install`"
    )]
    UnsupportedOp {
        /// The model's name.
        model: String,
        /// The node's name.
        node: String,
        /// The operator.
        op: String,
    },
    /// A session failed while running.
    #[error("model {model}: {engine} failed: {reason}")]
    Run {
        /// The model's name.
        model: String,
        /// The engine's name.
        engine: &'static str,
        /// The engine's reason.
        reason: String,
    },
    /// A model has no input or output of this name.
    #[error("model {model} has no {kind} `{name}`; it has {}", known.join(", "))]
    UnknownName {
        /// The model's name.
        model: String,
        /// `"input"` or `"output"`.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// A tensor has the wrong shape or element type.
    #[error("{what}: expected {expected}, got {got}")]
    Tensor {
        /// Which tensor.
        what: String,
        /// What was needed.
        expected: String,
        /// What came.
        got: String,
    },
    /// A word that names none of the choices.
    #[error("unknown {what} `{got}`; choose one of {choices}")]
    UnknownChoice {
        /// What is being chosen.
        what: &'static str,
        /// The word that came.
        got: String,
        /// The words that are known.
        choices: &'static str,
    },
    /// An engine or a provider that was asked for, or the only one left, was left out of this build.
    #[error(
        "{what} is not in this build, which leaves out the feature `{feature}` of kinograd-runtime"
    )]
    NotBuilt {
        /// The engine or the provider.
        what: &'static str,
        /// The feature of this crate that has it.
        feature: &'static str,
    },
    /// No model package of this name.
    #[error("no model package `{name}` (looked in {})", display_paths(searched))]
    PackageNotFound {
        /// The name or path that was asked for.
        name: String,
        /// The folders that were tried, in order.
        searched: Vec<PathBuf>,
    },
    /// A `model.json` that cannot be understood.
    #[error("{}: {reason}", path.display())]
    PackageFormat {
        /// The `model.json`.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file's name in `model.json` would leave the package's folder.
    #[error("model package {package}: the path `{file}` leaves the package folder")]
    PackagePath {
        /// The package's name.
        package: String,
        /// The path as it is written.
        file: String,
    },
    /// A file has other bytes than its description says.
    #[error(
        "{}: wrong sha256: expected {expected}, the file has {got}; it is damaged or was changed",
        path.display()
    )]
    WrongHash {
        /// The file.
        path: PathBuf,
        /// The hash in the description.
        expected: String,
        /// The hash of the bytes on disk.
        got: String,
    },
    /// A package lacks a file for some role.
    #[error("model package {package} has no file with role `{role}`")]
    PackageRole {
        /// The package's name.
        package: String,
        /// The missing role.
        role: &'static str,
    },
    /// The tokenizer failed.
    #[error("tokenizer {}: {reason}", path.display())]
    Tokenizer {
        /// The `tokenizer.json`.
        path: PathBuf,
        /// The tokenizer's reason.
        reason: String,
    },
    /// A prompt that the text encoder cannot take.
    #[error("prompt {index}: {reason}")]
    Prompt {
        /// Which prompt, from 0.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The gradient graph of a model could not be built.
    #[error("model {model}: no gradient")]
    Gradient {
        /// The model's name.
        model: String,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A bad parameter.
    #[error("{name} = {value}: {expected}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// The value that came.
        value: String,
        /// What it must be.
        expected: String,
    },
    /// More than the [`kinograd_files::Budget`] allows.
    #[error(transparent)]
    OverBudget(#[from] kinograd_files::OverBudget),
    /// A package that cannot be made as it is asked for.
    #[error("{field}: {message}")]
    Request {
        /// What of the request, such as `model`.
        field: &'static str,
        /// What was expected and what came.
        message: String,
    },
    /// A model's file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A package could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A graph could not be written.
    #[error("{}", path.display())]
    Graph {
        /// The file.
        path: PathBuf,
        /// Why.
        source: onnx_grad::Error,
    },
    /// Sampling.
    #[error(transparent)]
    Diffusion(#[from] kinograd_diffusion::DiffusionError),
    /// ONNX Runtime could not be installed.
    #[error("ONNX Runtime was not installed: {reason}")]
    Install {
        /// The reason, with what to do about it.
        reason: String,
    },
}

impl RuntimeError {
    pub(crate) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}

fn display_paths(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "no folder: none of the usual ones exists; set KINOGRAD_MODELS to one".to_owned();
    }
    let shown: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    shown.join(", ")
}
