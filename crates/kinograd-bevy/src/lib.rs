//! Guided motion in Bevy games.
//!
//! - [`KinogradPlugin`]: [`MotionClip`] assets, [`MotionPlayer`]s and [`MotionRequest`]s, with or without
//!   rendering.
//! - [`CharacterPlugin`] draws them as mannequins, [`RigPlugin`] as characters of GLB files.
//! - [`Generation`] makes clips on a thread of its own; [`edit`] moves the goals of a task.
//!
//! World: metres, Y up; a clip starts at the origin facing +Z, left is +X. Motion itself is computed by the
//! `kinograd` crate.

#![expect(clippy::type_complexity, reason = "a system's queries are its types")]

mod character;
mod clip;
pub mod edit;
mod failure;
mod game;
mod generation;
mod player;
mod pose;

pub use character::{
    AlarmMaterials, Binding, BodyMaterial, BodyMeshes, BodyPart, Bound, CharacterAssets,
    CharacterPlugin, Joints, Mannequin, Part, Penetrations, RevolvedMesh, Rig, RigJoint, RigPlugin,
    Ring, parts, rounded,
};
pub use clip::{MotionClip, MotionClipError, MotionClipLoader};
pub use failure::Failure;
pub use game::{ClipPlugin, KinogradPlugin, MotionFailed, MotionReady, MotionRequest};
pub use generation::{
    Generation, GenerationUpdate, Job, JobId, Made, MakeSettings, StepRecord, Ticket, Update,
    receive_updates, words,
};
pub use player::{Fade, MotionPlayer, PlayerPlugin, PlayerSystems, advanced};
pub use pose::{Pose, blend, sample};
