//! Where joints are at any time.

use kinograd::Error;
use kinograd::motion::resample::pose_at;
use kinograd::motion::{Motion, Pose};

use super::held::{Held, kg_clip};
use crate::argument::{out, out_array};
use crate::entry::entry;
use crate::handle::get;
use crate::status::{Failure, kg_status};

/// The frame that a joint's transform is given in.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum kg_space {
    /// That of the joint's parent; the root's is in the world.
    Local = 0,
    /// The world: metres, Y up, right-handed, left of the clip's start is +X.
    World = 1,
}

/// Where a joint is and how it is turned.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct kg_transform {
    /// Place, metres: x, y, z.
    pub translation_m: [f32; 3],
    /// Unit quaternion: x, y, z, w.
    pub rotation: [f32; 4],
}

fn transforms(pose: &Pose) -> impl Iterator<Item = kg_transform> {
    let pairs = pose.translations_m.iter().zip(&pose.rotations);
    pairs.map(|(place, turn)| kg_transform {
        translation_m: place.as_vec3().to_array(),
        rotation: turn.as_quat().normalize().to_array(),
    })
}

/// A pose in a space that came as a number.
fn in_space(pose: Pose, space: i32, motion: &Motion) -> Result<Pose, Failure> {
    if space == kg_space::Local as i32 {
        Ok(pose)
    } else if space == kg_space::World as i32 {
        Ok(pose.in_world(&motion.skeleton.parents))
    } else {
        let message = format!("space is {space}; a kg_space was expected");
        Err(Failure::argument(message))
    }
}

fn at(motion: &Motion, time_secs: f64) -> Result<Pose, Failure> {
    if !time_secs.is_finite() {
        return Err(Failure::argument(format!("the time is {time_secs}")));
    }
    Ok(pose_at(motion, time_secs).map_err(Error::from)?)
}

/// The transform of each joint at a time, smooth between frames, into `transforms`, which has place
/// for `count`. Before the start it is the first pose, after the end the last.
///
/// Any thread may call it, and several may sample one clip.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_sample(
    clip: *const kg_clip,
    time_secs: f64,
    space: i32,
    transforms: *mut kg_transform,
    count: u32,
) -> kg_status {
    entry(|| {
        let held = get::<Held>(clip)?;
        let motion = &held.clip.motion;
        // SAFETY: the caller keeps to the rules of `argument`.
        let places = unsafe { out_array(transforms, count, motion.skeleton.len(), "transforms") }?;
        let pose = in_space(at(motion, time_secs)?, space, motion)?;
        places.fill(self::transforms(&pose));
        Ok(())
    })
}

/// The transform of each joint in the rest pose, into `transforms`, which has place for `count`. In
/// its parent's frame no joint is turned.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_rest(
    clip: *const kg_clip,
    space: i32,
    transforms: *mut kg_transform,
    count: u32,
) -> kg_status {
    entry(|| {
        let held = get::<Held>(clip)?;
        let motion = &held.clip.motion;
        // SAFETY: the caller keeps to the rules of `argument`.
        let places = unsafe { out_array(transforms, count, motion.skeleton.len(), "transforms") }?;
        let pose = in_space(Pose::rest(&motion.skeleton), space, motion)?;
        places.fill(self::transforms(&pose));
        Ok(())
    })
}

/// Where the body is on the ground at a time, and its heading: a transform in the world on the
/// ground under the hips, turned about Y. It does not sway with the hips, and is what a root bone of
/// the saved clip would have (`root_motion` of kg_save_options).
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_root(
    clip: *const kg_clip,
    time_secs: f64,
    root: *mut kg_transform,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let root = unsafe { out(root, "root") }?;
        let pose = at(get::<Held>(clip)?.travel(), time_secs)?;
        root.fill(transforms(&pose));
        Ok(())
    })
}

/// How the body moves on the ground from one time to another: kg_clip_root at `to_secs` in the frame
/// of kg_clip_root at `from_secs`. A character that is placed at T goes to T times this.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_root_motion(
    clip: *const kg_clip,
    from_secs: f64,
    to_secs: f64,
    motion: *mut kg_transform,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let place = unsafe { out(motion, "motion") }?;
        let held = get::<Held>(clip)?;
        let from = at(held.travel(), from_secs)?;
        let mut pose = at(held.travel(), to_secs)?;
        let back = from.rotations[0].conjugate();
        pose.translations_m[0] = back * (pose.translations_m[0] - from.translations_m[0]);
        pose.rotations[0] = back * pose.rotations[0];
        place.fill(transforms(&pose));
        Ok(())
    })
}

/// Which parts of the feet stand on the ground at a time: bits of kg_foot, of the frame that is
/// nearest.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_foot_contacts(
    clip: *const kg_clip,
    time_secs: f64,
    feet: *mut u32,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let feet = unsafe { out(feet, "feet") }?;
        if !time_secs.is_finite() {
            return Err(Failure::argument(format!("the time is {time_secs}")));
        }
        let held = get::<Held>(clip)?;
        let contacts = held.contacts()?;
        let frame = (time_secs * held.clip.motion.fps).round().max(0.0) as usize;
        let last = contacts.len().saturating_sub(1);
        feet.set(contacts.get(frame.min(last)).copied().unwrap_or(0));
        Ok(())
    })
}
