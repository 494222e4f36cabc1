//! Samplers: each owns the step from `x_t` to `x_{t−1}` given x̂0.

mod consistency;
mod ddim;
mod ddpm;
mod dpm_solver;
mod heun;
mod kind;

pub use consistency::Consistency;
pub use ddim::Ddim;
pub use ddpm::Ddpm;
pub use dpm_solver::DpmSolverPp2m;
pub use heun::Heun;
pub use kind::SamplerKind;

use ndarray::{ArrayD, Zip};

use crate::{DiffusionError, NoiseLevel, NoiseSource, StepPair};

/// Evaluates the (guided) denoiser a second time inside a step.
pub type Reevaluate<'a> =
    dyn FnMut(&ArrayD<f32>, NoiseLevel) -> Result<ArrayD<f32>, DiffusionError> + 'a;

/// Takes one step of the reverse process.
pub trait Sampler {
    /// The sampler's name, as the command line writes it.
    fn name(&self) -> &'static str;

    /// Denoiser calls that a step costs.
    fn calls_per_step(&self) -> usize {
        1
    }

    /// Forgets earlier steps. A run calls it at its start and when it travels back in time.
    fn reset(&mut self) {}

    /// `x_{t−1}` from `x_t` and x̂0, all of one shape.
    ///
    /// # Errors
    /// What the noise source and the second evaluation return.
    fn step(
        &mut self,
        x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        pair: StepPair,
        noise: &mut dyn NoiseSource,
        reevaluate: &mut Reevaluate<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError>;
}

/// `a·x + b·y`, each element in f64.
fn combine(a: f64, x: &ArrayD<f32>, b: f64, y: &ArrayD<f32>) -> ArrayD<f32> {
    Zip::from(x)
        .and(y)
        .map_collect(|&x, &y| (a * f64::from(x) + b * f64::from(y)) as f32)
}

/// Adds `deviation · n` with fresh normal noise n; draws nothing if the deviation is 0.
fn add_noise(
    x: &mut ArrayD<f32>,
    deviation: f64,
    noise: &mut dyn NoiseSource,
) -> Result<(), DiffusionError> {
    if deviation > 0.0 {
        let mut draw = ArrayD::zeros(x.raw_dim());
        noise.fill(&mut draw)?;
        x.zip_mut_with(&draw, |x, &n| {
            *x = (f64::from(*x) + deviation * f64::from(n)) as f32;
        });
    }
    Ok(())
}

/// `x_{t−1}` from x̂0 along the noise that x̂0 leaves in `x_t`, scaled to `noise_scale`.
fn toward_x0(x_t: &ArrayD<f32>, x0: &ArrayD<f32>, pair: StepPair, noise_scale: f64) -> ArrayD<f32> {
    let ratio = noise_scale / pair.from.noise_variance().sqrt();
    combine(
        ratio,
        x_t,
        pair.to.alpha_bar.sqrt() - ratio * pair.from.alpha_bar.sqrt(),
        x0,
    )
}
