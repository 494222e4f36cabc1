//! A BVH file as a clip.

use std::path::Path;

use kinograd_motion::MotionError;

use super::read::read;
use crate::format::{LoadOptions, SourceClip};
use crate::world::probe_frames;

/// Reads a BVH in its own unit and axes: the format says neither.
pub(super) fn load(path: &Path, _options: &LoadOptions) -> Result<SourceClip, MotionError> {
    let file = read(path)?;
    let probes = probe_frames(file.len())
        .map(|frame| (frame, file.joints_in_file(frame)))
        .collect();
    Ok(SourceClip {
        probes,
        unit_to_metre: None,
        up: None,
        warnings: file.warnings.clone(),
        ..SourceClip::in_metres(file.to_motion(1.0))
    })
}
