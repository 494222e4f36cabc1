//! Skeletons, motion features and their adjoints, kinematics, retargeting, foot lock and metrics.

mod above_floor;
mod atomic;
mod close_loop;
mod error;
pub mod export;
pub mod features;
pub mod ik;
pub mod mapping;
mod mirror;
mod motion;
mod pose;
mod provenance;
pub mod resample;
pub mod retarget;
pub mod rig;
mod skeleton;

mod foot_lock;
pub mod metrics;
pub mod synth;
pub mod trajectory;

pub use above_floor::{keep_above_floor, lower_to_floor};
pub use atomic::write_atomic;
pub use close_loop::{close_loop, edit_loop};
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
pub use pose::Pose;
pub use provenance::Provenance;
pub use skeleton::{JOINT_NAMES, JOINTS, PARENTS, REST_OFFSETS, Skeleton};
