//! A package's motion embedding: how well a clip fits a text, with its gradient.

use std::sync::Arc;

use ndarray::{Array2, Array3, ArrayD, ArrayView2, Axis, Ix2};

use crate::denoiser::ClipLayout;
use crate::{
    Engine, GradientSession, ModelSource, Package, Role, RuntimeError, Session, SessionOptions,
    Tensor,
};

/// Embeds clips where texts are embedded.
///
/// Features are `[batch, frames, features]`, normalised with the package's constants; embeddings
/// are `[batch, embedding_dims]`, unit length.
pub struct MotionEmbedding {
    engine: Arc<dyn Engine>,
    model: ModelSource,
    options: SessionOptions,
    features_port: String,
    mask_port: String,
    embedding_port: String,
    features: usize,
    patch_frames: usize,
    plain: Option<Box<dyn Session>>,
    gradient: Option<GradientSession>,
}

impl MotionEmbedding {
    /// Opens the package's embedding; graphs are loaded when they are first needed.
    ///
    /// # Errors
    /// As [`Package::file`].
    pub fn open(
        engine: Arc<dyn Engine>,
        package: &Package,
        options: SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let motion = package.manifest().motion()?;
        let port = |name| package.port(Role::MotionEmbedding, name);
        Ok(Self {
            engine,
            model: package.model(Role::MotionEmbedding)?,
            options,
            features_port: port("features"),
            mask_port: port("frame_mask"),
            embedding_port: port("embedding"),
            features: motion.features,
            patch_frames: motion.patch_frames,
            plain: None,
            gradient: None,
        })
    }

    /// Embeddings of clips; `lengths[i]` frames of clip `i` are real.
    ///
    /// # Errors
    /// [`RuntimeError::Tensor`] if the features do not fit, otherwise as [`Session::run`].
    pub fn embed(
        &mut self,
        features: &ArrayD<f32>,
        lengths: &[usize],
    ) -> Result<Array2<f32>, RuntimeError> {
        let inputs = self.inputs(features, lengths)?;
        if self.plain.is_none() && self.gradient.is_none() {
            self.plain = Some(self.engine.load(&self.model, &self.options)?);
        }
        let named = [
            (self.features_port.as_str(), &inputs.features),
            (self.mask_port.as_str(), &inputs.mask),
        ];
        let output = match (&mut self.plain, &mut self.gradient) {
            (Some(plain), _) => plain.run(&named, &[&self.embedding_port])?.remove(0),
            (None, Some(gradient)) => gradient.forward(&named)?.0,
            (None, None) => return Err(wrong_embedding("nothing")),
        };
        rows(output)
    }

    /// Cosine distance `1 − ⟨embedding, text⟩` of each clip to its text, and the gradients of
    /// their sum with respect to the features (so row `i` is the gradient of value `i`).
    ///
    /// `text`: `[batch, embedding_dims]`, unit length.
    ///
    /// # Errors
    /// As [`MotionEmbedding::embed`] and [`GradientSession::open`].
    pub fn cosine_distance_and_grad(
        &mut self,
        features: &ArrayD<f32>,
        lengths: &[usize],
        text: ArrayView2<'_, f32>,
    ) -> Result<(Vec<f64>, ArrayD<f32>), RuntimeError> {
        let inputs = self.inputs(features, lengths)?;
        if self.gradient.is_none() {
            self.gradient = Some(GradientSession::open(
                &self.engine,
                &self.model,
                &self.embedding_port,
                &self.features_port,
                &self.options,
            )?);
        }
        let gradient = self
            .gradient
            .as_mut()
            .ok_or_else(|| wrong_embedding("nothing"))?;
        let named = [
            (self.features_port.as_str(), &inputs.features),
            (self.mask_port.as_str(), &inputs.mask),
        ];
        let (output, activations) = gradient.forward(&named)?;
        let embedding = rows(output)?;
        if embedding.dim() != text.dim() {
            return Err(RuntimeError::Tensor {
                what: "text embedding".into(),
                expected: format!("{:?}", embedding.shape()),
                got: format!("{:?}", text.shape()),
            });
        }
        let values = cosine_distances(embedding.view(), text);
        let cotangent = Tensor::from(text.mapv(|value| -value));
        let pulled = gradient.backward(&activations, &named, &cotangent)?;
        let layout = &inputs.layout;
        let once = layout.once();
        let combined = layout.combine(pulled.to_f32()?.view(), inputs.frames, once.view())?;
        Ok((values, combined.into_dyn()))
    }

    fn inputs(&self, features: &ArrayD<f32>, lengths: &[usize]) -> Result<Inputs, RuntimeError> {
        let layout = ClipLayout {
            lengths: lengths.to_vec(),
            features: self.features,
            patch_frames: self.patch_frames,
        };
        let view = layout.view(features)?;
        let frames = view.dim().1;
        let padded: Array3<f32> = layout.pad(view, layout.once().view());
        Ok(Inputs {
            features: Tensor::from(padded),
            mask: Tensor::from(layout.mask(frames, 1)),
            layout,
            frames,
        })
    }
}

struct Inputs {
    features: Tensor,
    mask: Tensor,
    layout: ClipLayout,
    frames: usize,
}

/// `1 − ⟨a, b⟩` row by row.
pub(crate) fn cosine_distances(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Vec<f64> {
    let dot = |a: ndarray::ArrayView1<'_, f32>, b: ndarray::ArrayView1<'_, f32>| -> f64 {
        a.iter()
            .zip(b)
            .map(|(&a, &b)| f64::from(a) * f64::from(b))
            .sum()
    };
    a.axis_iter(Axis(0))
        .zip(b.axis_iter(Axis(0)))
        .map(|(a, b)| 1.0 - dot(a, b))
        .collect()
}

fn rows(output: Tensor) -> Result<Array2<f32>, RuntimeError> {
    let shape = format!("{:?}", output.shape());
    output
        .into_f32()?
        .into_dimensionality::<Ix2>()
        .map_err(|_| wrong_embedding(&shape))
}

fn wrong_embedding(got: &str) -> RuntimeError {
    RuntimeError::Tensor {
        what: "motion embedding".into(),
        expected: "[batch, embedding_dims]".into(),
        got: got.to_owned(),
    }
}
