//! What comes out of a run.

use std::collections::BTreeMap;
use std::path::Path;

use kinograd_motion::Provenance;
use ndarray::ArrayView3;
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
