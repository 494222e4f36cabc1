#![doc = include_str!("../README.md")]

mod axes;
mod data_type;
mod derive;
mod error;
mod footprint;
mod graph;
mod model;
mod passes;
pub mod proto;
mod request;
mod rules;
mod size;
mod tensor;

pub use data_type::DataType;
pub use derive::differentiate;
pub use error::{Error, Result};
pub use model::{Dimension, Model, TensorInfo};
pub use request::{Gradient, GradientInfo, Joint, Mode, Request, SavedInfo, Seed, Split, Weights};
pub use rules::{OpInfo, supported_ops};
