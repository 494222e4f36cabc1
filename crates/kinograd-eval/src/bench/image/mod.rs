//! Guidance methods on pictures: the same prompts, masks, drawings and seeds for all.

mod figures;
mod protocol;
mod record;
mod run;
mod shape;
mod tables;
mod targets;
mod tune;

pub use protocol::{ImageCandidate, ImageGoal, ImageProtocol};
pub use record::{FailedPicture, ImageSummary, PictureRecord};
pub use run::{AugmentationCost, ImageBenchReport, ImageRow, image};
pub use shape::Shape;
pub use tune::{ImageTrial, ImageTuneReport, TunedImageMethod, tune_image};
