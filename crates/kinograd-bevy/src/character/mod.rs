//! Characters: the procedural mannequin, its joints and its colours.

mod body;
mod build;
mod lathe;
mod mannequin;
mod retarget;
mod rig;
mod wear;

pub use body::{BodyMaterial, Part, parts};
pub use build::{AlarmMaterials, BodyMeshes, BodyPart, CharacterPlugin};
pub use lathe::{RevolvedMesh, Ring, rounded};
pub use mannequin::{Joints, Mannequin, Penetrations};
pub use retarget::{Binding, RigJoint};
pub use rig::Bound;
pub use rig::RigPlugin;
pub use wear::{CharacterAssets, Rig};
