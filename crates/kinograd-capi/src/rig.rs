//! Characters, and clips put on them.

use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

use kinograd::task::{TravelSetting, open_character};
use kinograd::{Character, RigSettings};

use crate::argument::{optional_text, out, text, write_text};
use crate::clip::{Held, kg_clip};
use crate::entry::entry;
use crate::handle::{get, insert, object, remove};
use crate::status::{Failure, kg_status};

/// A character from a file.
pub struct kg_rig(());

/// The character behind a handle.
pub(crate) struct HeldRig(Arc<Character>);

object!(HeldRig, kg_rig, 4, "rig");

/// A word for how far a body travels on a character of another size.
///
/// # Safety
/// As `argument` says.
pub(crate) unsafe fn travel_of(word: *const c_char) -> Result<TravelSetting, Failure> {
    // SAFETY: as asked of the caller.
    match unsafe { optional_text(word, "travel") }? {
        None | Some("scaled") => Ok(TravelSetting::Scaled),
        Some("kept") => Ok(TravelSetting::Kept),
        Some(other) => {
            let message = format!("travel is `{other}`; choose one of scaled, kept");
            Err(Failure::argument(message))
        }
    }
}

/// Reads a character: a GLB, VRM, FBX or BVH, or a clip as NPZ. `mapping` is a file that says which
/// joints are which, or NULL where their names tell.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_rig_open(
    file: *const c_char,
    mapping: *const c_char,
    rig: *mut *mut kg_rig,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let (rig, file, mapping) = unsafe {
            (
                out(rig, "rig")?,
                text(file, "file")?,
                optional_text(mapping, "mapping")?,
            )
        };
        let character = open_character(Path::new(file), mapping.map(Path::new))?;
        rig.set(insert(HeldRig(character))?);
        Ok(())
    })
}

/// What was found in the character's file, as JSON: number of joints, scale, which joint is which
/// part of the body, doubts. See "Texts" above for `buffer`, `capacity` and `size`.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_rig_report_json(
    rig: *const kg_rig,
    buffer: *mut c_char,
    capacity: u64,
    size: *mut u64,
) -> kg_status {
    entry(|| {
        let report = serde_json::to_string(&get::<HeldRig>(rig)?.0.report());
        let report = report.map_err(|e| Failure::new(kg_status::Internal, e.to_string()))?;
        // SAFETY: the caller keeps to the rules of `argument`.
        unsafe { write_text(&report, buffer, capacity, size) }
    })
}

/// Puts a clip on a character, as a clip of its own: saved as GLB it has the character's mesh.
/// `travel` is `scaled` (NULL: in proportion to its legs) or `kept`.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_rig_retarget(
    rig: *const kg_rig,
    clip: *const kg_clip,
    travel: *const c_char,
    retargeted: *mut *mut kg_clip,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let (retargeted, travel) = unsafe { (out(retargeted, "retargeted")?, travel_of(travel)?) };
        let (rig, clip) = (get::<HeldRig>(rig)?, get::<Held>(clip)?);
        let options = RigSettings {
            travel,
            ..RigSettings::new(rig.0.path())
        };
        let on_rig = clip.clip.clone().on_character(&rig.0, &options.options())?;
        retargeted.set(insert(Held::new(on_rig)?)?);
        Ok(())
    })
}

/// Destroys a rig; NULL is taken. Clips on it stay.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_rig_destroy(rig: *mut kg_rig) -> kg_status {
    entry(|| remove::<HeldRig>(rig).map(drop))
}
