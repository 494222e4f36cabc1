//! Actions that last less than a second: lengthened rather than dropped.

use crate::captions::action_from_label;
use crate::manifest::Entry;
use crate::smooth::smoothed;
use kinograd_motion::retarget::Retargeted;

/// Shorter clips show no action, seconds.
pub(crate) const SHORTEST_ACTION_SECS: f64 = 0.45;
/// Frames that a lengthened clip has (1.6 s at 20 fps).
const LENGTHENED: usize = 32;
/// Share of the added frames that come before the action.
const BEFORE: f64 = 0.3;
/// Frames on both sides of a seam that are smoothed.
const SEAM: usize = 3;
/// A body that goes on at the end cannot be held there, m/s.
const TRAVELS_M_S: f64 = 0.6;

/// Whether somebody says that the clip shows an action, and no gait.
pub(crate) fn is_short_action(entry: &Entry) -> bool {
    let told = action_from_label(&entry.label);
    let said = !entry.captions.is_empty() || told.is_some();
    said && told.is_none_or(|action| !action.is_locomotion())
}

/// Holds the first pose before the action and the last one after it, with soft seams. False, and
/// nothing changes, where the body travels: a held stride is no motion.
pub(crate) fn lengthen(source: &mut Retargeted) -> bool {
    let motion = &source.motion;
    let frames = motion.len();
    if frames >= LENGTHENED {
        return true;
    }
    if frames < 2 {
        return false;
    }
    let way = motion.root_in_world_m[frames - 1] - motion.root_in_world_m[0];
    if way.x.hypot(way.z) * motion.fps > TRAVELS_M_S * frames as f64 {
        return false;
    }
    let before = ((LENGTHENED - frames) as f64 * BEFORE) as usize;
    // The frame of the short clip that each frame of the long one shows.
    let shown: Vec<usize> = (0..LENGTHENED)
        .map(|frame| frame.saturating_sub(before).min(frames - 1))
        .collect();
    let mut long = motion.clone();
    long.root_in_world_m = shown.iter().map(|&f| motion.root_in_world_m[f]).collect();
    long.local_rotations = shown
        .iter()
        .map(|&f| motion.local_rotations[f].clone())
        .collect();
    let soft = smoothed(&long);
    for seam in [before, before + frames - 1] {
        for frame in seam.saturating_sub(SEAM)..(seam + SEAM + 1).min(LENGTHENED) {
            long.root_in_world_m[frame] = soft.root_in_world_m[frame];
            long.local_rotations[frame].clone_from(&soft.local_rotations[frame]);
        }
    }
    source.floor.support_m = shown.iter().map(|&f| source.floor.support_m[f]).collect();
    source.floor.standing = shown.iter().map(|&f| source.floor.standing[f]).collect();
    source.motion = long;
    true
}
