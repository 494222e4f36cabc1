//! Steerable motion generation from exported ONNX diffusion models: a prompt, a place to reach and
//! things to walk round in, clips out.
//!
//! ```no_run
//! use kinograd::{MotionGenerator, Task, runtime::EngineOptions};
//!
//! let task = Task::builder("a person walks forward")
//!     .target(2.0, 3.0)
//!     .obstacle(1.0, 1.5, 0.5)
//!     .build()?;
//! let mut generator = MotionGenerator::open(task.model(), &EngineOptions::default())?;
//! for clip in generator.generate(&task, &mut ())? {
//!     clip.save("walk.glb".as_ref())?;
//! }
//! # Ok::<(), kinograd::Error>(())
//! ```
//!
//! - A [`Task`] says what to make and refuses what cannot be; [`MotionGenerator`] runs it with a model
//!   package on an engine; an [`Observer`] follows a run and may stop it.
//! - [`Clip`] reads and writes GLB, FBX, BVH and NPZ, and draws PNG sheets; [`mod@render`] makes pictures
//!   and films.
//! - [`image`] makes pictures, steered by texts, masks, drawings, likenesses and measurements.
//! - [`gradient`] writes the gradient of any ONNX model; [`models`] checks packages and makes them.
//! - [`diagnose`] measures how a model, losses and a method go together, and says what to change;
//!   [`optimize`] makes a reward of clips rise without leaving what the model makes.
//! - [`plot`] draws numbers. The crate `kinograd-dataset` imports motion capture, `kinograd-eval`
//!   measures models, machines and guidance methods.
//!
//! World: metres, Y up, right-handed; a clip starts at the origin facing +Z, left is +X. Places on
//! the ground are (x, z).
//!
//! The crates below are re-exported, for losses and methods of one's own: [`diffusion`],
//! [`draw`], [`formats`], [`guidance`], [`motion`], [`runtime`], [`onnx_grad`].

mod body;
mod character;
mod clip;
mod contacts;
pub mod diagnose;
mod encode;
mod error;
mod format;
mod generator;
pub mod gradient;
pub mod graph;
pub mod image;
mod judge;
mod known;
mod marks;
mod network_loss;
mod observer;
pub mod optimize;
mod postprocess;
mod record;
pub mod render;
pub mod task;
mod text_loss;
mod warning;
mod words;

pub use clip::{Clip, ClipReport, SaveOptions, save_report};
pub use error::Error;
pub use format::{FileFormat, check_output, serialize_path, serialize_paths};
pub use generator::{
    Generator, MakeLoss, Modality, MotionGenerator, MotionModality, OpenModel, Timings, Trajectory,
};
pub use judge::MotionEvaluator;
pub use observer::{Denoised, Event, Observer};
pub use record::read_record;
pub use task::{RigSettings, TravelSetting, open_character};
pub use task::{Task, TaskBuilder, TaskSpec};
pub use warning::Warning;

pub use kinograd_diffusion::SamplerKind;
pub use kinograd_guidance::Method;
pub use kinograd_guidance::goal;
pub use kinograd_guidance::goal::{Goal, GoalOutcome, Obstacle};

pub use kinograd_diffusion as diffusion;
pub use kinograd_draw as draw;
pub use kinograd_draw::plot;
pub use kinograd_formats as formats;
pub use kinograd_formats::{Character, CharacterReport, KnownBy, LoadOptions, Reading};
pub use kinograd_guidance as guidance;
pub use kinograd_import as models;
pub use kinograd_motion as motion;
pub use kinograd_runtime as runtime;
pub use onnx_grad;

/// Sets how many threads the work on motion takes; 0 is one per core. Only the first call counts.
///
/// # Errors
/// [`Error::Request`] for more than [`kinograd_files::Budget::threads`].
pub fn use_threads(threads: usize) -> Result<(), Error> {
    let budget = kinograd_files::Budget::of_process();
    budget.check("threads", threads as u64, budget.threads)?;
    if threads > 0 {
        // An error means that the pool runs already, with as many threads as it was given then.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global();
    }
    Ok(())
}
