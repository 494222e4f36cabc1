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
//! | `features` | `f32 [frames, 263]` | motion features, not normalised; may be absent |
//! | `joint_names` | `u8 [n]` | JSON list in UTF-8 |
//! | `provenance` | `u8 [n]` | JSON object in UTF-8 |
//!
//! No pickles. In Python: `json.loads(clip["provenance"].tobytes())`.

use std::fs::File;
use std::io::{self, BufReader, Cursor};
use std::path::Path;

use glam::{DQuat, DVec3};
use ndarray::{Array0, Array1, Array2, Array3, Dimension, OwnedRepr};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpzError, ReadableElement, WriteNpzError};

use kinograd_motion::{Motion, MotionError, Provenance, Skeleton, joints_array, write_atomic};

use crate::format::{Format, StoredClip};

/// NumPy arrays.
pub const FORMAT: Format = Format {
    name: "NPZ",
    extension: "npz",
    holds_features: true,
    read: |path, _| {
        let npz = read_npz(path)?;
        Ok(StoredClip {
            motion: npz.motion,
            features: npz.features,
            provenance: Some(npz.provenance),
        })
    },
    write: |path, clip| write_npz(path, clip.motion, clip.features, clip.provenance),
    read_record: Some(|path| Ok(Some(read_npz(path)?.provenance))),
};

/// A clip read from an NPZ archive.
#[derive(Debug, Clone, PartialEq)]
pub struct NpzClip {
    /// Rotations on a skeleton.
    pub motion: Motion,
    /// Joint positions, `[frames, joints, 3]`, metres, Y up.
    pub joints: Array3<f32>,
    /// Features, `[frames, 263]`, not normalised, where the archive has them.
    pub features: Option<Array2<f32>>,
    /// How the clip came to be.
    pub provenance: Provenance,
}

/// Writes a clip as an uncompressed NPZ archive (the module's documentation lists the arrays),
/// whole or not at all. `features`: `[frames, 263]`, not normalised.
///
/// # Errors
/// [`MotionError::Io`] with the path, [`MotionError::Clip`] for a motion that is empty or not
/// finite, [`MotionError::Shape`] for features of another length.
pub fn write_npz(
    path: &Path,
    motion: &Motion,
    features: Option<&Array2<f32>>,
    provenance: &Provenance,
) -> Result<(), MotionError> {
    motion.check_storable()?;
    if let Some(features) = features
        && features.nrows() != motion.len()
    {
        return Err(MotionError::Shape {
            what: "features",
            expected: format!("[{}, 263]", motion.len()),
            got: features.shape().to_vec(),
        });
    }
    let bytes = npz_bytes(motion, features, provenance)?;
    write_atomic(path, |file| io::Write::write_all(file, &bytes))
}

fn npz_bytes(
    motion: &Motion,
    features: Option<&Array2<f32>>,
    provenance: &Provenance,
) -> Result<Vec<u8>, MotionError> {
    let (frames, joints) = (motion.len(), motion.skeleton.len());
    let root = Array2::from_shape_fn((frames, 3), |(f, axis)| motion.root_in_world_m[f][axis]);
    let rotations = Array3::from_shape_fn((frames, joints, 4), |(f, j, axis)| {
        motion.local_rotations[f][j].to_array()[axis]
    });
    let parents: Array1<i64> = motion
        .skeleton
        .parents
        .iter()
        .map(|parent| parent.map_or(-1, |parent| parent as i64))
        .collect();
    let offsets =
        Array2::from_shape_fn((joints, 3), |(j, axis)| motion.skeleton.offsets_m[j][axis]);
    let names = serde_json::to_vec(&motion.skeleton.names).map_err(|e| bad(e.to_string()))?;

    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    npz.add_array("joints", &joints_array(motion))
        .and_then(|()| npz.add_array("root", &root))
        .and_then(|()| npz.add_array("local_rotations", &rotations))
        .and_then(|()| npz.add_array("fps", &Array0::from_elem((), motion.fps)))
        .and_then(|()| npz.add_array("parents", &parents))
        .and_then(|()| npz.add_array("offsets", &offsets))
        .and_then(|()| npz.add_array("joint_names", &Array1::from_vec(names)))
        .map_err(written)?;
    if let Some(features) = features {
        npz.add_array("features", features).map_err(written)?;
    }
    let record = Array1::from_vec(provenance.to_json()?.into_bytes());
    npz.add_array("provenance", &record).map_err(written)?;
    Ok(npz.finish().map_err(written)?.into_inner())
}

/// Reads a clip that [`write_npz`] wrote.
///
/// # Errors
/// [`MotionError::Io`] with the path, [`MotionError::Format`] naming the array that is missing or
/// of another type, [`MotionError::Shape`] for one that does not fit the others.
pub fn read_npz(path: &Path) -> Result<NpzClip, MotionError> {
    let file = File::open(path).map_err(|source| MotionError::Io {
        path: path.to_path_buf(),
        source,
    })?;
    let named = |message: String| bad(format!("{}: {message}", path.display()));
    let mut npz = NpzReader::new(BufReader::new(file)).map_err(|e| named(e.to_string()))?;

    let skeleton = read_skeleton(&mut npz).map_err(|e| named(e.to_string()))?;
    let joints_len = skeleton.len();
    let root: Array2<f64> = array(&mut npz, "root")?;
    let frames = root.nrows();
    let rotations: Array3<f64> = array(&mut npz, "local_rotations")?;
    let joints: Array3<f32> = array(&mut npz, "joints")?;
    expect_shape("root", root.shape(), &[frames, 3])?;
    expect_shape(
        "local_rotations",
        rotations.shape(),
        &[frames, joints_len, 4],
    )?;
    expect_shape("joints", joints.shape(), &[frames, joints_len, 3])?;
    let fps = array::<f64, ndarray::Ix0, _>(&mut npz, "fps")?.into_scalar();

    let names = npz.names().map_err(|e| named(e.to_string()))?;
    let has = |name: &str| names.iter().any(|n| n.trim_end_matches(".npy") == name);
    let features = if has("features") {
        let features: Array2<f32> = array(&mut npz, "features")?;
        expect_shape("features", features.shape(), &[frames, features.ncols()])?;
        Some(features)
    } else {
        None
    };
    let provenance = if has("provenance") {
        let record: Array1<u8> = array(&mut npz, "provenance")?;
        serde_json::from_slice(&record.to_vec()).map_err(|e| named(format!("`provenance`: {e}")))?
    } else {
        Provenance::default()
    };

    let quaternion = |f: usize, j: usize| {
        let q = DQuat::from_array(std::array::from_fn(|axis| rotations[[f, j, axis]]));
        if q.length_squared() > 1e-12 {
            q.normalize()
        } else {
            DQuat::NAN
        }
    };
    let motion = Motion {
        skeleton,
        fps,
        root_in_world_m: (0..frames)
            .map(|f| DVec3::from_array(std::array::from_fn(|axis| root[[f, axis]])))
            .collect(),
        local_rotations: (0..frames)
            .map(|f| (0..joints_len).map(|j| quaternion(f, j)).collect())
            .collect(),
    };
    motion.check_storable()?;
    Ok(NpzClip {
        motion,
        joints,
        features,
        provenance,
    })
}

fn read_skeleton<R: io::Read + io::Seek>(npz: &mut NpzReader<R>) -> Result<Skeleton, MotionError> {
    let parents: Array1<i64> = array(npz, "parents")?;
    let offsets: Array2<f64> = array(npz, "offsets")?;
    let names: Array1<u8> = array(npz, "joint_names")?;
    let names: Vec<String> = serde_json::from_slice(&names.to_vec())
        .map_err(|error| bad(format!("`joint_names`: {error}")))?;
    expect_shape("parents", parents.shape(), &[names.len()])?;
    expect_shape("offsets", offsets.shape(), &[names.len(), 3])?;
    let parents = parents
        .iter()
        .enumerate()
        .map(|(joint, &parent)| match usize::try_from(parent) {
            Err(_) if parent == -1 && joint == 0 => Ok(None),
            Ok(parent) if parent < joint => Ok(Some(parent)),
            _ => Err(bad(format!(
                "`parents`: joint {joint} has parent {parent}; parents come before their children"
            ))),
        })
        .collect::<Result<_, _>>()?;
    Ok(Skeleton {
        offsets_m: (0..names.len())
            .map(|j| DVec3::from_array(std::array::from_fn(|axis| offsets[[j, axis]])))
            .collect(),
        names,
        parents,
    })
}

fn array<T, D, R>(
    npz: &mut NpzReader<R>,
    name: &'static str,
) -> Result<ndarray::ArrayBase<OwnedRepr<T>, D>, MotionError>
where
    T: ReadableElement,
    D: Dimension,
    R: io::Read + io::Seek,
{
    npz.by_name(name)
        .map_err(|error: ReadNpzError| bad(format!("array `{name}`: {error}")))
}

fn expect_shape(what: &'static str, got: &[usize], expected: &[usize]) -> Result<(), MotionError> {
    if got == expected {
        return Ok(());
    }
    Err(MotionError::Shape {
        what,
        expected: format!("{expected:?}"),
        got: got.to_vec(),
    })
}

fn bad(message: String) -> MotionError {
    MotionError::Format {
        format: "NPZ",
        message,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err wants")]
fn written(error: WriteNpzError) -> MotionError {
    bad(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd_motion::synth::synth_walk;

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
