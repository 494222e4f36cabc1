//! A clip in memory, to and from files.

use std::path::Path;
use std::sync::Arc;

use kinograd_draw::sheet::{SceneMarks, SheetClip, render_sheet};
use kinograd_formats::{Character, ClipRef, FORMATS, Format, LoadOptions, Reading};
use kinograd_motion::export::{Export, RootMotion};
use kinograd_motion::metrics::FootSlide;
use kinograd_motion::retarget::to_canonical_body;
use kinograd_motion::rig::RigReport;
use kinograd_motion::{Motion, MotionError, Provenance, joints_array, write_atomic};
use ndarray::Array2;
use serde::Serialize;

use crate::marks::marks_of_task;
use crate::record::{record_beside, write_png};
use crate::{Error, FileFormat, Task};

/// Size of a sheet of poses, pixels.
const SHEET_SIZE_PX: (u32, u32) = (1200, 720);

/// A clip: a skeleton that moves, and how it came to be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Clip {
    /// The motion: metres, Y up, left at +X.
    pub motion: Motion,
    /// The model's features at 20 fps before clean-up, `[frames, 263]`, not normalised; `None` for
    /// clips that no model made or that have another frame rate.
    pub features: Option<Array2<f32>>,
    /// What the model's motion embedding makes of the whole clip before clean-up, `[e]`, unit length;
    /// `None` for clips that no model made, and where the package has no motion embedding.
    pub embedding: Option<Vec<f32>>,
    /// How the clip came to be. It holds no timings, so that the same task gives the same bytes.
    pub provenance: Provenance,
    /// What was measured of a generated clip.
    pub report: Option<ClipReport>,
    /// What was chosen and noticed while the clip was read from a file.
    pub reading: Option<Reading>,
    /// The character that the clip is on, where it is not on a skeleton alone.
    pub character: Option<Arc<Character>>,
    /// How well the clip sits on its character.
    pub rig_report: Option<RigReport>,
}

/// How a clip is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SaveOptions {
    /// Metres per unit of a format without a unit of its own: 1 writes a BVH in metres, 0.01 in
    /// centimetres.
    pub unit_to_metre: f64,
    /// Where the travel lies, what the joints are called, in which pose the skeleton rests. Pictures
    /// and reports show the clip as it is.
    pub export: Export,
}

impl Default for SaveOptions {
    fn default() -> Self {
        Self {
            unit_to_metre: 1.0,
            export: Export::default(),
        }
    }
}

/// Measurements of a generated clip.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClipReport {
    /// The clip's own seed: a task for one clip with this seed gives the same clip.
    pub seed: u64,
    /// Distance of the root from the target at its time, metres.
    pub target_error_m: Option<f64>,
    /// As the target error, of each waypoint.
    pub waypoint_errors_m: Vec<f64>,
    /// How deep the root enters an obstacle, metres; 0 where it stays outside.
    pub max_penetration_m: Option<f64>,
    /// Cosine between the embeddings of the clip and of the prompt, −1 to 1.
    pub text_score: Option<f64>,
    /// Share of frames in which a foot on the ground slides, after clean-up.
    pub foot_skate_ratio: f64,
    /// The same before clean-up.
    pub foot_skate_ratio_before: f64,
    /// How feet near the ground move over it after clean-up, whatever their speed.
    pub foot_slide: FootSlide,
    /// Speed of the root in the last quarter of a second, metres per second, where it shall stand there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_speed_mps: Option<f64>,
    /// Mean jerk of the joints after clean-up, m/s³.
    pub jerk_m_s3: f64,
    /// Whether the root moves faster than 2.6 m/s for half a second.
    pub implausibly_fast: bool,
    /// How far the clip is from each goal and obstacle of its task.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<kinograd_guidance::goal::GoalOutcome>,
}

impl ClipReport {
    /// Puts lengths of our body in a world where it has another size.
    pub(crate) fn scale_lengths(&mut self, factor: f64) {
        let lengths = [&mut self.target_error_m, &mut self.max_penetration_m];
        for length in lengths.into_iter().flatten() {
            *length *= factor;
        }
        for length in &mut self.waypoint_errors_m {
            *length *= factor;
        }
    }
}

impl Clip {
    /// A clip of a motion from elsewhere.
    #[must_use]
    pub fn new(motion: Motion, provenance: Provenance) -> Self {
        Self {
            motion,
            features: None,
            embedding: None,
            provenance,
            report: None,
            reading: None,
            character: None,
            rig_report: None,
        }
    }

    /// Reads a .bvh, .glb (or .vrm), or .npz (or .npy).
    ///
    /// # Errors
    /// [`Error::Read`] with the path and why; [`Error::FileFormat`] for other files.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Self, Error> {
        let FileFormat::Clip(format) = FileFormat::of(path)? else {
            let mut names: Vec<&str> = FORMATS.iter().map(|f| f.extension).collect();
            names.sort_unstable();
            let last = names.pop().unwrap_or_default();
            return Err(Error::FileFormat {
                path: path.to_path_buf(),
                message: format!("clips are read from .{} and .{last}", names.join(", .")),
            });
        };
        let stored = format.load(path, options);
        let stored = stored.map_err(|error| Error::reading(path, error))?;
        Ok(Self {
            motion: stored.motion,
            features: stored.features,
            embedding: None,
            provenance: stored.provenance.unwrap_or_else(|| converted_from(path)),
            report: None,
            reading: Some(stored.reading),
            character: None,
            rig_report: None,
        })
    }

    /// The motion on the canonical 22-joint body, which it may be on already.
    pub(crate) fn on_canonical_body(mut self) -> Result<Self, MotionError> {
        if let Some(motion) = to_canonical_body(&self.motion)? {
            self.motion = motion;
            self.features = None;
        }
        Ok(self)
    }

    /// The clip at another frame rate.
    ///
    /// # Errors
    /// [`Error::Motion`] if `fps` is not a positive number.
    pub fn resampled(mut self, fps: f64) -> Result<Self, Error> {
        if (fps - self.motion.fps).abs() > 1e-9 {
            self.motion = kinograd_motion::resample::resample(&self.motion, fps)?;
            self.features = None;
        }
        Ok(self)
    }

    /// Writes a .glb, .fbx, .bvh, .npz, .png or .json by the path's extension, whole or not at all.
    /// What cannot hold the record of how the clip came to be, as a BVH, has it beside, as
    /// `NAME.bvh.json`.
    ///
    /// # Errors
    /// [`Error::Write`] with the path and why; [`Error::FileFormat`] for another extension.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        self.save_with(path, &SaveOptions::default())
    }

    /// [`Clip::save`] with options.
    ///
    /// # Errors
    /// As [`Clip::save`].
    pub fn save_with(&self, path: &Path, options: &SaveOptions) -> Result<(), Error> {
        let written = match FileFormat::of(path)? {
            FileFormat::Clip(format) => self.write(format, path, options),
            FileFormat::Json => self.write_record(path, &self.provenance),
            FileFormat::Png => return self.write_sheet(path),
        };
        written.map_err(|error| Error::writing(path, error))
    }

    fn write(
        &self,
        format: &Format,
        path: &Path,
        options: &SaveOptions,
    ) -> Result<(), MotionError> {
        let export = options.export;
        let motion = export.apply(&self.motion)?;
        if self.character.is_some() && motion.skeleton != self.motion.skeleton {
            return Err(of_a_character(export));
        }
        let mut provenance = self.provenance.clone();
        export.record(&motion, &mut provenance);
        let clip = ClipRef {
            motion: &motion,
            // A model's features are those of the clip as it was made.
            features: self
                .features
                .as_ref()
                .filter(|_| export == Export::default()),
            provenance: &provenance,
            unit_to_metre: options.unit_to_metre,
        };
        match &self.character {
            Some(character) => character.write(format, path, clip)?,
            None => (format.write)(path, clip)?,
        }
        match format.read_record {
            Some(_) => Ok(()),
            None => self.write_record(&record_beside(path), &provenance),
        }
    }

    fn write_sheet(&self, path: &Path) -> Result<(), Error> {
        let clip = SheetClip {
            title: self.title(),
            joints: joints_array(&self.motion),
            fps: self.motion.fps,
        };
        let marks = self.marks();
        let sheet = render_sheet(&[clip], &marks, SHEET_SIZE_PX)?;
        let size = [sheet.height(), sheet.width()].map(|side| side as usize);
        let record = Some(&self.provenance);
        write_png(path, size, png::ColorType::Rgba, sheet.rgba(), record)
    }

    /// The task that made the clip, if one did; read from the clip's record.
    #[must_use]
    pub fn task(&self) -> Option<Task> {
        serde_json::from_value(self.provenance.task.clone()?).ok()
    }

    /// What the clip's record says of its goals.
    pub(crate) fn marks(&self) -> SceneMarks {
        let task = self.task();
        task.map_or_else(SceneMarks::default, |task| marks_of_task(&task))
    }

    /// Its prompts and seed; empty where its record does not say them.
    pub(crate) fn title(&self) -> String {
        self.task().map_or_else(String::new, |task| {
            let seed = self.provenance.seed.unwrap_or(task.sampling.seed);
            format!("{}, seed {seed}", task.prompts_in_words())
        })
    }

    fn write_record(&self, path: &Path, provenance: &Provenance) -> Result<(), MotionError> {
        let document = serde_json::json!({
            "schema": "kinograd.clip/1",
            "provenance": provenance,
            "report": self.report,
        });
        write_json(path, &document)
    }
}

/// A character keeps its bones, their names and its rest pose.
fn of_a_character(export: Export) -> MotionError {
    let what = match export.root_motion {
        RootMotion::Extract => "it has no bone above its hips that could carry the travel",
        _ => "its names and its rest pose are its own",
    };
    MotionError::Clip {
        clip: "character".to_owned(),
        message: what.to_owned(),
    }
}

/// Writes a JSON document with a final newline, whole or not at all.
fn write_json(path: &Path, document: &serde_json::Value) -> Result<(), MotionError> {
    write_atomic(path, |file| {
        serde_json::to_writer_pretty(&mut *file, document)?;
        std::io::Write::write_all(file, b"\n")
    })
}

/// Writes a report, whole or not at all.
///
/// # Errors
/// [`Error::Write`] with the path and why.
pub fn save_report(path: &Path, report: &serde_json::Value) -> Result<(), Error> {
    write_json(path, report).map_err(|error| Error::writing(path, error))
}

fn converted_from(path: &Path) -> Provenance {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut record = Provenance::new().by_command(format!("kinograd convert '{name}'"));
    record.extra.insert("source".to_owned(), name.into());
    record
}
