//! What a task may ask for, in one place.

use std::ops::RangeInclusive;

/// The schema that this version writes.
pub const SCHEMA: u32 = 2;
/// The schema of scenes, which tasks extend: its fields mean the same, and what it lacks has defaults.
pub(crate) const SCENE_SCHEMA: u32 = 1;
/// Frames per second the model works at.
pub(crate) const MODEL_FPS: f64 = 20.0;
/// The package that is taken where a task names none.
pub const DEFAULT_MODEL: &str = "motion-base";

/// Longest prompt in characters; the tokenizer would cut anything much longer.
pub const MAX_PROMPT_CHARS: usize = 1000;
/// Most clips or pictures of one task.
pub const MAX_COUNT: usize = 1000;
/// Most draws for each clip or picture.
pub(crate) const MAX_BEST_OF: usize = 100;
/// Most denoising steps.
pub(crate) const MAX_STEPS: usize = 1000;
/// Denoising steps of clips where neither task nor package says.
pub(crate) const USUAL_STEPS: usize = 20;
/// Longest clip of any model, seconds; a package says what its own is.
pub(crate) const MAX_DURATION_SECS: f64 = 600.0;
/// Length of a clip that nothing else is said of, seconds.
pub(crate) const DEFAULT_DURATION_SECS: f64 = 6.0;
/// Frames per second of a file.
pub(crate) const FPS: RangeInclusive<f64> = 1.0..=240.0;
/// Classifier-free guidance scale.
pub(crate) const CFG: RangeInclusive<f64> = 0.0..=20.0;
/// Weights and scales.
pub(crate) const SCALE: RangeInclusive<f64> = 0.0..=1e6;
/// Most steps of a method that optimises the noise.
pub(crate) const MAX_ITERATIONS: usize = 10_000;
/// Most visits of one step.
pub(crate) const MAX_RESAMPLING: usize = 100;
/// Straight-line speed above which a place is called out of reach, m/s: above a jog, which nobody
/// keeps up from a standing start.
pub(crate) const FAST_M_PER_S: f64 = 2.6;
/// Most augmentations of a step.
pub(crate) const MAX_AUGMENTATIONS: usize = 200;
