//! A package's image denoiser behind the sampler's traits, and its decoder.

mod condition;
mod decoder;
mod family;

pub use condition::ImageCondition;
pub use decoder::ImageDecoder;

use std::sync::Arc;

use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, DiffusionError, NoiseLevel, PullBack};
use ndarray::{Array1, ArrayD};

use self::condition::ConditioningSpec;
use self::family::{Adapted, Family};
use crate::denoiser::{model_error, not_loaded};
use crate::{
    Engine, GradientSession, ModelSource, Package, Role, RuntimeError, Session, SessionOptions,
    Tensor,
};

/// The image denoiser of a model package.
///
/// x_t is `[batch, channels, height, width]` of [`crate::Manifest::sample_size`], pixels in −1..1
/// or latents where there is no noise. Denoisers of classes or texts need
/// [`ImageDenoiser::set_conditions`] first.
///
/// ```no_run
/// use kinograd_diffusion::{Denoiser, NoiseLevel};
/// use kinograd_runtime::*;
/// use ndarray::ArrayD;
///
/// let engine = open_engine(&EngineOptions::default())?.engine;
/// let package = find_package("emoji-64")?;
/// let mut denoiser = ImageDenoiser::open(engine, &package, SessionOptions::default())?;
/// let level = NoiseLevel { timestep: 999.0, alpha_bar: 1e-4 };
/// let x0 = denoiser.denoise(&ArrayD::zeros(vec![1, 3, 64, 64]), level)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ImageDenoiser {
    engine: Arc<dyn Engine>,
    model: ModelSource,
    options: SessionOptions,
    x_t: String,
    timestep: String,
    x0: String,
    family: Family,
    size: [usize; 3],
    takes: ConditioningSpec,
    conditions: Vec<ImageCondition>,
    plain: Option<Box<dyn Session>>,
    gradient: Option<GradientSession>,
}

impl ImageDenoiser {
    /// Opens the package's denoiser; graphs are loaded when they are first needed.
    ///
    /// # Errors
    /// As [`Package::file`], and [`RuntimeError::PackageFormat`] if the package makes no images.
    pub fn open(
        engine: Arc<dyn Engine>,
        package: &Package,
        options: SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let port = |name| package.port(Role::Denoiser, name);
        Ok(Self {
            size: package.manifest().sample_size()?,
            takes: ConditioningSpec::of(package)?,
            conditions: Vec::new(),
            engine,
            model: package.model(Role::Denoiser)?,
            options,
            x_t: port("x_t"),
            timestep: port("timestep"),
            x0: port("x0"),
            family: Family::of(package.manifest()),
            plain: None,
            gradient: None,
        })
    }

    /// Whether the denoiser takes a class or a text.
    pub fn is_conditional(&self) -> bool {
        !self.takes.nothing()
    }

    /// Sets what the next calls show: the batch is cut into as many equal parts as there are
    /// conditions, one after the other, as
    /// [`ClassifierFree`](kinograd_diffusion::ClassifierFree) stacks them.
    ///
    /// # Errors
    /// [`RuntimeError::Parameter`] for a class or text that the model does not take, needs or
    /// know, [`RuntimeError::Tensor`] for a text of another shape.
    pub fn set_conditions(&mut self, parts: Vec<ImageCondition>) -> Result<(), RuntimeError> {
        parts.iter().try_for_each(|part| self.takes.check(part))?;
        self.conditions = parts;
        Ok(())
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
                &self.x0,
                &self.x_t,
                &self.options,
            )?);
        }
        if !differentiable && self.plain.is_none() {
            self.plain = Some(self.engine.load(&self.model, &self.options)?);
        }
        Ok(())
    }

    fn call(&self, x_t: &ArrayD<f32>, level: NoiseLevel) -> Result<Call, RuntimeError> {
        let batch = x_t.shape().first().copied().unwrap_or(0);
        if x_t.ndim() != 4 || x_t.shape()[1..] != self.size || batch == 0 {
            let [channels, height, width] = self.size;
            return Err(RuntimeError::Tensor {
                what: "x_t".into(),
                expected: format!("[batch, {channels}, {height}, {width}]"),
                got: format!("{:?}", x_t.shape()),
            });
        }
        let adapted = self.family.at(level)?;
        let mut inputs = vec![
            (self.x_t.clone(), Tensor::from(scaled(x_t, adapted.input))),
            (
                self.timestep.clone(),
                Tensor::from(Array1::from_elem(batch, adapted.time)),
            ),
        ];
        inputs.extend(self.takes.inputs(&self.conditions, batch)?);
        Ok(Call { inputs, adapted })
    }

    fn run(&mut self, x_t: &ArrayD<f32>, level: NoiseLevel) -> Result<ArrayD<f32>, RuntimeError> {
        let call = self.call(x_t, level)?;
        if self.plain.is_none() && self.gradient.is_none() {
            self.prepare(false)?;
        }
        let named = call.named();
        let output = match (&mut self.plain, &mut self.gradient) {
            (Some(plain), _) => plain.run(&named, &[&self.x0])?.remove(0),
            (None, Some(gradient)) => gradient.forward(&named)?.0,
            (None, None) => return Err(not_loaded()),
        };
        let Adapted { skip, scale, .. } = call.adapted;
        shifted(output.into_f32()?, x_t, skip, scale)
    }

    fn run_linearized<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), RuntimeError> {
        let call = self.call(x_t, level)?;
        self.prepare(true)?;
        let gradient = self.gradient.as_mut().ok_or_else(not_loaded)?;
        let (output, activations) = gradient.forward(&call.named())?;
        let Adapted {
            input, skip, scale, ..
        } = call.adapted;
        let x0 = shifted(output.into_f32()?, x_t, skip, scale)?;
        let pull_back = move |cotangent: &ArrayD<f32>| -> Result<ArrayD<f32>, RuntimeError> {
            let tensor = Tensor::from(cotangent.clone());
            let pulled = gradient.backward(&activations, &call.named(), &tensor)?;
            shifted(pulled.into_f32()?, cotangent, skip, input * scale)
        };
        let mut pull_back = pull_back;
        let timestep = level.timestep;
        let pull_back: PullBack<'a> = Box::new(move |cotangent| {
            pull_back(cotangent).map_err(|error| model_error(timestep, error))
        });
        Ok((x0, pull_back))
    }
}

/// The tensors of one call, by the graph's names.
struct Call {
    inputs: Vec<(String, Tensor)>,
    adapted: Adapted,
}

impl Call {
    fn named(&self) -> Vec<(&str, &Tensor)> {
        let inputs = self.inputs.iter();
        inputs
            .map(|(name, tensor)| (name.as_str(), tensor))
            .collect()
    }
}

fn scaled(x: &ArrayD<f32>, by: f64) -> ArrayD<f32> {
    if by == 1.0 {
        return x.clone();
    }
    x.mapv(|x| (by * f64::from(x)) as f32)
}

/// `skip · x + scale · output`: both x̂0 and, since it is linear, its pull-back.
fn shifted(
    mut output: ArrayD<f32>,
    x: &ArrayD<f32>,
    skip: f64,
    scale: f64,
) -> Result<ArrayD<f32>, RuntimeError> {
    if output.shape() != x.shape() {
        return Err(RuntimeError::Tensor {
            what: "denoiser's output".into(),
            expected: format!("{:?}", x.shape()),
            got: format!("{:?}", output.shape()),
        });
    }
    if skip != 0.0 || scale != 1.0 {
        output.zip_mut_with(x, |out, &x| {
            *out = (skip * f64::from(x) + scale * f64::from(*out)) as f32;
        });
    }
    Ok(output)
}

impl Denoiser for ImageDenoiser {
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        self.run(x_t, level)
            .map_err(|error| model_error(level.timestep, error))
    }
}

impl DifferentiableDenoiser for ImageDenoiser {
    fn linearize<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), DiffusionError> {
        self.run_linearized(x_t, level)
            .map_err(|error| model_error(level.timestep, error))
    }
}
