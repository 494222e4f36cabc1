//! A model package on an engine, ready to make clips.

mod run;

pub use run::MakeLoss;
pub(crate) use run::{Batch, EncodedPrompts, goals_objective};

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Instant;

use kinograd_diffusion::{Denoiser, NoiseSchedule};
use kinograd_motion::{FEATURES, Normalizer};
use kinograd_runtime::{
    ClipBatch, EngineOptions, EngineReport, Manifest, MotionEmbedding, OnnxDenoiser, OpenEngine,
    Package, Role, RuntimeError, SessionOptions, TextEncoder, cache_dir, find_package, open_engine,
};
use ndarray::{Array2, ArrayD, ArrayView2, Axis};

use crate::Error;
use crate::known::Known;
use crate::observer::{Event, Observer};
use crate::task::MODEL_FPS;

/// A model package on an engine, ready to make clips.
///
/// ```no_run
/// use kinograd::runtime::EngineOptions;
/// use kinograd::{MotionGenerator, Task};
///
/// let mut generator = MotionGenerator::open("motion-base", &EngineOptions::default())?;
/// let task = Task::builder("a person walks forward")
///     .target(2.0, 3.0)
///     .obstacle(1.0, 1.5, 0.5)
///     .build()?;
/// for clip in generator.generate(&task, &mut ())? {
///     clip.save("walk.glb".as_ref())?;
/// }
/// # Ok::<(), kinograd::Error>(())
/// ```
pub struct MotionGenerator {
    pub(crate) package: Package,
    pub(crate) engine: OpenEngine,
    pub(crate) schedule: NoiseSchedule,
    pub(crate) normalizer: Normalizer,
    pub(crate) text: TextEncoder,
    pub(crate) denoiser: OnnxDenoiser,
    pub(crate) embedding: Option<MotionEmbedding>,
    hashes: BTreeMap<String, String>,
    timings: Timings,
}

/// Seconds that the parts of the last run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Timings {
    /// Opening the engine, reading and checking the package.
    pub open_s: f64,
    /// Encoding the prompt.
    pub text_s: f64,
    /// Loading the denoiser's graphs, where they were not loaded before.
    pub prepare_s: f64,
    /// Sampling.
    pub sampling_s: f64,
    /// Fitting rotations, foot lock and measuring.
    pub finish_s: f64,
}

impl MotionGenerator {
    /// Opens a model package, by name or folder, on an engine.
    ///
    /// # Errors
    /// [`Error::Runtime`] if there is no such package, a file of it is missing or has another
    /// hash, or the engine cannot be opened.
    pub fn open(model: &str, options: &EngineOptions) -> Result<Self, Error> {
        let started = Instant::now();
        let package = find_package(model)?;
        let engine = open_engine(options)?;
        let session = session_options();
        let constants = package.constants()?;
        let text = TextEncoder::open(&engine.engine, &package, &session)?;
        let denoiser = OnnxDenoiser::open(engine.engine.clone(), &package, session.clone())?;
        let embedding = if package.has(Role::MotionEmbedding) {
            Some(MotionEmbedding::open(
                engine.engine.clone(),
                &package,
                session,
            )?)
        } else {
            None
        };
        let files = &package.manifest().files;
        let hashes = files
            .iter()
            .map(|(role, entry)| (role.as_str().to_owned(), entry.sha256.clone()));
        Ok(Self {
            schedule: schedule_of(package.manifest())?,
            normalizer: Normalizer::new(constants.mean, constants.std)?,
            hashes: hashes.collect(),
            text,
            denoiser,
            embedding,
            package,
            engine,
            timings: Timings {
                open_s: started.elapsed().as_secs_f64(),
                ..Timings::default()
            },
        })
    }

    /// What the package says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.package.manifest()
    }

    /// What engine runs the model.
    #[must_use]
    pub fn engine(&self) -> &EngineReport {
        &self.engine.report
    }

    /// The engine in words, such as `ONNX Runtime 1.31.1 (cpu)`.
    #[must_use]
    pub fn engine_name(&self) -> String {
        let report = &self.engine.report;
        format!("{} {} ({})", report.engine, report.version, report.provider)
    }

    /// Seconds that the parts of the last run took.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.timings
    }

    /// Mean and standard deviation of the model's features.
    #[must_use]
    pub fn normalizer(&self) -> &Normalizer {
        &self.normalizer
    }

    /// Known prompts nearest to a prompt, with the cosine between their embeddings.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the text encoder fails.
    pub fn nearest_known(&mut self, prompt: &str) -> Result<Vec<(String, f32)>, Error> {
        known(&self.package).nearest(&mut self.text, prompt)
    }

    /// Embeddings of texts, `[texts, e]`, unit length.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the text encoder fails.
    pub fn embed_texts(&mut self, texts: &[&str]) -> Result<Array2<f32>, Error> {
        Ok(self.text.encode(texts)?.embedding)
    }

    /// Embedding of a clip's features `[frames, 263]`, not normalised: `[e]`, unit length. `None`
    /// where the package has no motion embedding.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the model fails, [`Error::Motion`] for features of another shape.
    pub fn embed_motion(
        &mut self,
        features: ArrayView2<'_, f32>,
    ) -> Result<Option<Vec<f32>>, Error> {
        let Some(embedding) = &mut self.embedding else {
            return Ok(None);
        };
        let normalised = self.normalizer.apply(features)?;
        let frames = normalised.nrows();
        let batch = normalised.insert_axis(Axis(0)).into_dyn();
        let rows = embedding.embed(&batch, &[frames])?;
        Ok(Some(rows.into_iter().collect()))
    }

    /// x̂0 of one clip, without classifier-free guidance: `clear` and `noise` are
    /// `[1, frames, 263]`, normalised features and standard normal noise; `level` is a training step.
    ///
    /// # Errors
    /// [`Error::Runtime`] or [`Error::Diffusion`] if the model fails or the level is none of its own.
    pub fn predict(
        &mut self,
        prompt: &str,
        clear: &ArrayD<f32>,
        noise: &ArrayD<f32>,
        level: usize,
    ) -> Result<ArrayD<f32>, Error> {
        let level = self.schedule.level(level as f64)?;
        self.denoiser.prepare(false)?;
        self.denoiser.set_batch(ClipBatch {
            condition: self.text.encode(&[prompt])?.condition,
            blend_weights: None,
            lengths: vec![clear.len_of(Axis(1))],
            guidance_scale: 1.0,
        })?;
        let signal = level.alpha_bar.sqrt() as f32;
        let spread = level.noise_variance().sqrt() as f32;
        let x_t = ndarray::Zip::from(clear)
            .and(noise)
            .map_collect(|x, n| signal * x + spread * n);
        Ok(self.denoiser.denoise(&x_t, level)?)
    }
}

/// Each row `batch` times, one after the other.
pub(crate) fn repeated(rows: ArrayView2<'_, f32>, batch: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows.nrows() * batch, rows.ncols()), |(row, column)| {
        rows[[row / batch, column]]
    })
}

/// Graphs are kept in the user's cache.
pub(crate) fn session_options() -> SessionOptions {
    SessionOptions {
        cache_dir: cache_dir(),
        ..SessionOptions::default()
    }
}

/// The prompts that a package knows.
fn known(package: &Package) -> Known {
    let files = &package.manifest().files;
    Known {
        prompts: package.manifest().known_prompts.clone(),
        files: [Role::Tokenizer, Role::TextEncoder]
            .iter()
            .filter_map(|role| files.get(role))
            .map(|file| file.sha256.clone())
            .collect(),
    }
}

pub(crate) fn emit(observer: &mut dyn Observer, event: Event) -> Result<(), Error> {
    match observer.event(&event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}

fn schedule_of(manifest: &Manifest) -> Result<NoiseSchedule, Error> {
    if (manifest.motion()?.fps - MODEL_FPS).abs() > 1e-9 || manifest.motion()?.features != FEATURES
    {
        return Err(Error::Runtime(RuntimeError::PackageFormat {
            path: manifest.name.clone().into(),
            reason: format!("clips of {FEATURES} features at {MODEL_FPS} fps are made here"),
        }));
    }
    schedule_from(manifest)
}

/// The noise schedule of a package's training.
pub(crate) fn schedule_from(manifest: &Manifest) -> Result<NoiseSchedule, Error> {
    let spec = manifest
        .schedule
        .ok_or_else(|| RuntimeError::PackageFormat {
            path: manifest.name.clone().into(),
            reason: "`schedule` is missing".to_owned(),
        })?;
    Ok(spec.levels()?)
}
