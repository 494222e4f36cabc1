//! What a clip is.

use std::ffi::c_char;

use kinograd::SaveOptions;
use kinograd::motion::metrics::seam;

use super::held::{Held, kg_clip};
use crate::argument::{Structure, out_array, write_structure, write_text};
use crate::entry::entry;
use crate::handle::get;
use crate::status::{Failure, kg_status};

/// What a clip is.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kg_clip_info {
    /// sizeof(kg_clip_info), set by the caller.
    pub struct_size: u32,
    /// Number of joints.
    pub joint_count: u32,
    /// Number of frames.
    pub frame_count: u32,
    /// 1 if the clip can be played again from its end, from where the body is then: poses meet within
    /// 2 cm and no joint changes its velocity more than within the clip; else 0.
    pub is_loop: u32,
    /// Frames per second.
    pub fps: f64,
    /// Seconds: a frame lasts 1 / fps.
    pub duration_secs: f64,
    /// The clip's own seed: a task for one clip with this seed gives the same clip. 0 for clips that
    /// no model made.
    pub seed: u64,
}

// SAFETY: `repr(C)`, the size first, numbers.
unsafe impl Structure for kg_clip_info {
    const NAME: &'static str = "kg_clip_info";
    const FIRST_SIZE: usize = size_of::<Self>();
}

/// What a clip is. `info->struct_size` must be set.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_get_info(
    clip: *const kg_clip,
    info: *mut kg_clip_info,
) -> kg_status {
    entry(|| {
        let held = get::<Held>(clip)?;
        let motion = &held.clip.motion;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let value = kg_clip_info {
            struct_size: 0,
            joint_count: count(motion.skeleton.len()),
            frame_count: count(motion.len()),
            is_loop: u32::from(seam(motion).is_some_and(|seam| seam.is_loop())),
            fps: motion.fps,
            duration_secs: motion.len() as f64 / motion.fps,
            seed: held.clip.provenance.seed.unwrap_or(0),
        };
        // SAFETY: the caller keeps to the rules of `argument`.
        unsafe { write_structure(&value, info) }
    })
}

/// The name of a joint, by its number from 0. See "Texts" above for `buffer`, `capacity` and `size`.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_joint_name(
    clip: *const kg_clip,
    joint: u32,
    buffer: *mut c_char,
    capacity: u64,
    size: *mut u64,
) -> kg_status {
    entry(|| {
        let held = get::<Held>(clip)?;
        let names = &held.clip.motion.skeleton.names;
        let Some(name) = names.get(joint as usize) else {
            let message = format!("joint is {joint}; the clip has {} joints", names.len());
            return Err(Failure::argument(message));
        };
        // SAFETY: the caller keeps to the rules of `argument`.
        unsafe { write_text(name, buffer, capacity, size) }
    })
}

/// The parent of each joint into `parents`, which has place for `count`; -1 for the root, which is
/// joint 0. Parents come before their children.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_parents(
    clip: *const kg_clip,
    parents: *mut i32,
    count: u32,
) -> kg_status {
    entry(|| {
        let held = get::<Held>(clip)?;
        let all = &held.clip.motion.skeleton.parents;
        // SAFETY: the caller keeps to the rules of `argument`.
        let parents = unsafe { out_array(parents, count, all.len(), "parents") }?;
        let number = |parent: &Option<usize>| {
            parent.map_or(-1, |parent| i32::try_from(parent).unwrap_or(i32::MAX))
        };
        parents.fill(all.iter().map(number));
        Ok(())
    })
}

/// How the clip came to be and what was measured of it, as JSON: the task that makes it again, the
/// models' hashes, distances from the goals, sliding of the feet. See "Texts" above for `buffer`,
/// `capacity` and `size`.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_report_json(
    clip: *const kg_clip,
    buffer: *mut c_char,
    capacity: u64,
    size: *mut u64,
) -> kg_status {
    entry(|| {
        let held = get::<Held>(clip)?;
        let json = held.clip.to_bytes("json", &SaveOptions::default())?;
        let json = String::from_utf8_lossy(&json);
        // SAFETY: the caller keeps to the rules of `argument`.
        unsafe { write_text(&json, buffer, capacity, size) }
    })
}
