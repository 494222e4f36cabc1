//! Pictures from exported image diffusion models, steered by a text, a mask, a drawing, a likeness,
//! colours, a class, a reward or a measurement.
//!
//! ```no_run
//! use kinograd::image::{ImageGenerator, ImageRequest};
//! use kinograd::runtime::EngineOptions;
//!
//! let request = ImageRequest::builder().prompt("a red heart").seed(3).build()?;
//! let mut generator = ImageGenerator::open(&request, &EngineOptions::default())?;
//! let images = generator.generate(&request, &mut ())?;
//! images[0].save("heart.png".as_ref())?;
//! # Ok::<(), kinograd::Error>(())
//! ```

mod conditions;
mod generated;
mod generator;
mod losses;
mod optimize;
mod picture;
mod request;
mod told;
mod trace;

pub(crate) use losses::Towers;

pub use conditions::{Condition, Goal};
pub use generated::{GeneratedImage, ImageReport, ImageTimings, save_strip};
pub use generator::ImageGenerator;
pub use optimize::{ImageOptimization, ImageRound, ImageRounds, OptimizedImages};
pub use picture::{MAX_SIDE_PX, Picture, ReadPicture, provenance, tiled};
pub use request::{ImageModels, ImageRequest, ImageRequestBuilder, Keep, MAX_IMAGES, STEERING};
pub use told::is_told;
pub use trace::{Trace, save_trace};
