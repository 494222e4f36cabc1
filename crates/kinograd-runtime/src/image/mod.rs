//! A package's image denoiser behind the sampler's traits.

mod family;

use std::sync::Arc;

use kinograd_diffusion::{Denoiser, DifferentiableDenoiser, DiffusionError, NoiseLevel, PullBack};
use ndarray::{Array1, ArrayD};

use self::family::{Adapted, Family};
use crate::denoiser::{model_error, not_loaded};
use crate::{
    Engine, GradientSession, ModelSource, Package, Role, RuntimeError, Session, SessionOptions,
    Tensor,
};

/// The unconditional image denoiser of a model package.
///
/// x_t is `[batch, channels, height, width]` of the size that the package names, pixels in −1..1
/// where there is no noise.
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
            size: package.manifest().image()?.size(),
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
        Ok(Call {
            x_t: Tensor::from(scaled(x_t, adapted.input)),
            timestep: Tensor::from(Array1::from_elem(batch, adapted.time)),
            adapted,
        })
    }

    fn run(&mut self, x_t: &ArrayD<f32>, level: NoiseLevel) -> Result<ArrayD<f32>, RuntimeError> {
        let call = self.call(x_t, level)?;
        if self.plain.is_none() && self.gradient.is_none() {
            self.prepare(false)?;
        }
        let named = [
            (self.x_t.as_str(), &call.x_t),
            (self.timestep.as_str(), &call.timestep),
        ];
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
        let Self {
            gradient,
            x_t: x_t_name,
            timestep,
            ..
        } = self;
        let gradient = gradient.as_mut().ok_or_else(not_loaded)?;
        let names = (x_t_name.as_str(), timestep.as_str());
        let named = [(names.0, &call.x_t), (names.1, &call.timestep)];
        let (output, activations) = gradient.forward(&named)?;
        let Adapted {
            input, skip, scale, ..
        } = call.adapted;
        let x0 = shifted(output.into_f32()?, x_t, skip, scale)?;
        let pull_back = move |cotangent: &ArrayD<f32>| -> Result<ArrayD<f32>, RuntimeError> {
            let named = [(names.0, &call.x_t), (names.1, &call.timestep)];
            let tensor = Tensor::from(cotangent.clone());
            let pulled = gradient.backward(&activations, &named, &tensor)?;
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

/// The tensors of one call.
struct Call {
    x_t: Tensor,
    timestep: Tensor,
    adapted: Adapted,
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
