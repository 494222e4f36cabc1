//! Clips as files, on the disk and in memory.

use std::ffi::c_char;
use std::path::Path;

use kinograd::motion::export::{Export, JointNaming, RestPose, RootMotion};
use kinograd::{Clip, SaveOptions};

use super::held::{Held, kg_clip};
use crate::argument::{Structure, optional_text, options, out, text};
use crate::blob::{blob, kg_blob};
use crate::entry::entry;
use crate::handle::get;
use crate::status::{Failure, kg_status};

/// How a clip is written. All bytes 0 but `struct_size` is the default.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kg_save_options {
    /// sizeof(kg_save_options).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Frames per second; 0 is the clip's own.
    pub fps: f64,
    /// Metres per unit of a format without a unit of its own (BVH); 0 is 1.
    pub unit_to_metre: f64,
    /// Where the travel lies: `keep` (NULL: in the hips), `extract` (in a root bone on the ground) or
    /// `in-place` (nowhere).
    pub root_motion: *const c_char,
    /// Whose names the joints get: `ours`, `mixamo`, `ue5`, `unity` or `vrm`; NULL leaves them.
    pub joint_names: *const c_char,
    /// The pose in which the skeleton rests: `t` or `a`; NULL leaves it.
    pub rest_pose: *const c_char,
}

// SAFETY: `repr(C)`, the size first, numbers and pointers.
unsafe impl Structure for kg_save_options {
    const NAME: &'static str = "kg_save_options";
    const FIRST_SIZE: usize = size_of::<Self>();
}

/// What a program asks for.
struct Asked {
    fps: Option<f64>,
    options: SaveOptions,
}

impl Asked {
    /// The clip at the frame rate that is asked for.
    fn clip(&self, held: &Held) -> Result<Clip, Failure> {
        let clip = held.clip.clone();
        match self.fps {
            Some(fps) => Ok(clip.resampled(fps)?),
            None => Ok(clip),
        }
    }
}

/// Reads a program's options.
///
/// # Safety
/// As `argument` says.
unsafe fn save_options(pointer: *const kg_save_options) -> Result<Asked, Failure> {
    // SAFETY: as asked of the caller.
    let (asked, root_motion, names, rest_pose) = unsafe {
        let asked = options(pointer)?;
        (
            asked,
            optional_text(asked.root_motion, "root_motion")?,
            optional_text(asked.joint_names, "joint_names")?,
            optional_text(asked.rest_pose, "rest_pose")?,
        )
    };
    if asked.reserved != 0 {
        return Err(Failure::argument("reserved is not 0"));
    }
    let export = Export {
        root_motion: root_motion
            .map(|word| choice("root_motion", word, &RootMotion::ALL, |way| way.name()))
            .transpose()?
            .unwrap_or_default(),
        names: names
            .map(|word| {
                choice("joint_names", word, &JointNaming::ALL, |naming| {
                    naming.name()
                })
            })
            .transpose()?,
        rest_pose: rest_pose
            .map(|word| choice("rest_pose", word, &RestPose::ALL, |pose| pose.name()))
            .transpose()?,
    };
    let unit_to_metre = positive("unit_to_metre", asked.unit_to_metre)?.unwrap_or(1.0);
    Ok(Asked {
        fps: positive("fps", asked.fps)?,
        options: SaveOptions {
            unit_to_metre,
            export,
        },
    })
}

/// A number above 0, or `None` for 0.
fn positive(name: &str, value: f64) -> Result<Option<f64>, Failure> {
    if value == 0.0 {
        return Ok(None);
    }
    if value.is_finite() && value > 0.0 {
        return Ok(Some(value));
    }
    let message = format!("{name} is {value}; a number above 0 was expected");
    Err(Failure::argument(message))
}

/// The one of all that has this name.
fn choice<T: Copy>(
    field: &str,
    word: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, Failure> {
    let found = all.iter().copied().find(|one| name(*one) == word);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        let names = names.join(", ");
        Failure::argument(format!("{field} is `{word}`; choose one of {names}"))
    })
}

/// Writes a clip by the extension of `path`: .glb, .fbx, .bvh or .npz, a sheet of poses as .png, or
/// its report as .json. The file is whole or not there, and has the record of how the clip came to
/// be; a BVH has it beside, as `NAME.bvh.json`. `options` may be NULL.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_save(
    clip: *const kg_clip,
    path: *const c_char,
    options: *const kg_save_options,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let (path, asked) = unsafe { (text(path, "path")?, save_options(options)?) };
        let held = get::<Held>(clip)?;
        let clip = asked.clip(&held)?;
        Ok(clip.save_with(Path::new(path), &asked.options)?)
    })
}

/// Writes a clip into memory, by an extension without its dot, such as `glb`: the bytes of the file
/// that kg_clip_save would write. They are the caller's, as `file`. `options` may be NULL.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_encode(
    clip: *const kg_clip,
    format: *const c_char,
    options: *const kg_save_options,
    file: *mut *mut kg_blob,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let (file, format, asked) = unsafe {
            (
                out(file, "file")?,
                text(format, "format")?,
                save_options(options)?,
            )
        };
        let held = get::<Held>(clip)?;
        let clip = asked.clip(&held)?;
        file.set(blob(clip.to_bytes(format, &asked.options)?)?);
        Ok(())
    })
}
