//! A second embedding of motion and text: it judges clips that the model's own may have steered.

use kinograd_motion::Normalizer;
use kinograd_runtime::{MotionEmbedding, SessionOptions, TextEncoder, find_package};
use ndarray::{ArrayView2, Axis};

use crate::{Error, MotionGenerator};

/// PairEncoders that only judge. A gradient that fools the network which steers need not fool them.
pub struct MotionEvaluator {
    name: String,
    text: TextEncoder,
    motion: MotionEmbedding,
    normalizer: Normalizer,
}

impl MotionGenerator {
    /// Opens a package with a text encoder and a motion embedding on this generator's engine.
    ///
    /// # Errors
    /// [`Error::Runtime`] if there is no such package or a part of it is missing.
    pub fn open_judge(&self, model: &str) -> Result<MotionEvaluator, Error> {
        let package = find_package(model)?;
        let (engine, session) = (&self.model.engine.engine, SessionOptions::default());
        let constants = package.constants()?;
        let manifest = package.manifest();
        Ok(MotionEvaluator {
            name: format!("{} {}", manifest.name, manifest.version),
            text: TextEncoder::open(engine, &package, &session)?,
            motion: MotionEmbedding::open(engine.clone(), &package, session)?,
            normalizer: Normalizer::new(constants.mean, constants.std)?,
        })
    }
}

impl MotionEvaluator {
    /// The package and its version.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Embedding of a clip's features `[frames, 263]`, not normalised: `[e]`, unit length.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the network fails, [`Error::Motion`] for features of another shape.
    pub fn embed_motion(&mut self, features: ArrayView2<'_, f32>) -> Result<Vec<f32>, Error> {
        let normalised = self.normalizer.apply(features)?;
        let frames = normalised.nrows();
        let rows = self
            .motion
            .embed(&normalised.insert_axis(Axis(0)).into_dyn(), &[frames])?;
        Ok(rows.into_iter().collect())
    }

    /// Cosine between the embeddings of a clip and a text.
    ///
    /// # Errors
    /// As [`MotionEvaluator::embed_motion`], and [`Error::Runtime`] if the prompt is refused.
    pub fn score(&mut self, features: ArrayView2<'_, f32>, prompt: &str) -> Result<f64, Error> {
        let text = self.text.encode(&[prompt])?.embedding;
        let clip = self.embed_motion(features)?;
        if text.ncols() != clip.len() {
            return Err(Error::Internal(format!(
                "{}: texts have {} numbers, clips {}",
                self.name,
                text.ncols(),
                clip.len()
            )));
        }
        let products = text.iter().zip(&clip);
        Ok(products.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum())
    }
}
