//! Pictures from exported image diffusion models, steered by a text, a mask, a drawing, a likeness,
//! colours, a class, a reward or a measurement.
//!
//! ```no_run
//! use kinograd::image::{ImageGenerator, PictureTask};
//! use kinograd::runtime::EngineOptions;
//!
//! let task = PictureTask::builder().prompt("a red heart").seed(3).build()?;
//! let mut generator = ImageGenerator::open(&task, &EngineOptions::default())?;
//! let images = generator.generate(&task, &mut ())?;
//! images[0].save("heart.png".as_ref())?;
//! # Ok::<(), kinograd::Error>(())
//! ```

mod generated;
mod generator;
mod goals;
mod judge;
mod keep;
mod losses;
mod network_input;
mod optimization;
mod optimize;
mod own_network;
mod picture;
mod task;
mod told;
mod trace;

pub use generated::{GeneratedImage, ImageReport, save_strip, save_trace};
pub use generator::{ImageGenerator, PictureModality};
pub use goals::{PictureGoal, PictureGoalKind};
pub use keep::Keep;
pub use losses::PairEncoders;
pub use network_input::NetworkInput;
pub use optimization::ImageOptimization;
pub use optimize::OptimizedImages;
pub use picture::{MAX_SIDE_PX, Picture, ReadPicture, tiled};
pub use task::{
    ImageModels, PictureConditioning, PictureGuidance, PictureSpec, PictureTask, PictureTaskBuilder,
};
pub use told::is_text_conditioned;
pub use trace::Trace;

pub use kinograd_image::{
    AsEmbedding, Augmented, ChannelOrder, ClassLoss, ColourStatistics, ColourTarget,
    DecodedLossAdapter, EDGE_HALF, EdgeMatch, ImageAugmentation, ImageOperator, Interpolation,
    LinearMeasurement, MaskMatch, Network, NetworkPullBack, PixelFormat, PixelLayout, Preprocessed,
    PreprocessedLoss, Preprocessing, RewardLoss, edge_map, resized,
};
