//! A package's denoiser behind the sampler's traits.

use std::sync::Arc;

use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, DiffusionError, NoiseLevel, PullBack};
use ndarray::{Array1, Array2, Array3, ArrayD};

use crate::clips::ClipLayout;
use crate::package::Prediction;
use crate::{
    Engine, GradientSession, ModelSource, Package, Role, RuntimeError, Session, SessionOptions,
    Tensor,
};

/// A batch of clips to make.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipBatch {
    /// `[parts · batch, dims]`: what each clip shows; with several parts, the batch's conditions in
    /// the first part come first.
    pub condition: Array2<f32>,
    /// `[parts, frames]`: share of each part in each frame, 1 in sum; frames as the longest clip's.
    /// One part where `None`. The model sees the whole clip under each part's condition, and the x̂0
    /// are blended by frame (Bar-Tal et al. 2023, MultiDiffusion, takes regions of images so).
    pub blend_weights: Option<Array2<f64>>,
    /// Frames of each clip; x_t has as many frames as the longest, or more.
    pub lengths: Vec<usize>,
    /// Scale s of classifier-free guidance, `x̂0 = x̂0(null) + s (x̂0(condition) − x̂0(null))`
    /// (Ho & Salimans 2022). At 1 the null condition is not run.
    pub guidance_scale: f64,
}

/// A denoiser of a model package, for one [`ClipBatch`] at a time.
///
/// x_t is `[batch, frames, features]`, normalised, any number of frames; the graph gets it padded
/// to its patches and masked. x̂0 is zero beyond a clip's own length, and so is a pull-back.
///
/// ```no_run
/// use kinograd_diffusion::{Denoiser, NoiseLevel};
/// use kinograd_runtime::*;
/// use ndarray::{ArrayD, Array2};
///
/// let engine = open_engine(&EngineOptions::default())?.engine;
/// let package = find_package("motion-base")?;
/// let mut denoiser = OnnxDenoiser::open(engine, &package, SessionOptions::default())?;
/// denoiser.set_batch(ClipBatch {
///     condition: Array2::zeros((1, 256)),
///     blend_weights: None,
///     lengths: vec![80],
///     guidance_scale: 1.5,
/// })?;
/// let level = NoiseLevel { timestep: 999.0, alpha_bar: 1e-4 };
/// let x0 = denoiser.denoise(&ArrayD::zeros(vec![1, 80, 263]), level)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OnnxDenoiser {
    engine: Arc<dyn Engine>,
    model: ModelSource,
    options: SessionOptions,
    spec: DenoiserSpec,
    /// Loaded when first used, as is `gradient`: a run that is always guided needs no plain one.
    plain: Option<Box<dyn Session>>,
    gradient: Option<GradientSession>,
    batch: Batch,
}

/// What has to be known of a denoiser's graph.
#[derive(Debug, Clone, PartialEq)]
pub struct DenoiserSpec {
    pub(crate) ports: Ports,
    /// What the graph's output is.
    pub prediction: Prediction,
    /// Numbers per frame.
    pub features: usize,
    /// The graph takes multiples of this many frames.
    pub patch_frames: usize,
    /// Longest clip.
    pub max_frames: usize,
    /// `[dims]`: the condition of no prompt.
    pub null_condition: Array1<f32>,
}

/// The graph's own names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ports {
    pub x_t: String,
    pub timestep: String,
    pub condition: String,
    pub frame_mask: String,
    pub x0: String,
}

impl DenoiserSpec {
    /// A graph that takes and returns what the contract of the role `denoiser` names, frame by frame,
    /// for clips of up to `max_frames`.
    #[must_use]
    pub fn new(
        prediction: Prediction,
        features: usize,
        max_frames: usize,
        null_condition: Array1<f32>,
    ) -> Self {
        Self::with_ports(
            str::to_owned,
            prediction,
            features,
            max_frames,
            null_condition,
        )
    }

    fn with_ports(
        port: impl Fn(&str) -> String,
        prediction: Prediction,
        features: usize,
        max_frames: usize,
        null_condition: Array1<f32>,
    ) -> Self {
        Self {
            ports: Ports {
                x_t: port("x_t"),
                timestep: port("timestep"),
                condition: port("condition"),
                frame_mask: port("frame_mask"),
                x0: port("x0"),
            },
            prediction,
            features,
            patch_frames: 1,
            max_frames,
            null_condition,
        }
    }

    /// That of a package.
    ///
    /// # Errors
    /// As [`Package::constants`].
    pub fn of(package: &Package) -> Result<Self, RuntimeError> {
        let motion = package.manifest().motion()?;
        Ok(Self {
            patch_frames: motion.patch_frames,
            ..Self::with_ports(
                |name| package.port(Role::Denoiser, name),
                package.manifest().prediction,
                motion.features,
                motion.max_frames,
                package.constants()?.null_condition,
            )
        })
    }
}

/// A [`ClipBatch`] as the graph takes it.
struct Batch {
    layout: ClipLayout,
    /// Stacked over the copies.
    condition: Tensor,
    /// Weight of each copy of the batch in x̂0, by frame, `[copies, frames]`.
    weights: Array2<f64>,
    frames: usize,
    frame_mask: Tensor,
}

/// `x̂0 = skip · x_t + scale · output`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Affine {
    pub skip: f64,
    pub scale: f64,
}

impl OnnxDenoiser {
    /// Opens the package's denoiser; graphs are loaded when they are first needed.
    ///
    /// # Errors
    /// As [`Package::file`] and [`Package::constants`].
    pub fn open(
        engine: Arc<dyn Engine>,
        package: &Package,
        options: SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let spec = DenoiserSpec::of(package)?;
        Ok(Self::new(
            engine,
            package.model(Role::Denoiser)?,
            spec,
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
        let layout = ClipLayout {
            lengths: Vec::new(),
            features: spec.features,
            patch_frames: spec.patch_frames,
        };
        Self {
            engine,
            model,
            options,
            spec,
            plain: None,
            gradient: None,
            batch: Batch {
                layout,
                condition: Tensor::from(Array2::<f32>::zeros((0, 0))),
                weights: Array2::zeros((0, 0)),
                frames: 0,
                frame_mask: Tensor::from(Array2::<f32>::zeros((0, 0))),
            },
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
    /// [`RuntimeError::Tensor`] if the conditions or blend_weights do not fit the model or the lengths,
    /// [`RuntimeError::Parameter`] for a length that the model cannot make or a scale that is not
    /// finite.
    pub fn set_batch(&mut self, batch: ClipBatch) -> Result<(), RuntimeError> {
        let frames = batch.lengths.iter().copied().max().unwrap_or(0);
        let blend_weights = match batch.blend_weights {
            Some(blend_weights)
                if blend_weights.ncols() != frames || blend_weights.nrows() == 0 =>
            {
                return Err(RuntimeError::Tensor {
                    what: "blend_weights".into(),
                    expected: format!("[parts, {frames}]"),
                    got: format!("{:?}", blend_weights.shape()),
                });
            }
            Some(blend_weights) => blend_weights,
            None => Array2::ones((1, frames)),
        };
        let expected = [
            blend_weights.nrows() * batch.lengths.len(),
            self.spec.null_condition.len(),
        ];
        if batch.condition.shape() != expected {
            return Err(RuntimeError::Tensor {
                what: "condition".into(),
                expected: format!("{expected:?}"),
                got: format!("{:?}", batch.condition.shape()),
            });
        }
        for &length in &batch.lengths {
            if length == 0 || length > self.spec.max_frames {
                return Err(RuntimeError::Parameter {
                    name: "frames",
                    value: length.to_string(),
                    expected: format!("the model makes 1 to {} frames", self.spec.max_frames),
                });
            }
        }
        let scale = batch.guidance_scale;
        if !scale.is_finite() {
            return Err(RuntimeError::Parameter {
                name: "guidance_scale",
                value: scale.to_string(),
                expected: "a finite number".into(),
            });
        }
        let mut condition = batch.condition;
        let mut weights = blend_weights * scale;
        if scale != 1.0 {
            let null = Array1::from_elem(frames, 1.0 - scale);
            // The shapes were checked above.
            let _ = weights.push_row(null.view());
            for _ in 0..batch.lengths.len() {
                let _ = condition.push_row(self.spec.null_condition.view());
            }
        }
        let layout = ClipLayout {
            lengths: batch.lengths,
            features: self.spec.features,
            patch_frames: self.spec.patch_frames,
        };
        self.batch = Batch {
            frame_mask: Tensor::from(layout.mask(frames, weights.nrows())),
            condition: Tensor::from(condition),
            layout,
            weights,
            frames,
        };
        Ok(())
    }

    /// The condition of no prompt, `[dims]`.
    pub fn null_condition(&self) -> &Array1<f32> {
        &self.spec.null_condition
    }

    /// Loads the graphs before the first step: the plain forward, or forward and backward.
    ///
    /// # Errors
    /// As [`Engine::load`] and [`GradientSession::open`].
    pub fn prepare(&mut self, differentiable: bool) -> Result<(), RuntimeError> {
        if differentiable && self.gradient.is_none() {
            let Ports { x_t, x0, .. } = &self.spec.ports;
            self.gradient = Some(GradientSession::open(
                &self.engine,
                &self.model,
                x0,
                x_t,
                &self.options,
            )?);
        }
        if !differentiable && self.plain.is_none() {
            self.plain = Some(self.engine.load(&self.model, &self.options)?);
        }
        Ok(())
    }

    /// x_t and the time for every copy of the batch.
    fn inputs(&mut self, x_t: &ArrayD<f32>, level: NoiseLevel) -> Result<Call, RuntimeError> {
        let batch = &mut self.batch;
        if batch.layout.lengths.is_empty() {
            return Err(RuntimeError::Parameter {
                name: "batch",
                value: "none".into(),
                expected: "set it before the first step".into(),
            });
        }
        let view = batch.layout.view(x_t)?;
        let frames = view.dim().1;
        if frames != batch.frames {
            batch.frame_mask = Tensor::from(batch.layout.mask(frames, batch.weights.nrows()));
            batch.frames = frames;
        }
        let ones = Array2::ones(batch.weights.raw_dim());
        let padded = batch.layout.pad(view, ones.view());
        let rows = padded.dim().0;
        Ok(Call {
            x_t: Tensor::from(padded),
            timestep: Tensor::from(Array1::from_elem(rows, level.timestep as f32)),
            frames,
            affine: affine(self.spec.prediction, level)?,
        })
    }
}

/// The tensors of one call.
struct Call {
    x_t: Tensor,
    timestep: Tensor,
    frames: usize,
    affine: Affine,
}

impl Call {
    fn named<'a>(&'a self, ports: &'a Ports, batch: &'a Batch) -> [(&'a str, &'a Tensor); 4] {
        [
            (&ports.x_t, &self.x_t),
            (&ports.timestep, &self.timestep),
            (&ports.condition, &batch.condition),
            (&ports.frame_mask, &batch.frame_mask),
        ]
    }
}

/// A flow's network takes another x_t and time: only image denoisers are adapted to that.
pub(crate) fn no_flow() -> RuntimeError {
    RuntimeError::Parameter {
        name: "prediction",
        value: "flow".into(),
        expected: "x0, epsilon or v; flows are read of image packages only".into(),
    }
}

pub(crate) fn affine(prediction: Prediction, level: NoiseLevel) -> Result<Affine, RuntimeError> {
    let (signal, noise) = (level.alpha_bar.sqrt(), (1.0 - level.alpha_bar).sqrt());
    Ok(match prediction {
        Prediction::X0 => Affine {
            skip: 0.0,
            scale: 1.0,
        },
        Prediction::Epsilon if signal > 0.0 => Affine {
            skip: 1.0 / signal,
            scale: -noise / signal,
        },
        Prediction::Epsilon => {
            return Err(RuntimeError::Parameter {
                name: "alpha_bar",
                value: level.alpha_bar.to_string(),
                expected: "a noise-predicting model needs some signal".into(),
            });
        }
        Prediction::V => Affine {
            skip: signal,
            scale: -noise,
        },
        Prediction::Flow => return Err(no_flow()),
    })
}

/// `x̂0 = skip · x_t + combined`, where `combined` is scaled already. The weights of the copies sum
/// to 1 in every frame, so the skip is added once.
fn add_skip(
    layout: &ClipLayout,
    mut combined: Array3<f32>,
    x: &ArrayD<f32>,
    skip: f64,
) -> Result<ArrayD<f32>, RuntimeError> {
    if skip != 0.0 {
        let x = layout.view(x)?;
        for (sample, &length) in layout.lengths.iter().enumerate() {
            let mut to = combined.slice_mut(ndarray::s![sample, ..length, ..]);
            to.zip_mut_with(
                &x.slice(ndarray::s![sample, ..length, ..]),
                |sum, &value| {
                    *sum = (f64::from(*sum) + skip * f64::from(value)) as f32;
                },
            );
        }
    }
    Ok(combined.into_dyn())
}

impl OnnxDenoiser {
    fn run(&mut self, x_t: &ArrayD<f32>, level: NoiseLevel) -> Result<ArrayD<f32>, RuntimeError> {
        let call = self.inputs(x_t, level)?;
        // A loaded forward with activations serves too; two copies of the weights would not pay.
        if self.plain.is_none() && self.gradient.is_none() {
            self.prepare(false)?;
        }
        let named = call.named(&self.spec.ports, &self.batch);
        let output = match (&mut self.plain, &mut self.gradient) {
            (Some(plain), _) => plain.run(&named, &[&self.spec.ports.x0])?.remove(0),
            (None, Some(gradient)) => gradient.forward(&named)?.0,
            (None, None) => return Err(not_loaded()),
        };
        let Batch {
            layout, weights, ..
        } = &self.batch;
        let weights = weights * call.affine.scale;
        let combined = layout.combine(output.to_f32()?.view(), call.frames, weights.view())?;
        add_skip(layout, combined, x_t, call.affine.skip)
    }

    fn run_linearized<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), RuntimeError> {
        let call = self.inputs(x_t, level)?;
        self.prepare(true)?;
        let Self {
            gradient,
            spec,
            batch,
            ..
        } = self;
        let (ports, batch) = (&spec.ports, &*batch);
        let gradient = gradient.as_mut().ok_or_else(not_loaded)?;
        let (output, activations) = gradient.forward(&call.named(ports, batch))?;
        let weights = &batch.weights * call.affine.scale;
        let combined =
            batch
                .layout
                .combine(output.to_f32()?.view(), call.frames, weights.view())?;
        let x0 = add_skip(&batch.layout, combined, x_t, call.affine.skip)?;
        let mut pull_back = move |cotangent: &ArrayD<f32>| -> Result<ArrayD<f32>, RuntimeError> {
            let view = batch.layout.view(cotangent)?;
            if view.dim().1 != call.frames {
                return Err(RuntimeError::Tensor {
                    what: "cotangent".into(),
                    expected: format!("{} frames", call.frames),
                    got: view.dim().1.to_string(),
                });
            }
            let padded = Tensor::from(batch.layout.pad(view, weights.view()));
            let result = gradient.backward(&activations, &call.named(ports, batch), &padded)?;
            let ones = Array2::ones(weights.raw_dim());
            let sum = batch
                .layout
                .combine(result.to_f32()?.view(), call.frames, ones.view())?;
            add_skip(&batch.layout, sum, cotangent, call.affine.skip)
        };
        let timestep = level.timestep;
        let pull_back: PullBack<'a> = Box::new(move |cotangent| {
            pull_back(cotangent).map_err(|error| model_error(timestep, error))
        });
        Ok((x0, pull_back))
    }
}

pub(crate) fn not_loaded() -> RuntimeError {
    RuntimeError::Parameter {
        name: "session",
        value: "none".into(),
        expected: "a loaded graph".into(),
    }
}

pub(crate) fn model_error(timestep: f64, error: RuntimeError) -> DiffusionError {
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
