//! The clip behind a handle.

use std::ffi::c_char;
use std::path::Path;
use std::sync::OnceLock;

use kinograd::formats::LoadOptions;
use kinograd::motion::Motion;
use kinograd::motion::export::travel;
use kinograd::{Clip, Error};

use super::feet::contacts;
use crate::argument::{out, text};
use crate::entry::entry;
use crate::handle::{insert, object, remove};
use crate::status::{Failure, kg_status};

/// A clip: a skeleton that moves.
pub struct kg_clip(());

/// A clip that does not change, and what was worked out of it.
pub(crate) struct Held {
    pub clip: Clip,
    travel: OnceLock<Motion>,
    contacts: OnceLock<Result<Vec<u32>, Failure>>,
}

object!(Held, kg_clip, 6, "clip");

impl Held {
    /// Holds a clip with frames, each with all its joints.
    pub fn new(clip: Clip) -> Result<Self, Failure> {
        clip.motion.check_storable().map_err(Error::from)?;
        clip.motion.validate().map_err(Error::from)?;
        Ok(Self {
            clip,
            travel: OnceLock::new(),
            contacts: OnceLock::new(),
        })
    }

    /// The motion of the root bone that the clip would have.
    pub fn travel(&self) -> &Motion {
        self.travel.get_or_init(|| travel(&self.clip.motion))
    }

    /// Bits of the feet that stand in each frame.
    pub fn contacts(&self) -> Result<&[u32], Failure> {
        let made = self.contacts.get_or_init(|| contacts(&self.clip));
        made.as_ref().map(Vec::as_slice).map_err(Clone::clone)
    }
}

/// Reads a clip: a .glb, .vrm, .fbx, .bvh, .npz or .npy. Metres with Y up, whatever the file has.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_clip_load(path: *const c_char, clip: *mut *mut kg_clip) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let (clip, path) = unsafe { (out(clip, "clip")?, text(path, "path")?) };
        let loaded = Clip::load(Path::new(path), &LoadOptions::default())?;
        clip.set(insert(Held::new(loaded)?)?);
        Ok(())
    })
}

/// Destroys a clip; NULL is taken.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_clip_destroy(clip: *mut kg_clip) -> kg_status {
    entry(|| remove::<Held>(clip).map(drop))
}
