//! Losses on images `[batch, channels, height, width]`, pixels in −1..1, with exact gradients.
//!
//! - [`ImageOperator`] is a linear operator with its adjoint; [`LinearMeasurement`] steers by what one
//!   measures, and [`resized`] resizes a plane.
//! - [`ImageAugmentation`] changes images at random; [`Augmented`] is the mean of a loss over such changes.
//! - [`Preprocessing`] makes of our pictures what a [`Network`] sees, a [`PixelFormat`];
//!   [`ClassLoss`], [`RewardLoss`], [`MaskMatch`] and [`AsEmbedding`] are losses of networks.
//! - [`EdgeMatch`] and [`ColourStatistics`] need no network. [`DecodedLossAdapter`] takes a loss to latents.

mod augmentation;
mod augmented;
mod batch;
mod colour;
mod decoded;
mod edges;
mod measurement;
mod network;
mod operator;
mod preprocessed;
mod preprocessing;

pub use augmentation::ImageAugmentation;
pub use augmented::Augmented;
pub use colour::{ColourStatistics, ColourTarget};
pub use decoded::DecodedLossAdapter;
pub use edges::{EDGE_HALF, EdgeMatch, edge_map};
pub use measurement::LinearMeasurement;
pub use network::{AsEmbedding, ClassLoss, MaskMatch, Network, NetworkPullBack, RewardLoss};
pub use operator::{ImageOperator, Interpolation, resized};
pub use preprocessed::{Preprocessed, PreprocessedLoss};
pub use preprocessing::{ChannelOrder, PixelFormat, PixelLayout, Preprocessing};
