//! Data sets of clips that a model made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use kinograd_motion::{Motion, MotionError};
use rayon::prelude::*;

use crate::build::{BATCH, BuildOptions, State};
use crate::clip::{Encodings, Told, encode_motion_of};
use crate::index::{BuildReport, MadeBy, MadeFrom};
use crate::manifest::Entry;
use crate::progress::Progress;
use crate::write::Writer;

/// A clip that a model made, and what was asked for.
#[derive(Debug, Clone)]
pub struct MadeClip {
    /// Unique name.
    pub id: String,
    /// Any humanoid, metres, Y up, at any frame rate.
    pub motion: Motion,
    /// The prompt, in words.
    pub prompt: String,
    /// What it was counted as; empty for nothing.
    pub label: String,
    /// How it was made.
    pub made: MadeBy,
    /// sha256 of the model's files, by role.
    pub model_hashes: BTreeMap<String, String>,
}

/// Builds a data set in folder `out` from clips that were made, in their order: as [`build`](crate::build()) does
/// of recorded ones, but a clip is one segment, its prompt is its only caption, and the index says what made it.
/// `clips` are read as they are needed; `count` is how many there are, `from` what the index says of all.
///
/// # Errors
/// What `clips` yields; otherwise as [`build`](crate::build()).
pub fn build_made<E: From<MotionError>>(
    mut clips: impl Iterator<Item = Result<MadeClip, E>>,
    count: usize,
    mut from: MadeFrom,
    options: &BuildOptions,
    out: &Path,
    progress: &dyn Progress,
) -> Result<BuildReport, E> {
    let started = Instant::now();
    let mut writer = Writer::create(out)?;
    let mut state = State::default();
    progress.start(count);
    loop {
        let batch: Vec<MadeClip> = clips.by_ref().take(BATCH).collect::<Result<_, E>>()?;
        if progress.is_cancelled() {
            progress.finish();
            return Err(MotionError::Cancelled.into());
        }
        if batch.is_empty() {
            break;
        }
        let encoded: Vec<Result<Encodings, String>> = batch
            .par_iter()
            .map(|clip| {
                let told = Told {
                    id: &clip.id,
                    label: &clip.label,
                    caption: &clip.prompt,
                };
                let mirrored = !options.without_mirrored;
                let encoded = encode_motion_of(&clip.motion, told, &options.limits, mirrored);
                progress.advance(&clip.id);
                encoded
            })
            .collect();
        for (clip, result) in batch.into_iter().zip(encoded) {
            let model = from.models.entry(clip.made.name()).or_default();
            if model.is_empty() {
                *model = clip.model_hashes;
            }
            let entry = Entry {
                id: clip.id,
                path: PathBuf::new(),
                family: clip.made.model.clone(),
                label: clip.label,
                captions: vec![clip.prompt],
                split: "train".to_owned(),
            };
            state.add(&entry, Some(&clip.made), result, &mut writer)?;
        }
    }
    progress.finish();
    let seconds = started.elapsed().as_secs_f64();
    Ok(state.finish(count, seconds, Some(from), writer)?)
}
