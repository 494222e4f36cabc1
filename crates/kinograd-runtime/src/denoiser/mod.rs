//! Denoisers of model packages: what differs between families of networks and between clips and
//! pictures stands in a file each.

mod batch;
mod clips;
mod family;
mod layout;
mod onnx;
mod pictures;
mod rows;
mod spec;

pub use batch::{ClipBatch, DenoiserBatch, ImageCondition, PictureBatch};
pub(crate) use clips::ClipLayout;
pub use clips::ClipSpec;
pub use family::Family;
pub use onnx::OnnxDenoiser;
pub(crate) use onnx::not_loaded;
pub use pictures::ConditionedPictures;
pub use spec::{DenoiserSpec, Samples};
