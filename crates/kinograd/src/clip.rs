//! A clip in memory, to and from files.

use std::path::Path;

use kinograd_motion::bvh::{self, WriteOptions};
use kinograd_motion::mapping::Mapping;
use kinograd_motion::retarget::retarget;
use kinograd_motion::sheet::{SheetClip, render_sheet};
use kinograd_motion::{
    GlbOptions, Motion, MotionError, Provenance, joints_array, read_glb, read_npz, write_atomic,
    write_glb, write_npz,
};
use ndarray::Array2;
use serde::Serialize;

use crate::record::write_png;
use crate::render::{marks_of_clip, title_of};
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
    /// How the clip came to be. It holds no timings, so that the same task gives the same bytes.
    pub provenance: Provenance,
    /// What was measured of a generated clip.
    pub report: Option<ClipReport>,
}

/// Measurements of a generated clip.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// Mean jerk of the joints after clean-up, m/s³.
    pub jerk_m_s3: f64,
    /// Whether the root moves faster than 2.6 m/s for half a second.
    pub implausibly_fast: bool,
    /// How far the clip is from each goal and obstacle of its task.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<kinograd_guidance::goal::GoalOutcome>,
}

/// How a clip is read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LoadOptions {
    /// Metres per unit of a BVH; guessed from the body's size if `None`.
    pub unit_to_metre: Option<f64>,
    /// Puts the motion on the canonical 22-joint body.
    pub retarget: bool,
}

impl Clip {
    /// A clip of a motion from elsewhere.
    #[must_use]
    pub fn new(motion: Motion, provenance: Provenance) -> Self {
        Self {
            motion,
            features: None,
            provenance,
            report: None,
        }
    }

    /// Reads a .bvh, .glb or .npz.
    ///
    /// # Errors
    /// [`Error::Read`] with the path and why; [`Error::FileFormat`] for other files.
    pub fn load(path: &Path, options: LoadOptions) -> Result<Self, Error> {
        let fail = |error| read_error(path, error);
        let clip = match FileFormat::of(path)? {
            FileFormat::Bvh => return load_bvh(path, options).map_err(fail),
            FileFormat::Npz => {
                let npz = read_npz(path).map_err(fail)?;
                Self {
                    motion: npz.motion,
                    features: npz.features,
                    provenance: npz.provenance,
                    report: None,
                }
            }
            FileFormat::Glb => {
                let motion = read_glb(path, None).map_err(fail)?;
                let record = kinograd_motion::glb_provenance(path).map_err(fail)?;
                Self::new(motion, record.unwrap_or_else(|| converted_from(path)))
            }
            FileFormat::Png | FileFormat::Json => {
                return Err(Error::FileFormat {
                    path: path.to_path_buf(),
                    message: "clips are read from .bvh, .glb and .npz".to_owned(),
                });
            }
        };
        if options.retarget {
            return clip.on_canonical_body().map_err(fail);
        }
        Ok(clip)
    }

    /// The motion on the canonical 22-joint body, which it may be on already.
    pub(crate) fn on_canonical_body(self) -> Result<Self, MotionError> {
        if self.motion.skeleton == kinograd_motion::Skeleton::canonical() {
            return Ok(self);
        }
        let mapping = Mapping::automatic(&self.motion.skeleton)?;
        let motion = kinograd_motion::retarget::retarget_motion(&self.motion, &mapping)?.motion;
        Ok(Self {
            motion,
            features: None,
            ..self
        })
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

    /// Writes a .glb, .bvh, .npz, .png or .json by the path's extension, whole or not at all. A
    /// BVH cannot hold the record of how the clip came to be, which goes to `NAME.bvh.json`.
    ///
    /// # Errors
    /// [`Error::Write`] with the path and why; [`Error::FileFormat`] for another extension.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let written = match FileFormat::of(path)? {
            FileFormat::Glb => {
                write_glb(path, &self.motion, &GlbOptions::default(), &self.provenance)
            }
            FileFormat::Npz => {
                write_npz(path, &self.motion, self.features.as_ref(), &self.provenance)
            }
            FileFormat::Bvh => bvh::write(path, &self.motion, WriteOptions::default())
                .and_then(|()| self.write_record(&with_suffix(path, ".json"))),
            FileFormat::Json => self.write_record(path),
            FileFormat::Png => return self.write_sheet(path),
        };
        written.map_err(|error| write_error(path, error))
    }

    fn write_sheet(&self, path: &Path) -> Result<(), Error> {
        let clip = SheetClip {
            title: title_of(self),
            joints: joints_array(&self.motion),
            fps: self.motion.fps,
        };
        let marks = marks_of_clip(self);
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

    fn write_record(&self, path: &Path) -> Result<(), MotionError> {
        let document = serde_json::json!({
            "schema": "kinograd.clip/1",
            "provenance": self.provenance,
            "report": self.report,
        });
        write_json(path, &document)
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
    write_json(path, report).map_err(|error| write_error(path, error))
}

fn load_bvh(path: &Path, options: LoadOptions) -> Result<Clip, MotionError> {
    let file = bvh::read(path)?;
    let mapped = Mapping::automatic(&file.skeleton).and_then(|mut mapping| {
        mapping.unit_to_metre = options.unit_to_metre;
        retarget(&file, &mapping, file.fps)
    });
    let provenance = converted_from(path);
    if options.retarget {
        return Ok(Clip::new(mapped?.motion, provenance));
    }
    let unit_to_metre = match (options.unit_to_metre, mapped) {
        (Some(unit), _) => unit,
        (None, Ok(mapped)) => mapped.unit_to_metre,
        (None, Err(_)) => unit_by_height(&file.joints_in_world_m(1.0)),
    };
    Ok(Clip::new(file.to_motion(unit_to_metre), provenance))
}

/// Metres per unit for a rig whose joints have unknown names: the usual unit that brings the
/// first pose's longest extent nearest to a person's height.
fn unit_by_height(joints: &[Vec<glam::DVec3>]) -> f64 {
    const HEIGHT_M: f64 = 1.6;
    const UNITS: [f64; 4] = [1.0, 0.01, 0.0254, 0.001];
    let Some(first) = joints.first() else {
        return 1.0;
    };
    let low = first
        .iter()
        .fold(glam::DVec3::INFINITY, |low, p| low.min(*p));
    let high = first
        .iter()
        .fold(glam::DVec3::NEG_INFINITY, |high, p| high.max(*p));
    let extent = (high - low).max_element();
    let distance = |unit: f64| (extent * unit / HEIGHT_M).ln().abs();
    UNITS
        .into_iter()
        .filter(|&unit| distance(unit).is_finite())
        .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
        .unwrap_or(1.0)
}

fn converted_from(path: &Path) -> Provenance {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut record = Provenance::new().by_command(format!("kinograd convert '{name}'"));
    record.extra.insert("source".to_owned(), name.into());
    record
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}

pub(crate) fn read_error(path: &Path, error: MotionError) -> Error {
    Error::Read {
        path: path.to_path_buf(),
        source: without_path(error),
    }
}

pub(crate) fn write_error(path: &Path, error: MotionError) -> Error {
    Error::Write {
        path: path.to_path_buf(),
        source: without_path(error),
    }
}

/// The facade's error names the file already.
fn without_path(error: MotionError) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        MotionError::Io { source, .. } => Box::new(source),
        other => Box::new(other),
    }
}
