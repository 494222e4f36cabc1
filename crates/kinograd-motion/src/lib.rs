//! Skeletons, motion features and their adjoints, kinematics, retargeting, foot lock and metrics.

mod atomic;
mod error;
pub mod export;
pub mod features;
pub mod ik;
pub mod mapping;
mod mirror;
mod motion;
mod provenance;
pub mod resample;
pub mod retarget;
pub mod rig;
mod skeleton;

mod foot_lock;
pub mod metrics;
pub mod synth;

pub use atomic::write_atomic;
pub use foot_lock::{
    FootLockOptions, FootLockReport, contacts_from_features, contacts_from_joints, foot_lock,
};

pub use features::{
    FEATURE_FPS, FEATURES, MotionRepresentation, Normalizer, RootForm, decode_root_path,
    decode_root_path_vjp,
};
pub use mirror::{MIRRORED_JOINTS, mirror};

pub use error::MotionError;
pub use motion::{Motion, joints_array};
pub use provenance::Provenance;
pub use skeleton::{JOINT_NAMES, JOINTS, PARENTS, REST_OFFSETS, Skeleton};
