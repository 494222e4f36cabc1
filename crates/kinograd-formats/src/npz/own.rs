//! Reading of our own archives.

use std::collections::BTreeMap;
use std::path::Path;

use glam::{DQuat, DVec3};
use kinograd_files::Budget;
use kinograd_motion::{Motion, MotionError, Provenance, Skeleton};
use ndarray::{Array2, Array3};

use super::array::{Array, Arrays};
use crate::format::SourceClip;
use crate::world::probe_frames;

/// `joints` may differ from what the rotations give by this much, metres.
const JOINTS_TOLERANCE_M: f64 = 1e-3;

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

/// Reads a clip that [`write_npz`](super::write_npz) wrote. Arrays may be of any number type.
///
/// # Errors
/// [`MotionError::Io`] with the path, [`MotionError::Format`] naming the array that is missing, of
/// another type or of a shape that does not fit the others.
pub fn read_npz(path: &Path) -> Result<NpzClip, MotionError> {
    let arrays = Arrays::read(path)?;
    let motion = motion(&arrays)?;
    let joints = joints(&arrays, &motion)?;
    let shape = (motion.len(), motion.skeleton.len(), 3);
    Ok(NpzClip {
        joints: Array3::from_shape_fn(shape, |(f, j, axis)| {
            joints.data[(f * shape.1 + j) * 3 + axis] as f32
        }),
        features: features(&arrays, motion.len())?,
        provenance: record(&arrays)?.unwrap_or_default(),
        motion,
    })
}

/// Whether an archive is one of ours.
pub(super) fn is_own(arrays: &Arrays) -> bool {
    arrays.has("local_rotations") && arrays.has("parents") && arrays.has("offsets")
}

pub(super) fn source(arrays: &Arrays) -> Result<SourceClip, MotionError> {
    let motion = motion(arrays)?;
    let joints = joints(arrays, &motion)?;
    let count = motion.skeleton.len();
    let mut worst = (0.0, 0, 0);
    for frame in 0..motion.len() {
        let places = motion.joint_poses_in_world(frame).0;
        for (joint, place) in places.iter().enumerate() {
            let off = place.distance(joints.vector((frame * count + joint) * 3));
            if off > worst.0 || off.is_nan() {
                worst = (off, frame, joint);
            }
        }
    }
    let (off, frame, joint) = worst;
    if off.is_nan() || off > JOINTS_TOLERANCE_M {
        return Err(arrays.bad(format!(
            "`joints` and `local_rotations` differ by {off:.4} m at joint `{}` of frame {frame}: one \
             was edited without the other. Leave out `local_rotations` to have the joints read",
            motion.skeleton.names[joint]
        )));
    }
    let probes = probe_frames(motion.len())
        .map(|frame| (frame, motion.joint_poses_in_world(frame).0))
        .collect();
    Ok(SourceClip {
        features: features(arrays, motion.len())?,
        provenance: record(arrays)?,
        probes,
        ..SourceClip::in_metres(motion)
    })
}

/// The record of how a clip came to be; `None` where there is none.
pub(super) fn record(arrays: &Arrays) -> Result<Option<Provenance>, MotionError> {
    if !is_own(arrays) {
        return Ok(None);
    }
    if !arrays.has("provenance") {
        return Ok(Some(Provenance::default()));
    }
    let record = serde_json::from_slice(arrays.text("provenance")?);
    Ok(Some(
        record.map_err(|e| arrays.bad(format!("`provenance`: {e}")))?,
    ))
}

fn joints(arrays: &Arrays, motion: &Motion) -> Result<Array, MotionError> {
    let shape = [Some(motion.len()), Some(motion.skeleton.len()), Some(3)];
    arrays.shaped("joints", &shape)
}

fn features(arrays: &Arrays, frames: usize) -> Result<Option<Array2<f32>>, MotionError> {
    if !arrays.has("features") {
        return Ok(None);
    }
    let features = arrays.shaped("features", &[Some(frames), Some(263)])?;
    Ok(Some(Array2::from_shape_fn((frames, 263), |(f, c)| {
        features.data[f * 263 + c] as f32
    })))
}

fn motion(arrays: &Arrays) -> Result<Motion, MotionError> {
    let skeleton = skeleton(arrays)?;
    let count = skeleton.len();
    let root = arrays.shaped("root", &[None, Some(3)])?;
    let frames = root.shape[0];
    Budget::of_process().check_joint_frames(count, frames)?;
    let rotations = arrays.shaped("local_rotations", &[Some(frames), Some(count), Some(4)])?;
    let quaternion = |at: usize| {
        let q = DQuat::from_slice(&rotations.data[at * 4..at * 4 + 4]);
        // One that is unit already stays as it is to the last bit.
        let length = q.length_squared();
        if (length - 1.0).abs() < 1e-15 {
            q
        } else if length > 1e-12 {
            q.normalize()
        } else {
            DQuat::NAN
        }
    };
    let motion = Motion {
        fps: arrays.scalar("fps")?,
        root_in_world_m: (0..frames).map(|f| root.vector(f * 3)).collect(),
        local_rotations: (0..frames)
            .map(|f| (0..count).map(|j| quaternion(f * count + j)).collect())
            .collect(),
        translations: translations(arrays, frames)?,
        skeleton,
    };
    motion.check_storable().map_err(|error| arrays.bad(error))?;
    Ok(motion)
}

fn translations(
    arrays: &Arrays,
    frames: usize,
) -> Result<BTreeMap<usize, Vec<DVec3>>, MotionError> {
    if !arrays.has("translated_joints") {
        return Ok(BTreeMap::new());
    }
    let joints = arrays.shaped("translated_joints", &[None])?;
    let count = joints.data.len();
    let ways = arrays.shaped("translations", &[Some(count), Some(frames), Some(3)])?;
    let way = |at: usize| {
        (0..frames)
            .map(|f| ways.vector((at * frames + f) * 3))
            .collect()
    };
    Ok(joints
        .data
        .iter()
        .enumerate()
        .map(|(at, &joint)| (joint as usize, way(at)))
        .collect())
}

fn skeleton(arrays: &Arrays) -> Result<Skeleton, MotionError> {
    let names = arrays.names_in("joint_names")?;
    let parents = arrays.shaped("parents", &[Some(names.len())])?;
    let offsets = arrays.shaped("offsets", &[Some(names.len()), Some(3)])?;
    let parents = parents
        .data
        .iter()
        .enumerate()
        .map(|(joint, &parent)| {
            if parent == -1.0 && joint == 0 {
                Ok(None)
            } else if parent >= 0.0 && parent < joint as f64 && parent.fract() == 0.0 {
                Ok(Some(parent as usize))
            } else {
                Err(arrays.bad(format!(
                    "`parents`: joint {joint} has parent {parent}; parents come before their children"
                )))
            }
        })
        .collect::<Result<_, _>>()?;
    Ok(Skeleton {
        offsets_m: (0..names.len()).map(|j| offsets.vector(j * 3)).collect(),
        names,
        parents,
    })
}
