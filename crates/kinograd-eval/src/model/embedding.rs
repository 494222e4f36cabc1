//! Retrieval and memory, by the model's own embedding.

use kinograd::motion::FEATURE_FPS;
use kinograd::motion::metrics::{nearest_neighbour_distances, r_precision};
use kinograd::{Error, MotionGenerator, Observer};
use ndarray::Array2;
use serde::Serialize;

use super::protocol::ModelProtocol;
use crate::reference::{Reference, Snippet};
use crate::statistics::{median, quantile};

/// Clips that are ranked against each other in R-precision, as the field does.
const GROUP: usize = 32;

/// Real clips and samples for their captions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RetrievalReport {
    /// Captions of held-out clips.
    pub captions: usize,
    /// Share of real clips among the three nearest of 32 to their caption.
    pub real_top3: f64,
    /// The same of samples for those captions.
    pub samples_top3: f64,
}

/// How near clips come to the nearest training clip, in the model's embedding.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MemoryReport {
    /// Training clips.
    pub training_clips: usize,
    /// Samples: 5th percentile and median of the distance.
    pub samples: [f64; 2],
    /// Held-out real clips: the same.
    pub held_out: [f64; 2],
}

/// Whether captions of held-out clips find their clips and the samples for them.
pub(super) fn retrieval(
    generator: &mut MotionGenerator,
    held_out: &[Snippet<'_>],
    protocol: &ModelProtocol,
    observer: &mut dyn Observer,
) -> Result<Option<RetrievalReport>, Error> {
    // One clip per caption: two clips of one caption cannot be told apart by it.
    let mut seen = std::collections::BTreeSet::new();
    let mut chosen: Vec<&Snippet<'_>> = held_out
        .iter()
        .filter(|snippet| seen.insert(snippet.caption()))
        .collect();
    // The order of captions, not of clips: neighbours in the data set are alike.
    chosen.sort_by_key(|snippet| kinograd::runtime::sha256_hex(snippet.caption().as_bytes()));
    chosen.truncate(protocol.captions / GROUP * GROUP);
    chosen.truncate(chosen.len() / GROUP * GROUP);
    if chosen.is_empty() {
        return Ok(None);
    }
    let captions: Vec<&str> = chosen.iter().map(|snippet| snippet.caption()).collect();
    let texts = generator.embed_texts(&captions)?;
    let (mut reals, mut samples) = (Vec::new(), Vec::new());
    for snippet in &chosen {
        let duration_secs = (snippet.features.nrows() as f64 / FEATURE_FPS).clamp(1.0, 10.0);
        let task = protocol.task(snippet.caption(), duration_secs, 1)?;
        let clips = generator.generate(&task, observer)?;
        let Some(real) = generator.embed_motion(snippet.features)? else {
            return Ok(None);
        };
        reals.push(real);
        for features in clips.iter().filter_map(|clip| clip.features.as_ref()) {
            samples.extend(generator.embed_motion(features.view())?);
        }
    }
    let (reals, samples) = (rows(&reals)?, rows(&samples)?);
    Ok(Some(RetrievalReport {
        captions: chosen.len(),
        real_top3: r_precision(texts.view(), reals.view(), GROUP, 3)?,
        samples_top3: r_precision(texts.view(), samples.view(), GROUP, 3)?,
    }))
}

/// How near samples come to training clips.
pub(super) fn memory(
    generator: &mut MotionGenerator,
    reference: &Reference,
    held_out: &[Snippet<'_>],
    sampled: &[Vec<f32>],
) -> Result<Option<MemoryReport>, Error> {
    let mut training = Vec::new();
    for snippet in reference.snippets("train") {
        training.extend(generator.embed_motion(snippet.features)?);
    }
    let mut held = Vec::new();
    for snippet in held_out {
        held.extend(generator.embed_motion(snippet.features)?);
    }
    if training.is_empty() || held.is_empty() || sampled.is_empty() {
        return Ok(None);
    }
    let references = rows(&training)?;
    let of = |set: &[Vec<f32>]| -> Result<[f64; 2], Error> {
        let distances: Vec<f64> =
            nearest_neighbour_distances(rows(set)?.view(), references.view())?
                .into_iter()
                .map(|(_, distance)| distance)
                .collect();
        Ok([quantile(&distances, 0.05), median(&distances)].map(|v| v.unwrap_or(f64::NAN)))
    };
    Ok(Some(MemoryReport {
        training_clips: training.len(),
        samples: of(sampled)?,
        held_out: of(&held)?,
    }))
}

fn rows(vectors: &[Vec<f32>]) -> Result<Array2<f32>, Error> {
    let width = vectors.first().map_or(0, Vec::len);
    let flat: Vec<f32> = vectors.iter().flatten().copied().collect();
    Array2::from_shape_vec((vectors.len(), width), flat)
        .map_err(|error| Error::Internal(error.to_string()))
}
