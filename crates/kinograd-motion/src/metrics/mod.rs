//! Numbers that say how good clips are: physics of one clip, how well it meets its goals, and
//! distances between sets of embeddings.

mod embedding;
mod goal;
mod physics;
mod seam;
mod slide;
mod symmetric;

pub use embedding::{
    Gaussian, diversity, frechet_distance, multimodal_distance, nearest_neighbour_distances,
    r_precision,
};
pub use goal::{
    KeyframeErrors, deepest_penetration_m, is_implausibly_fast, keyframe_errors, target_error_m,
};
pub use physics::{
    SpeedStats, bone_length_std_m, foot_skate_ratio, mean_jerk, root_speed, skate_ratio_of,
};
pub use seam::{Seam, seam};
pub use slide::{FootSlide, foot_slide};
