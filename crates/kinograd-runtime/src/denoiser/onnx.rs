//! A package's denoiser behind the sampler's traits.

use std::sync::Arc;

use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, DiffusionError, NoiseLevel, PullBack};
use ndarray::{Array1, ArrayD};

use super::batch::DenoiserBatch;
use super::clips::Clips;
use super::family::{Adapted, Family};
use super::layout::{SampleLayout, Scale};
use super::pictures::Pictures;
use super::rows::RowGroups;
use super::spec::{DenoiserSpec, Ports, Samples};
use crate::{
    Engine, GradientSession, ModelSource, Package, Role, RuntimeError, Session, SessionOptions,
    Tensor,
};

/// A denoiser of a model package, for one [`DenoiserBatch`] at a time.
///
/// x_t of motion is `[batch, frames, features]`, normalised, any number of frames; the graph gets it
/// padded to its patches and masked. x̂0 is zero beyond a clip's own length, and so is a pull-back.
/// x_t of pictures is `[batch, channels, height, width]` of [`crate::Manifest::sample_size`], pixels
/// in −1..1 or latents where there is no noise.
///
/// ```no_run
/// use kinograd_diffusion::{Denoiser, NoiseLevel};
/// use kinograd_runtime::*;
/// use ndarray::{ArrayD, Array2};
///
/// let engine = open_engine(&EngineOptions::default())?.engine;
/// let level = NoiseLevel { timestep: 999.0, alpha_bar: 1e-4 };
/// let options = SessionOptions::default();
///
/// let package = find_package("motion-base")?;
/// let mut motion = OnnxDenoiser::open(engine.clone(), &package, options.clone())?;
/// motion.set_batch(ClipBatch {
///     condition: Array2::zeros((1, 256)),
///     blend_weights: None,
///     lengths: vec![80],
///     guidance_scale: 1.5,
/// })?;
/// let clip = motion.denoise(&ArrayD::zeros(vec![1, 80, 263]), level)?;
///
/// let mut pictures = OnnxDenoiser::open(engine, &find_package("emoji-64")?, options)?;
/// pictures.set_batch(PictureBatch::default())?;
/// let picture = pictures.denoise(&ArrayD::zeros(vec![1, 3, 64, 64]), level)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OnnxDenoiser {
    engine: Arc<dyn Engine>,
    model: ModelSource,
    options: SessionOptions,
    ports: Ports,
    family: Family,
    layout: Box<dyn SampleLayout>,
    rows: RowGroups,
    /// Loaded when first used, as is `gradient`: a run that is always guided needs no plain one.
    plain: Option<Box<dyn Session>>,
    gradient: Option<GradientSession>,
}

impl OnnxDenoiser {
    /// Opens the package's denoiser; graphs are loaded when they are first needed.
    ///
    /// # Errors
    /// As [`Package::file`] and [`DenoiserSpec::of`].
    pub fn open(
        engine: Arc<dyn Engine>,
        package: &Package,
        options: SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let model = package.model(Role::Denoiser)?;
        Ok(Self::new(
            engine,
            model,
            DenoiserSpec::of(package)?,
            options,
        ))
    }

    /// A denoiser of a graph that need not be in a package; loaded when it is first needed.
    pub fn new(
        engine: Arc<dyn Engine>,
        model: ModelSource,
        spec: DenoiserSpec,
        options: SessionOptions,
    ) -> Self {
        let layout: Box<dyn SampleLayout> = match spec.samples {
            Samples::Clips(clips) => Box::new(Clips::new(clips)),
            Samples::Pictures(pictures) => Box::new(Pictures::new(pictures)),
        };
        Self {
            engine,
            model,
            options,
            ports: spec.ports,
            family: spec.family,
            layout,
            rows: RowGroups(spec.rows),
            plain: None,
            gradient: None,
        }
    }

    /// Goes on with another graph of the same kind, such as one with other weights.
    pub fn set_model(&mut self, model: ModelSource) {
        self.model = model;
        self.plain = None;
        self.gradient = None;
    }

    /// Sets what the next calls make.
    ///
    /// # Errors
    /// [`RuntimeError::Tensor`] if the conditions or blend weights do not fit the model or the lengths,
    /// [`RuntimeError::Parameter`] for a batch of another modality, a length that the model cannot
    /// make, a class or text that it does not take, needs or know, or a scale that is not finite.
    pub fn set_batch(&mut self, batch: impl Into<DenoiserBatch>) -> Result<(), RuntimeError> {
        self.layout.set(batch.into())
    }

    /// Loads the graphs before the first step: the plain forward, or forward and backward.
    ///
    /// # Errors
    /// As [`Engine::load`] and [`GradientSession::open`].
    pub fn prepare(&mut self, differentiable: bool) -> Result<(), RuntimeError> {
        if differentiable && self.gradient.is_none() {
            self.gradient = Some(GradientSession::open(
                &self.engine,
                &self.model,
                &self.ports.x0,
                &self.ports.x_t,
                &self.options,
            )?);
        }
        if !differentiable && self.plain.is_none() {
            self.plain = Some(self.engine.load(&self.model, &self.options)?);
        }
        Ok(())
    }

    /// x_t and the time for every sample of the network's batch.
    fn call(&mut self, x_t: &ArrayD<f32>, level: NoiseLevel) -> Result<Call, RuntimeError> {
        let adapted = self.family.at(level)?;
        let stacked = self.layout.stacked(x_t, Scale::All(adapted.input))?;
        let rows = stacked.shape().first().copied().unwrap_or(0);
        Ok(Call {
            x_t: Tensor::from(stacked),
            timestep: Tensor::from(Array1::from_elem(rows, adapted.time)),
            adapted,
        })
    }

    fn run(&mut self, x_t: &ArrayD<f32>, level: NoiseLevel) -> Result<ArrayD<f32>, RuntimeError> {
        let call = self.call(x_t, level)?;
        // A loaded forward with activations serves too; two copies of the weights would not pay.
        if self.plain.is_none() && self.gradient.is_none() {
            self.prepare(false)?;
        }
        let named = call.named(&self.ports, self.layout.as_ref());
        let (plain, gradient) = (&mut self.plain, &mut self.gradient);
        let output = self
            .rows
            .run(&named, |named| match (&mut *plain, &mut *gradient) {
                (Some(plain), _) => Ok(plain.run(named, &[&self.ports.x0])?.remove(0)),
                (None, Some(gradient)) => Ok(gradient.forward(named)?.0),
                (None, None) => Err(not_loaded()),
            })?;
        call.x0(output, self.layout.as_ref(), x_t)
    }

    fn run_linearized<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), RuntimeError> {
        let call = self.call(x_t, level)?;
        self.prepare(true)?;
        let Self {
            gradient,
            ports,
            layout,
            rows,
            ..
        } = self;
        let gradient = gradient.as_mut().ok_or_else(not_loaded)?;
        let mut activations = Vec::new();
        let output = rows.run(&call.named(ports, layout.as_ref()), |named| {
            let (output, kept) = gradient.forward(named)?;
            activations.push(kept);
            Ok(output)
        })?;
        let x0 = call.x0(output, layout.as_ref(), x_t)?;
        let shape = x0.shape().to_vec();
        let mut pull_back = move |cotangent: &ArrayD<f32>| -> Result<ArrayD<f32>, RuntimeError> {
            if cotangent.shape() != shape {
                return Err(RuntimeError::Tensor {
                    what: "cotangent".into(),
                    expected: format!("{shape:?}"),
                    got: format!("{:?}", cotangent.shape()),
                });
            }
            let Adapted {
                input, skip, scale, ..
            } = call.adapted;
            let stacked = Tensor::from(layout.stacked(cotangent, Scale::Weighted(1.0))?);
            let mut named = call.named(ports, layout.as_ref());
            named.push(("", &stacked));
            let mut groups = activations.iter();
            let pulled = rows.run(&named, |named| match (named, groups.next()) {
                ([inputs @ .., (_, cotangent)], Some(kept)) => {
                    gradient.backward(kept, inputs, cotangent)
                }
                _ => Err(not_loaded()),
            })?;
            let pulled = pulled.to_f32()?;
            layout.combined(pulled.view(), Scale::All(input * scale), cotangent, skip)
        };
        let timestep = level.timestep;
        let pull_back: PullBack<'a> = Box::new(move |cotangent| {
            pull_back(cotangent).map_err(|error| model_error(timestep, error))
        });
        Ok((x0, pull_back))
    }
}

/// The tensors of one call.
struct Call {
    x_t: Tensor,
    timestep: Tensor,
    adapted: Adapted,
}

impl Call {
    fn named<'a>(
        &'a self,
        ports: &'a Ports,
        layout: &'a dyn SampleLayout,
    ) -> Vec<(&'a str, &'a Tensor)> {
        let conditions = layout.conditions().iter();
        let mut named = vec![
            (ports.x_t.as_str(), &self.x_t),
            (ports.timestep.as_str(), &self.timestep),
        ];
        named.extend(conditions.map(|(name, tensor)| (name.as_str(), tensor)));
        named
    }

    /// x̂0 from what the network returned.
    fn x0(
        &self,
        output: Tensor,
        layout: &dyn SampleLayout,
        x_t: &ArrayD<f32>,
    ) -> Result<ArrayD<f32>, RuntimeError> {
        let Adapted { skip, scale, .. } = self.adapted;
        layout.combined(output.to_f32()?.view(), Scale::Weighted(scale), x_t, skip)
    }
}

pub(crate) fn not_loaded() -> RuntimeError {
    RuntimeError::Parameter {
        name: "session",
        value: "none".into(),
        expected: "a loaded graph".into(),
    }
}

fn model_error(timestep: f64, error: RuntimeError) -> DiffusionError {
    DiffusionError::Model {
        timestep,
        source: error.into(),
    }
}

impl Denoiser for OnnxDenoiser {
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        self.run(x_t, level)
            .map_err(|error| model_error(level.timestep, error))
    }
}

impl DifferentiableDenoiser for OnnxDenoiser {
    fn linearize<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), DiffusionError> {
        self.run_linearized(x_t, level)
            .map_err(|error| model_error(level.timestep, error))
    }
}
