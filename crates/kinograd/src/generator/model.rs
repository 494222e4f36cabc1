//! A model package that is open on an engine.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use kinograd_diffusion::{
    Guidance, Layout, Model, NoiseSchedule, NoiseSource, Progress, SamplerKind, Spacing, StepPair,
    sample,
};
use kinograd_guidance::NoiseOptimizer;
use kinograd_runtime::{OnnxDenoiser, OpenEngine, Package, SessionOptions, cache_dir};
use ndarray::ArrayD;

use crate::Error;

/// A model package that is open on an engine: what generators of every modality have.
pub struct OpenModel {
    pub(crate) package: Package,
    pub(crate) engine: OpenEngine,
    pub(crate) schedule: NoiseSchedule,
    pub(crate) denoiser: OnnxDenoiser,
    /// Sha256 of every file, for records.
    pub(crate) hashes: BTreeMap<String, String>,
}

/// How a batch is drawn.
pub(crate) struct Draw<'a> {
    pub shape: &'a [usize],
    pub steps: &'a [StepPair],
    pub sampler: SamplerKind,
    pub noise: &'a mut dyn NoiseSource,
}

impl OpenModel {
    /// Opens the denoiser of a package.
    pub(crate) fn open(package: Package, engine: OpenEngine) -> Result<Self, Error> {
        let options = session_options();
        Ok(Self {
            schedule: package.manifest().noise_schedule()?,
            denoiser: OnnxDenoiser::open(engine.engine.clone(), &package, options)?,
            hashes: BTreeMap::new(),
            package,
            engine,
        })
    }

    /// The steps of a run.
    pub(crate) fn steps(&self, count: usize) -> Result<Vec<StepPair>, Error> {
        let trained = self.package.manifest().schedule;
        let spacing = trained.map_or(Spacing::Trailing, |schedule| schedule.spacing());
        Ok(self.schedule.steps(spacing, count)?)
    }

    /// x̂0 of a batch, whose conditions are set.
    pub(crate) fn sample(
        &mut self,
        draw: Draw<'_>,
        mut guidance: Option<Box<dyn Guidance + '_>>,
        mut observer: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<ArrayD<f32>, Error> {
        let mut model = if guidance.as_ref().is_some_and(|g| g.needs_gradient()) {
            Model::differentiable(&mut self.denoiser)
        } else {
            Model::forward_only(&mut self.denoiser)
        };
        let x0 = sample(
            &mut model,
            draw.sampler.make().as_mut(),
            draw.steps,
            &Layout::full(draw.shape)?,
            draw.noise,
            guidance.as_deref_mut().map(|g| g as &mut dyn Guidance),
            &mut observer,
        )?;
        Ok(x0)
    }
}

impl OpenModel {
    /// x̂0 of the best noise for a batch, whose conditions are set; a step for the observer is one of the
    /// optimiser.
    pub(crate) fn optimize_noise(
        &mut self,
        optimizer: &mut NoiseOptimizer<'_>,
        shape: &[usize],
        steps: &[StepPair],
        noise: &mut dyn NoiseSource,
        observer: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<ArrayD<f32>, Error> {
        let Some(&pair) = steps.last() else {
            return Err(Error::Internal("a run without steps".to_owned()));
        };
        let mut start = ArrayD::zeros(shape);
        noise.fill(&mut start)?;
        let total = optimizer.options().iterations + 1;
        let mut stopped = false;
        let best = optimizer.run(
            &mut Model::differentiable(&mut self.denoiser),
            steps,
            &Layout::full(shape)?,
            start,
            &mut |index, clean, _| {
                let flow = observer(&Progress {
                    index,
                    total,
                    repeat: 0,
                    pair,
                    calls: (index + 1) * steps.len(),
                    x0: clean,
                    x_next: clean,
                });
                stopped = flow.is_break();
                flow
            },
        )?;
        if stopped {
            return Err(Error::Cancelled);
        }
        Ok(best.clean)
    }
}

/// Graphs are kept in the user's cache.
pub(crate) fn session_options() -> SessionOptions {
    SessionOptions {
        cache_dir: cache_dir(),
        ..SessionOptions::default()
    }
}
