use ndarray::{ArrayD, Zip};

use super::{Reevaluate, Sampler, toward_x0};
use crate::{DiffusionError, NoiseSource, StepPair};

/// σ that is no step in σ any more; a cosine schedule of 1000 steps ends at 2 · 10⁴.
const ENDLESS_SIGMA: f64 = 1e6;

/// Heun's second-order method on the probability-flow ODE in σ (Karras et al. 2022, algorithm 1).
///
/// Each step but the one to the clean sample, which is Euler's, costs two denoiser calls. A step
/// from noise without signal, σ > 10⁶, is Euler's too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heun;

impl Sampler for Heun {
    fn name(&self) -> &'static str {
        "heun"
    }

    fn calls_per_step(&self) -> usize {
        2
    }

    fn step(
        &mut self,
        x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        pair: StepPair,
        _noise: &mut dyn NoiseSource,
        reevaluate: &mut Reevaluate<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let mut x_next = toward_x0(x_t, x0, pair, pair.to.noise_variance().sqrt());
        // From an endless σ half the step is endless too: its slopes' difference would be all rounding.
        if pair.to.alpha_bar < 1.0 && pair.from.sigma() < ENDLESS_SIGMA {
            let x0_next = reevaluate(&x_next, pair.to)?;
            // Euler's end point plus half the slope's change times the step in σ, scaled from the
            // ODE's x/√ᾱ back to x. The slope is the noise that x̂0 leaves in x.
            let signal = pair.to.alpha_bar.sqrt();
            let half_width = signal * (pair.to.sigma() - pair.from.sigma()) / 2.0;
            let euler = x_next.clone();
            Zip::from(&mut x_next)
                .and(&euler)
                .and(x_t)
                .and(x0)
                .and(&x0_next)
                .for_each(|out, &euler, &x_t, &x0, &x0_next| {
                    let slope = noise_in(x_t, x0, pair.from.alpha_bar);
                    let slope_next = noise_in(euler, x0_next, pair.to.alpha_bar);
                    *out = (f64::from(euler) + half_width * (slope_next - slope)) as f32;
                });
        }
        Ok(x_next)
    }
}

fn noise_in(x: f32, x0: f32, alpha_bar: f64) -> f64 {
    (f64::from(x) - alpha_bar.sqrt() * f64::from(x0)) / (1.0 - alpha_bar).sqrt()
}
