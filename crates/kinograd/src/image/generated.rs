//! What comes out of a run.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::path::Path;

use kinograd_motion::{Provenance, write_atomic};
use ndarray::{Array1, ArrayD, ArrayView3, Axis, concatenate};
use ndarray_npy::NpzWriter;
use serde::Serialize;

use super::picture::{Picture, tiled};
use super::trace::Trace;
use crate::Error;

/// What was measured of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ImageReport {
    /// Its seed.
    pub seed: u64,
    /// Each goal's loss on the finished image, without augmentation and weight.
    pub losses: BTreeMap<String, f64>,
    /// Cosine between image and prompt, by the encoders that may have steered.
    pub text_score: Option<f64>,
    /// The same by encoders that did not.
    pub judge_score: Option<f64>,
}

/// An image with its record.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GeneratedImage {
    /// The image.
    pub picture: Picture,
    /// x̂0 on the way, at most 12 of them, the finished image last; none where no strip is kept.
    pub steps: Vec<Picture>,
    /// Every step as numbers, where they are kept.
    pub trace: Option<Trace>,
    /// How it came to be.
    pub provenance: Provenance,
    /// What was measured of it.
    pub report: ImageReport,
}

impl GeneratedImage {
    /// Writes a PNG that carries the record.
    ///
    /// # Errors
    /// [`Error::Write`] with the path.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        self.picture.save(path, Some(&self.provenance))
    }
}

/// Writes how images came out of noise: one row each, x̂0 from left to right.
///
/// # Errors
/// [`Error::Write`] with the path.
pub fn save_strip(images: &[GeneratedImage], path: &Path) -> Result<(), Error> {
    let frames: Vec<ArrayView3<'_, f32>> = images
        .iter()
        .flat_map(|image| image.steps.iter().map(|step| step.0.view()))
        .collect();
    let columns = images.first().map_or(1, |image| image.steps.len());
    tiled(&frames, columns).save(path, None)
}

/// Writes the steps of images as an uncompressed NPZ archive: `timesteps` and `alpha_bars`
/// `f64 [steps]`, `x0` and `x` `f32 [steps, images, channels, height, width]` as [`Trace`] has them.
///
/// # Errors
/// [`Error::Write`] with the path, [`Error::Internal`] if the images have no traces.
pub fn save_trace(images: &[GeneratedImage], path: &Path) -> Result<(), Error> {
    let traces: Vec<&Trace> = images.iter().filter_map(|i| i.trace.as_ref()).collect();
    let Some(first) = traces.first() else {
        return Err(Error::Internal("the images have no traces".to_owned()));
    };
    let joined = |pick: fn(&Trace) -> &ArrayD<f32>| {
        let rows: Vec<_> = traces
            .iter()
            .map(|trace| pick(trace).view().insert_axis(Axis(1)))
            .collect();
        concatenate(Axis(1), &rows)
            // NumPy's order, whatever ndarray chose
            .map(|joined| joined.as_standard_layout().into_owned())
            .map_err(|error| Error::Internal(error.to_string()))
    };
    let failed = |error: ndarray_npy::WriteNpzError| Error::Internal(error.to_string());
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    npz.add_array("timesteps", &Array1::from(first.timesteps.clone()))
        .map_err(failed)?;
    npz.add_array("alpha_bars", &Array1::from(first.alpha_bars.clone()))
        .map_err(failed)?;
    npz.add_array("x0", &joined(|trace| &trace.x0)?)
        .map_err(failed)?;
    npz.add_array("x", &joined(|trace| &trace.x)?)
        .map_err(failed)?;
    let bytes = npz.finish().map_err(failed)?.into_inner();
    write_atomic(path, |file| file.write_all(&bytes)).map_err(|error| Error::Write {
        path: path.to_path_buf(),
        source: error.into(),
    })
}
