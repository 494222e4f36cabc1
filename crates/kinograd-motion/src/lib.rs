//! Skeletons, BVH, motion features and their adjoints, data sets, foot lock and export.

pub mod bvh;
pub mod captions;
pub mod dataset;
mod error;
pub mod features;
pub mod ik;
pub mod mapping;
mod mirror;
mod motion;
pub mod resample;
pub mod retarget;
pub mod segment;
mod skeleton;

pub mod export;
mod foot_lock;
pub mod metrics;
pub mod sheet;
pub mod synth;

pub use export::glb::{GlbOptions, glb_bytes, glb_provenance, read_glb, write_glb};
pub use export::npz::{NpzClip, joints_array, read_npz, write_npz};
pub use export::{Provenance, write_atomic};
pub use foot_lock::{
    FootLockOptions, FootLockReport, contacts_from_features, contacts_from_joints, foot_lock,
};

pub use features::{FEATURE_FPS, FEATURES, Normalizer, decode_root_path, decode_root_path_vjp};
pub use mirror::{MIRRORED_JOINTS, mirror};

pub use error::MotionError;
pub use motion::Motion;
pub use skeleton::{JOINT_NAMES, JOINTS, PARENTS, REST_OFFSETS, Skeleton};
