//! Guidance methods beside each other: the same prompts, goals, obstacles and seeds for all.

mod figures;
mod guidance;
mod image;
mod record;
mod run;
mod scenario;
mod search;
mod tables;
mod trajectory;
mod tune;
mod watch;

pub use guidance::{Budget, GuidanceProtocol, GuidanceReport, GuidanceRow, guidance};
pub use image::{
    AugmentationCost, FailedPicture, ImageBenchReport, ImageCandidate, ImageGoal, ImageProtocol,
    ImageRow, ImageSummary, ImageTrial, ImageTuneReport, PictureRecord, Shape, TunedImageMethod,
    image, tune_image,
};
pub use record::{Candidate, ClipRecord, FailedClip, Summary};
pub use run::Clock;
pub use scenario::{Scenario, measure_scenarios};
pub use trajectory::{
    Keys, TrajectoryProtocol, TrajectoryRecord, TrajectoryReport, TrajectoryRow, TrajectorySource,
    trajectory,
};
pub use tune::{Trial, TuneProtocol, TuneReport, TunedMethod, tune};
