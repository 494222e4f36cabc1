#![doc = include_str!("../README.md")]

mod assemble;
mod build;
mod derive;
mod dim;
mod error;
mod footprint;
mod functions;
mod grad;
mod graph;
mod load;
mod model;
mod ops;
mod partition;
pub mod proto;
mod refusal;
mod request;
mod reverse;
mod scope;
mod size;
mod tensor;
mod weights;

pub use derive::differentiate;
pub use error::{Error, Result};
pub use model::{DataType, Dimension, Model, TensorInfo};
pub use ops::{OpInfo, supported_ops};
pub use request::{Gradient, GradientInfo, Joint, Mode, Request, SavedInfo, Seed, Split, Weights};
