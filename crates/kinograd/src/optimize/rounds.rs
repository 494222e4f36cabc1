//! The rounds of an optimisation, of clips and pictures alike.

use std::ops::ControlFlow;
use std::time::Instant;

use kinograd_diffusion::{Layout, NoiseSource, Progress, SamplerKind, StepPair};
use kinograd_guidance::Loss;
use kinograd_guidance::optimize::{AdaptiveDenoiser, Optimizer, OptimizerOptions, Round, Sampling};
use ndarray::ArrayD;

use super::RoundReport;
use crate::Error;
use crate::observer::{Event, Observer};

/// A round's samples, before they are measured.
pub(crate) struct Done {
    /// x̂0 `[batch, …]`, as the sampler has it.
    pub batch: ArrayD<f32>,
    /// Rewards and time; the rest is measured later.
    pub report: RoundReport,
}

/// How the samples of a round are drawn.
pub(crate) struct RoundSampling<'a> {
    pub sampler: SamplerKind,
    pub steps: &'a [StepPair],
    pub shape: &'a [usize],
    pub noise: &'a mut dyn NoiseSource,
    /// Steps of earlier batches, for the observer.
    pub done: &'a mut u64,
}

/// Runs the rounds; `fits` says whether the denoiser learns from each (Algorithm 2).
pub(crate) fn run<'a>(
    options: OptimizerOptions,
    cost: impl Loss + 'a,
    denoiser: &mut dyn AdaptiveDenoiser,
    fits: bool,
    sampling: RoundSampling<'_>,
    observer: &mut dyn Observer,
) -> Result<Vec<Done>, Error> {
    let mut optimizer = Optimizer::new(options, cost)?;
    let mut rounds = Vec::new();
    let mut started = Instant::now();
    let mut round_done = |round: &Round<'_>| {
        let mut report = RoundReport::new(round.index);
        report.rewards = round.rewards.to_vec();
        report.seconds = started.elapsed().as_secs_f64();
        rounds.push(Done {
            batch: round.batch.clone(),
            report,
        });
        started = Instant::now();
        ControlFlow::Continue(())
    };
    let done = sampling.done;
    let mut step_done = |_: &Progress<'_>| {
        *done += 1;
        observer.event(&Event::Advanced { done: *done })
    };
    let layout = Layout::full(sampling.shape)?;
    let mut sampler = sampling.sampler.make();
    let mut sampling = Sampling {
        sampler: sampler.as_mut(),
        steps: sampling.steps,
        layout: &layout,
        noise: sampling.noise,
        observer: &mut step_done,
    };
    if fits {
        optimizer.run_adaptive(denoiser, &mut sampling, &mut round_done)?;
    } else {
        optimizer.run(denoiser, &mut sampling, &mut round_done)?;
    }
    Ok(rounds)
}
