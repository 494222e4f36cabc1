//! ONNX sessions on ONNX Runtime or a built-in engine, and model packages.
//!
//! - [`open_engine`] gives an [`Engine`]: ONNX Runtime where its library is found, else the
//!   built-in one (tract), which needs nothing installed.
//!   Each is a feature, `onnxruntime` and `tract`; what is not built in is refused.
//! - [`Engine::load`] makes a [`Session`] of a [`ModelSource`]; [`Session::run`] takes and returns
//!   [`Tensor`]s, which stay where they were made. [`GradientSession`] adds Jᵀv.
//! - [`find_package`] opens a model package; [`TextEncoder`], [`OnnxDenoiser`] and
//!   [`MotionEmbedding`] are its parts. [`Manifest`] documents `model.json`.

#[cfg(not(any(feature = "tract", feature = "onnxruntime")))]
compile_error!("kinograd-runtime needs an engine: the feature `tract` or `onnxruntime`");

mod cache;
mod cache_usage;
mod decoder;
mod denoiser;
mod embedding;
mod engine;
mod error;
mod gradient;
mod hash;
mod install;
mod installed;
mod library;
mod network;
mod package;
mod pins;
mod ports;
mod prompt_tokens;
mod score;
mod tensor;
mod text;
mod training;

#[doc(hidden)]
pub mod fuzzing;

pub use cache::{CacheEntry, cache_dir};
pub use cache_usage::{CACHE_LIMIT_BYTES, CacheUsage, cache_usage, limit_cache};
pub use decoder::ImageDecoder;
pub use denoiser::{
    ClipBatch, ClipSpec, ConditionedPictures, DenoiserBatch, DenoiserSpec, Family, ImageCondition,
    OnnxDenoiser, PictureBatch, Samples,
};
pub use embedding::MotionEmbedding;
#[cfg(feature = "tract")]
pub use engine::BuiltIn;
#[cfg(feature = "onnxruntime")]
pub use engine::OnnxRuntime;
pub use engine::{
    Engine, EngineChoice, EngineOptions, EngineReport, GraphOptimization, ModelSource, OpenEngine,
    Provider, Session, SessionOptions, open_engine,
};
pub use error::RuntimeError;
pub use gradient::{Activations, GradientSession};
pub use hash::{sha256_hex, sha256_of_file};
pub use install::{InstallProgress, install};
pub use installed::check_installed;
pub use library::{LibraryOrigin, find_library};
pub use network::{NetworkGradient, OnnxNetwork, PixelHints};
pub use package::{
    Classes, Conditioning, Constants, DataEntry, Defaults, FileEntry, FoundPackage, ImageSize,
    LatentSize, Lineage, MANIFEST_FILE, MAX_NAME_BYTES, Manifest, ModelKind, ModelSummary,
    NullText, Package, Prediction, Reference, Representation, RepresentationKind, Role, SCHEMA,
    ScheduleKind, ScheduleSpec, TensorSummary, TimeInput, TrainedText, find_package, inspect,
    list_packages, package_folders, user_models, write_package,
};
pub use pins::{InstallKind, ONNX_RUNTIME_VERSION};
pub use score::{ScoreInput, ScoreNetwork};
pub use tensor::Tensor;
pub use text::{ImageText, TextBatch, TextEncoder};
pub use training::{Adam, DenoiserTrainer, TrainingClips, TrainingSession, WeightChoice};
