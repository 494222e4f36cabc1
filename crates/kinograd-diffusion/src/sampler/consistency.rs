use ndarray::ArrayD;

use super::{Reevaluate, Sampler, add_noise};
use crate::{DiffusionError, NoiseSource, StepPair};

/// Multistep consistency sampling (Song et al. 2023, algorithm 1), as latent consistency models have it
/// (Luo et al. 2023): x̂0 is kept and all of its noise is drawn anew.
///
/// The network's x̂0 stands for the consistency function. Luo et al. mix it with `x_t` near the data; from
/// the twentieth of a thousand levels on, which no run of theirs goes below, the share of `x_t` is under 1e-5
/// and left out here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consistency;

impl Sampler for Consistency {
    fn name(&self) -> &'static str {
        "lcm"
    }

    fn step(
        &mut self,
        _x_t: &ArrayD<f32>,
        x0: &ArrayD<f32>,
        pair: StepPair,
        noise: &mut dyn NoiseSource,
        _reevaluate: &mut Reevaluate<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let signal = pair.to.alpha_bar.sqrt();
        let mut x_next = x0.mapv(|x| (signal * f64::from(x)) as f32);
        add_noise(&mut x_next, pair.to.noise_variance().sqrt(), noise)?;
        Ok(x_next)
    }
}
