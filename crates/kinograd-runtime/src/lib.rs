//! ONNX sessions on ONNX Runtime or a built-in engine, and model packages.
//!
//! - [`open_engine`] gives an [`Engine`]: ONNX Runtime where its library is found, else the
//!   built-in one (tract), which needs nothing installed.
//! - [`Engine::load`] makes a [`Session`] of a [`ModelSource`]; [`Session::run`] takes and returns
//!   [`Tensor`]s, which stay where they were made.

mod cache;
mod engine;
mod error;
mod hash;
mod library;
mod tensor;

pub use cache::cache_dir;
pub use engine::{
    BuiltIn, Engine, EngineChoice, EngineOptions, EngineReport, GraphOptimization, ModelSource,
    OnnxRuntime, OpenEngine, Provider, Session, SessionOptions, open_engine,
};
pub use error::RuntimeError;
pub use hash::{sha256_hex, sha256_of_file};
pub use library::{InstallKind, LibraryOrigin, ONNX_RUNTIME_VERSION, find_library};
pub use tensor::Tensor;
