//! A motion from places and turns in the world.

use std::collections::BTreeMap;

use glam::{DQuat, DVec3};
use kinograd_motion::{Motion, Skeleton, resample};

/// Frames of a clip that are held against its file.
const PROBES: usize = 32;
/// Offsets that move less than this share of the skeleton's size stand still: what single
/// precision loses.
const STILL: f64 = 3e-6;

/// Collects frames of joints in the world, whatever moves them there: offsets that change become
/// translations, so that every place is kept.
#[derive(Debug)]
pub(crate) struct FromWorld {
    motion: Motion,
    /// Offsets in the parent's frame, `[joint][frame]`; the root's are empty.
    offsets: Vec<Vec<DVec3>>,
    probed: Vec<usize>,
    probes: Vec<(usize, Vec<DVec3>)>,
}

impl FromWorld {
    /// `skeleton`: names, parents and the rest pose, in which no joint is turned.
    pub fn new(skeleton: Skeleton, fps: f64, frames: usize) -> Self {
        let mut probed: Vec<usize> = probe_frames(frames).collect();
        probed.reverse();
        Self {
            offsets: vec![Vec::with_capacity(frames); skeleton.len()],
            motion: Motion {
                skeleton,
                fps,
                root_in_world_m: Vec::with_capacity(frames),
                local_rotations: Vec::with_capacity(frames),
                translations: BTreeMap::new(),
            },
            probed,
            probes: Vec::new(),
        }
    }

    /// Adds a frame: places of the joints and their rotations from the rest pose, in the world.
    pub fn push(&mut self, places: Vec<DVec3>, rotations: Vec<DQuat>) {
        let frame = self.motion.root_in_world_m.len();
        let parents = &self.motion.skeleton.parents;
        let mut local = Vec::with_capacity(parents.len());
        for (joint, parent) in parents.iter().enumerate() {
            match *parent {
                None => local.push(rotations[joint]),
                Some(parent) => {
                    let back = rotations[parent].inverse();
                    local.push((back * rotations[joint]).normalize());
                    self.offsets[joint].push(back * (places[joint] - places[parent]));
                }
            }
        }
        if let Some(previous) = self.motion.local_rotations.last() {
            resample::keep_signs(previous, &mut local);
        }
        self.motion.root_in_world_m.push(places[0]);
        self.motion.local_rotations.push(local);
        if self.probed.last() == Some(&frame) {
            self.probed.pop();
            self.probes.push((frame, places));
        }
    }

    /// The motion, and the joints of some frames as they came.
    pub fn finish(mut self) -> (Motion, Vec<(usize, Vec<DVec3>)>) {
        let rest = &mut self.motion.skeleton.offsets_m;
        let size: f64 = rest.iter().skip(1).map(|offset| offset.length()).sum();
        let still = STILL * size;
        for (joint, offsets) in self.offsets.into_iter().enumerate().skip(1) {
            let moves = |from: DVec3| {
                offsets
                    .iter()
                    .any(|o| o.is_nan() || o.distance(from) > still)
            };
            if !moves(rest[joint]) {
                continue;
            }
            let mean = offsets.iter().sum::<DVec3>() / offsets.len().max(1) as f64;
            if moves(mean) {
                self.motion.translations.insert(joint, offsets);
            } else {
                rest[joint] = mean;
            }
        }
        (self.motion, self.probes)
    }
}

/// Frames to look at: all of a short clip, some of a long one.
pub(crate) fn probe_frames(frames: usize) -> impl Iterator<Item = usize> {
    let step = frames.div_ceil(PROBES).max(1);
    (0..frames).step_by(step).chain(
        // The last one, where a loss that grows is largest.
        (frames > 1 && !(frames - 1).is_multiple_of(step)).then_some(frames - 1),
    )
}
