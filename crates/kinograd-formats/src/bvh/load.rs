//! A BVH file as a clip in metres.

use std::path::Path;

use glam::DVec3;
use kinograd_motion::mapping::Mapping;
use kinograd_motion::{Motion, MotionError};

use super::read::read;
use crate::format::{LoadOptions, StoredClip};

pub(super) fn load(path: &Path, options: LoadOptions) -> Result<StoredClip, MotionError> {
    let file = read(path)?;
    let mapped = Mapping::automatic(&file.skeleton).and_then(|mut mapping| {
        mapping.unit_to_metre = options.unit_to_metre;
        file.retarget(&mapping, file.fps)
    });
    let clip = |motion: Motion| StoredClip {
        motion,
        features: None,
        provenance: None,
    };
    if options.retarget {
        return Ok(clip(mapped?.motion));
    }
    let unit_to_metre = match (options.unit_to_metre, mapped) {
        (Some(unit), _) => unit,
        (None, Ok(mapped)) => mapped.unit_to_metre,
        (None, Err(_)) => unit_by_height(&file.joints_in_world_m(1.0)),
    };
    Ok(clip(file.to_motion(unit_to_metre)))
}

/// Metres per unit for a rig whose joints have unknown names: the usual unit that brings the
/// first pose's longest extent nearest to a person's height.
fn unit_by_height(joints: &[Vec<DVec3>]) -> f64 {
    const HEIGHT_M: f64 = 1.6;
    const UNITS: [f64; 4] = [1.0, 0.01, 0.0254, 0.001];
    let Some(first) = joints.first() else {
        return 1.0;
    };
    let low = first.iter().fold(DVec3::INFINITY, |low, p| low.min(*p));
    let high = first
        .iter()
        .fold(DVec3::NEG_INFINITY, |high, p| high.max(*p));
    let extent = (high - low).max_element();
    let distance = |unit: f64| (extent * unit / HEIGHT_M).ln().abs();
    UNITS
        .into_iter()
        .filter(|&unit| distance(unit).is_finite())
        .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
        .unwrap_or(1.0)
}
