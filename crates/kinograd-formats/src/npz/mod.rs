//! Clips as NPZ archives, for NumPy and for ourselves.
//!
//! | array | dtype and shape | meaning |
//! |---|---|---|
//! | `joints` | `f32 [frames, joints, 3]` | joint positions in the world, metres, Y up |
//! | `root` | `f64 [frames, 3]` | root position in the world, metres |
//! | `local_rotations` | `f64 [frames, joints, 4]` | unit quaternions x, y, z, w; the root's in the world |
//! | `fps` | `f64 []` | frames per second |
//! | `parents` | `i64 [joints]` | parent of each joint, −1 for the root |
//! | `offsets` | `f64 [joints, 3]` | rest offsets from the parent, metres |
//! | `translated_joints` | `i64 [n]` | joints whose offsets move; absent where none do |
//! | `translations` | `f64 [n, frames, 3]` | their offsets from the parent, in its frame, metres |
//! | `features` | `f32 [frames, 263]` | motion features, not normalised; may be absent |
//! | `joint_names` | `u8 [n]` | JSON list in UTF-8 |
//! | `provenance` | `u8 [n]` | JSON object in UTF-8 |
//!
//! Other people's arrays are read too, as NPZ or NPY, by their names and shapes (`others.rs`):
//! joints `[frames, 22, 3]` and features `[frames, 263]` of HumanML3D, a text-to-motion model's
//! `[clips, 22, 3, frames]`, and SMPL poses with a root's way, as of AMASS.
//!
//! No pickles. In Python: `json.loads(clip["provenance"].tobytes())`.

mod array;
mod others;
mod own;
mod write;

use std::path::Path;

use kinograd_motion::{MotionError, Provenance};

use crate::format::{Format, LoadOptions, SourceClip};
use array::Arrays;

pub use own::{NpzClip, read_npz};
pub use write::write_npz;

/// NumPy arrays.
pub const FORMAT: Format = Format {
    name: "NPZ",
    extension: "npz",
    also_reads: &["npy"],
    holds_features: true,
    read: load,
    write: |path, clip| write_npz(path, clip.motion, clip.features, clip.provenance),
    read_record: Some(record),
};

fn load(path: &Path, options: &LoadOptions) -> Result<SourceClip, MotionError> {
    let arrays = Arrays::read(path)?;
    if own::is_own(&arrays) {
        return own::source(&arrays);
    }
    others::source(&arrays, options)
}

fn record(path: &Path) -> Result<Option<Provenance>, MotionError> {
    own::record(&Arrays::read(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd_motion::joints_array;
    use kinograd_motion::synth::synth_walk;
    use ndarray::Array2;

    #[test]
    fn reads_back_what_it_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("walk.npz");
        let motion = synth_walk(1.2, 1.0, 20.0);
        let features = Array2::from_shape_fn((motion.len(), 263), |(f, c)| (f * 263 + c) as f32);
        let mut provenance = Provenance::new().by_command("test \"é\"");
        provenance.seed = Some(u64::MAX);
        write_npz(&path, &motion, Some(&features), &provenance).unwrap();
        let clip = read_npz(&path).unwrap();
        assert_eq!(clip.motion.skeleton, motion.skeleton);
        assert_eq!(clip.motion.root_in_world_m, motion.root_in_world_m);
        assert_eq!(clip.features.as_ref(), Some(&features));
        assert_eq!(clip.provenance, provenance);
        let error = joints_array(&clip.motion) - &clip.joints;
        assert!(error.iter().all(|e| e.abs() < 1e-6));
        let first = std::fs::read(&path).unwrap();
        write_npz(&path, &motion, Some(&features), &provenance).unwrap();
        assert_eq!(
            first,
            std::fs::read(&path).unwrap(),
            "same clip, same bytes"
        );
    }

    #[test]
    fn refuses_what_is_not_a_clip() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("walk.npz");
        assert!(
            read_npz(&path)
                .unwrap_err()
                .to_string()
                .contains("walk.npz")
        );
        std::fs::write(&path, b"PK\x03\x04 not really").unwrap();
        assert!(
            read_npz(&path)
                .unwrap_err()
                .to_string()
                .contains("walk.npz")
        );

        let mut motion = synth_walk(1.2, 0.5, 20.0);
        let provenance = Provenance::default();
        let short = Array2::zeros((3, 263));
        let error = write_npz(&path, &motion, Some(&short), &provenance).unwrap_err();
        assert!(matches!(
            error,
            MotionError::Shape {
                what: "features",
                ..
            }
        ));
        motion.root_in_world_m[2].x = f64::NAN;
        assert!(write_npz(&path, &motion, None, &provenance).is_err());
        motion.root_in_world_m.clear();
        motion.local_rotations.clear();
        assert!(write_npz(&path, &motion, None, &provenance).is_err());
    }
}
