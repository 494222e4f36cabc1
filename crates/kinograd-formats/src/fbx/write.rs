//! Writing of FBX files.

use std::path::Path;

use kinograd_motion::{Motion, MotionError, Provenance, resample, write_atomic};

use super::body::body;
use super::curves::animation;
use super::document::{definitions, documents, global_settings, opening, takes, ticks};
use super::node::file;
use super::objects::Objects;

/// How a clip becomes an FBX.
#[derive(Debug, Clone, PartialEq)]
pub struct FbxOptions {
    /// Key frames per second; `None` keeps the motion's own.
    pub fps: Option<f64>,
    /// Name of the animation, as tools show it.
    pub animation_name: String,
}

impl Default for FbxOptions {
    fn default() -> Self {
        Self {
            fps: None,
            animation_name: "motion".to_owned(),
        }
    }
}

/// Writes a clip as an FBX, whole or not at all. See [`fbx_bytes`].
///
/// # Errors
/// As [`fbx_bytes`], and [`MotionError::Io`] with the path.
pub fn write_fbx(
    path: &Path,
    motion: &Motion,
    options: &FbxOptions,
    provenance: &Provenance,
) -> Result<(), MotionError> {
    let bytes = fbx_bytes(motion, options, provenance)?;
    write_atomic(path, |file| std::io::Write::write_all(file, &bytes))
}

/// A clip as a binary FBX 7.4 file: centimetres, Y up, facing +Z. Each joint is a `LimbNode` with
/// a key per frame for its rotation, as angles about X, then Y, then Z; the root, and joints that
/// move from their parents, also have keys for their place. The rest pose is the skeleton's
/// offsets without rotations, which is also the bind pose of the mannequin. The record is a
/// property of the scene's information.
///
/// ```
/// use kinograd_formats::fbx::{FbxOptions, fbx_bytes};
/// use kinograd_motion::{Provenance, synth::synth_walk};
/// let walk = synth_walk(1.2, 1.0, 20.0);
/// let bytes = fbx_bytes(&walk, &FbxOptions::default(), &Provenance::new())?;
/// assert_eq!(&bytes[..18], b"Kaydara FBX Binary");
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
///
/// # Errors
/// [`MotionError::Clip`] for a motion that is empty or not finite, or has more joints than a
/// vertex can name (65,536); [`MotionError::Format`] for a frame rate that is not positive, and
/// for a file of 4 GiB or more.
pub fn fbx_bytes(
    motion: &Motion,
    options: &FbxOptions,
    provenance: &Provenance,
) -> Result<Vec<u8>, MotionError> {
    motion.check_storable()?;
    if motion.skeleton.len() > usize::from(u16::MAX) {
        return Err(MotionError::Clip {
            clip: "motion".to_owned(),
            message: format!("{} joints; FBX holds 65535 here", motion.skeleton.len()),
        });
    }
    let resampled = match options.fps {
        Some(fps) if fps != motion.fps => Some(resample::resample(motion, fps)?),
        _ => None,
    };
    let motion = resampled.as_ref().unwrap_or(motion);
    let name = options.animation_name.as_str();
    let last_frame = motion.len() - 1;

    let mut objects = Objects::default();
    let document = objects.id();
    let models = body(&mut objects, &motion.skeleton);
    animation(&mut objects, motion, &models, name);

    let mut records = opening(&provenance.to_json()?);
    records.push(global_settings(motion.fps, last_frame));
    records.extend(documents(document, name));
    records.push(definitions(objects.counts()));
    records.extend(objects.finish());
    records.push(takes(name, ticks(last_frame, motion.fps)));
    file(&records)
}
