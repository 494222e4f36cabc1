//! Characters: any humanoid skeleton, and clips of the canonical body on it.
//!
//! ```
//! use kinograd_motion::mapping::Mapping;
//! use kinograd_motion::rig::{Rig, RigOptions};
//! use kinograd_motion::synth::synth_walk;
//! use kinograd_motion::Skeleton;
//!
//! let skeleton = Skeleton::canonical();
//! let mapping = Mapping::automatic(&skeleton)?;
//! let rig = Rig::new(skeleton, &mapping, None)?;
//! let on_rig = rig.retarget(&synth_walk(1.2, 1.0, 20.0), &RigOptions::default())?;
//! assert_eq!(on_rig.motion.skeleton.names.len(), 22);
//! assert!(on_rig.report.effector_error_p95_m < 0.01);
//! # Ok::<(), kinograd_motion::MotionError>(())
//! ```

mod driver;
mod limbs;
mod parts;
mod pose;
mod report;
mod retarget;

pub use driver::BindPose;
pub use parts::{Doubt, PartOfRig, Parts};
pub use report::{Gate, RigReport};
pub use retarget::{OnRig, Rig, RigFrame, RigOptions, Travel};
