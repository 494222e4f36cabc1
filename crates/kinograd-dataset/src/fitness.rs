//! Which stretches of a clip stand on one floor.

use std::ops::Range;

use crate::check::Limits;
use kinograd_motion::retarget::Retargeted;

/// A standing foot higher than this above the floor, or lower below it, stands on something else,
/// metres.
const OTHER_FLOOR_M: f64 = 0.1;
/// A body is lifted if its pelvis is higher than this, metres: feet on the rung of a stool are no
/// climb.
const LIFTED_PELVIS_M: f64 = 0.99;
/// Feet higher than this are off the floor, metres.
const OFF_FLOOR_M: f64 = 0.2;
/// Frames on another floor that count.
const SHORTEST_VISIT: usize = 6;
/// Frames that are cut away before and after.
const MARGIN: usize = 10;

/// The stretches of a clip on its floor, in order; one that covers all where nothing is amiss.
pub(crate) fn stretches_on_floor(
    source: &Retargeted,
    limits: &Limits,
    fps: f64,
) -> Vec<Range<usize>> {
    let frames = source.motion.len();
    let support = &source.floor.support_m;
    let pelvis = |f: usize| source.motion.root_in_world_m[f].y;
    let elsewhere = |f: usize| {
        source.floor.standing[f]
            && ((support[f] > OTHER_FLOOR_M && pelvis(f) > LIFTED_PELVIS_M)
                || support[f] < -OTHER_FLOOR_M)
    };
    let longest_flight = (limits.max_airborne_secs * fps) as usize;
    let mut bad = vec![false; frames];
    mark(&mut bad, SHORTEST_VISIT, 3, elsewhere);
    mark(&mut bad, longest_flight, 2, |f| {
        support[f] > OFF_FLOOR_M && pelvis(f) > LIFTED_PELVIS_M
    });
    let mut good: Vec<Range<usize>> = Vec::new();
    for frame in (0..frames).filter(|&f| !bad[f]) {
        match good.last_mut() {
            Some(last) if last.end == frame => last.end = frame + 1,
            _ => good.push(frame..frame + 1),
        }
    }
    good
}

/// Marks runs of at least `shortest` frames where `holds` (gaps of `gap` frames allowed), widened.
fn mark(bad: &mut [bool], shortest: usize, gap: usize, holds: impl Fn(usize) -> bool) {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for frame in (0..bad.len()).filter(|&f| holds(f)) {
        match runs.last_mut() {
            Some(last) if frame <= last.end + gap => last.end = frame + 1,
            _ => runs.push(frame..frame + 1),
        }
    }
    for run in runs.into_iter().filter(|run| run.len() >= shortest) {
        let end = (run.end + MARGIN).min(bad.len());
        bad[run.start.saturating_sub(MARGIN)..end].fill(true);
    }
}

/// Frames `range` of a retargeted clip.
pub(crate) fn part(source: &Retargeted, range: Range<usize>) -> Retargeted {
    let mut part = source.clone();
    part.motion.root_in_world_m = source.motion.root_in_world_m[range.clone()].to_vec();
    part.motion.local_rotations = source.motion.local_rotations[range.clone()].to_vec();
    part.floor.support_m = source.floor.support_m[range.clone()].to_vec();
    part.floor.standing = source.floor.standing[range].to_vec();
    part
}
