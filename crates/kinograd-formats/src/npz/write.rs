//! Writing of NPZ archives.

use std::io::{self, Cursor};
use std::path::Path;

use glam::DVec3;
use kinograd_motion::{Motion, MotionError, Provenance, joints_array, write_atomic};
use ndarray::{Array0, Array1, Array2, Array3};
use ndarray_npy::{NpzWriter, WriteNpzError};

use super::array::bad;

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
    if !motion.translations.is_empty() {
        let joints: Array1<i64> = motion.translations.keys().map(|&j| j as i64).collect();
        let ways: Vec<&Vec<DVec3>> = motion.translations.values().collect();
        let ways =
            Array3::from_shape_fn((ways.len(), frames, 3), |(at, f, axis)| ways[at][f][axis]);
        npz.add_array("translated_joints", &joints)
            .and_then(|()| npz.add_array("translations", &ways))
            .map_err(written)?;
    }
    if let Some(features) = features {
        npz.add_array("features", features).map_err(written)?;
    }
    let record = Array1::from_vec(provenance.to_json()?.into_bytes());
    npz.add_array("provenance", &record).map_err(written)?;
    Ok(npz.finish().map_err(written)?.into_inner())
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err wants")]
fn written(error: WriteNpzError) -> MotionError {
    bad(error.to_string())
}
