//! The build: all clips in parallel, written in the order of the input.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use kinograd_motion::MotionError;
use kinograd_motion::features::FEATURE_FPS;
use kinograd_motion::mapping::MappingFile;
use rayon::prelude::*;

use crate::captions::mirror_caption;
use crate::check::{Limits, Quality};
use crate::clip::{Encoded, Encodings, encode};
use crate::index::{BuildReport, ClipRecord, Dropped, INDEX_SCHEMA, Index, MadeBy, MadeFrom};
use crate::manifest::Entry;
use crate::progress::Progress;
use crate::segment::Segment;
use crate::write::Writer;

/// Clips encoded before they are written: bounds the memory of large builds.
pub(crate) const BATCH: usize = 64;

/// What to build and how.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Mappings by family; rigs without one are mapped by their joints' names.
    pub mappings: Option<MappingFile>,
    /// What a kept clip may be like.
    pub limits: Limits,
    /// Leave mirrored copies out.
    pub without_mirrored: bool,
}

/// Builds a data set in folder `out` from clips.
///
/// The folder is written beside `out` under a temporary name and renamed at the end, so that `out`
/// is either whole or not there.
///
/// # Errors
/// [`MotionError::Format`] if there are no clips, none is usable or `out` exists;
/// [`MotionError::Io`] if the folder cannot be written; [`MotionError::Cancelled`] if `progress`
/// asks to stop. A bad clip is no error.
pub fn build(
    entries: &[Entry],
    options: &BuildOptions,
    out: &Path,
    progress: &dyn Progress,
) -> Result<BuildReport, MotionError> {
    let started = Instant::now();
    if entries.is_empty() {
        return Err(fault("there are no clips to import".to_owned()));
    }
    let mut writer = Writer::create(out)?;
    let mut state = State::default();
    progress.start(entries.len());
    for batch in entries.chunks(BATCH) {
        let encoded: Vec<Result<Encodings, String>> = batch
            .par_iter()
            .map(|entry| {
                if progress.is_cancelled() {
                    return Err("cancelled".to_owned());
                }
                let result = encode(
                    entry,
                    options.mappings.as_ref(),
                    &options.limits,
                    !options.without_mirrored,
                );
                progress.advance(&entry.id);
                result
            })
            .collect();
        if progress.is_cancelled() {
            progress.finish();
            return Err(MotionError::Cancelled);
        }
        for (entry, result) in batch.iter().zip(encoded) {
            state.add(entry, None, result, &mut writer)?;
        }
    }
    progress.finish();
    state.finish(entries.len(), started.elapsed().as_secs_f64(), None, writer)
}

/// What was encoded so far.
#[derive(Default)]
pub(crate) struct State {
    clips: Vec<ClipRecord>,
    dropped: Vec<Dropped>,
    quality: BTreeMap<String, Quality>,
    source_frames: usize,
    rows: usize,
    weights: Vec<(f64, Quality)>,
    kept: usize,
    cut: Vec<Dropped>,
}

impl State {
    pub(crate) fn add(
        &mut self,
        entry: &Entry,
        made: Option<&MadeBy>,
        result: Result<Encodings, String>,
        writer: &mut Writer,
    ) -> Result<(), MotionError> {
        let id = entry.id.clone();
        match result {
            Ok(encodings) => {
                self.kept += 1;
                self.source_frames += encodings.source_frames;
                self.cut
                    .extend(encodings.cut.map(|reason| Dropped { id, reason }));
                for encoded in &encodings.parts {
                    self.add_part(entry, made, encoded, writer)?;
                }
            }
            Err(reason) => {
                tracing::debug!(clip = entry.id, reason, "left out");
                self.dropped.push(Dropped { id, reason });
            }
        }
        Ok(())
    }

    fn add_part(
        &mut self,
        entry: &Entry,
        made: Option<&MadeBy>,
        encoded: &Encoded,
        writer: &mut Writer,
    ) -> Result<(), MotionError> {
        self.quality.insert(encoded.id.clone(), encoded.quality);
        self.weights
            .push((encoded.features.nrows() as f64, encoded.quality));
        let mirrored = encoded.mirrored.as_ref().map(|features| (features, true));
        let copies = std::iter::once((&encoded.features, false)).chain(mirrored);
        for (features, mirrored) in copies {
            writer.append(features.view(), entry.split == "train")?;
            self.clips.push(ClipRecord {
                id: if mirrored {
                    format!("{}_mirrored", encoded.id)
                } else {
                    encoded.id.clone()
                },
                source_id: entry.id.clone(),
                family: entry.family.clone(),
                label: if mirrored {
                    mirror_caption(&entry.label)
                } else {
                    entry.label.clone()
                },
                split: entry.split.clone(),
                mirrored,
                offset: self.rows,
                frames: features.nrows(),
                segments: if mirrored {
                    encoded.segments.iter().map(|s| s.mirrored()).collect()
                } else {
                    encoded.segments.clone()
                },
                made: made.cloned(),
            });
            self.rows += features.nrows();
        }
        Ok(())
    }

    /// Seconds of clip under segments of each kind; a frame under several counts once.
    fn covered<'a>(
        &'a self,
        kind: impl Fn(&'a Segment) -> Option<&'a str>,
    ) -> BTreeMap<String, f64> {
        let mut seconds: BTreeMap<String, f64> = BTreeMap::new();
        for clip in self.clips.iter().filter(|clip| !clip.mirrored) {
            let mut frames: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
            for segment in &clip.segments {
                if let Some(kind) = kind(segment) {
                    let marks = frames
                        .entry(kind)
                        .or_insert_with(|| vec![false; clip.frames]);
                    marks[segment.start..segment.start + segment.frames].fill(true);
                }
            }
            for (kind, marks) in frames {
                let count = marks.iter().filter(|mark| **mark).count();
                *seconds.entry(kind.to_owned()).or_default() += count as f64 / FEATURE_FPS;
            }
        }
        seconds
    }

    /// Writes what was encoded of `clips_in` clips.
    pub(crate) fn finish(
        self,
        clips_in: usize,
        seconds: f64,
        made_from: Option<MadeFrom>,
        writer: Writer,
    ) -> Result<BuildReport, MotionError> {
        if self.clips.is_empty() {
            let first = self.dropped.first();
            let why = first.map_or(String::new(), |d| format!("; `{}`: {}", d.id, d.reason));
            return Err(fault(format!("none of {clips_in} clips is usable{why}")));
        }
        let report = self.report(clips_in, seconds);
        let index = Index {
            schema: INDEX_SCHEMA.to_owned(),
            fps: FEATURE_FPS,
            clips: self.clips,
            dropped: self.dropped,
            made_from,
        };
        writer.finish(&index, &report)?;
        Ok(report)
    }

    fn report(&self, clips_in: usize, seconds: f64) -> BuildReport {
        let mut segments_per_action = BTreeMap::new();
        for segment in self
            .clips
            .iter()
            .filter(|clip| !clip.mirrored)
            .flat_map(|clip| &clip.segments)
        {
            *segments_per_action
                .entry(segment.action.name().to_owned())
                .or_insert(0) += 1;
        }
        let seconds_per_action = self.covered(|segment| Some(segment.action.name()));
        let seconds_per_style = self.covered(|segment| segment.style.as_deref());
        let mut dropped_per_reason = BTreeMap::new();
        for dropped in &self.dropped {
            let kind = dropped.reason.split(':').next().unwrap_or_default();
            *dropped_per_reason.entry(kind.to_owned()).or_insert(0) += 1;
        }
        let total: f64 = self.weights.iter().map(|(w, _)| w).sum();
        let mean = |of: fn(&Quality) -> f64| {
            self.weights.iter().map(|(w, q)| w * of(q)).sum::<f64>() / total.max(1.0)
        };
        BuildReport {
            clips_in,
            clips_kept: self.kept,
            clips_dropped: self.dropped.len(),
            frames: self.rows,
            source_frames: self.source_frames,
            seconds,
            source_frames_per_second: self.source_frames as f64 / seconds.max(1e-9),
            round_trip_max_m: self
                .weights
                .iter()
                .map(|(_, q)| q.round_trip_m)
                .fold(0.0, f64::max),
            foot_skate_ratio: mean(|q| q.foot_skate_ratio),
            jerk_m_s3: mean(|q| q.jerk_m_s3),
            segments_per_action,
            seconds_per_action,
            seconds_per_style,
            dropped_per_reason,
            cut: self.cut.clone(),
            quality: self.quality.clone(),
        }
    }
}

fn fault(message: String) -> MotionError {
    MotionError::Format {
        format: "data set",
        message,
    }
}
