//! A model package on an engine, ready to make samples of one modality.

mod modality;
mod model;
mod motion;

pub use modality::{Modality, Trajectory};
pub use model::OpenModel;
pub(crate) use model::session_options;
pub use motion::{MakeLoss, MotionGenerator, MotionModality};
pub(crate) use motion::{MotionPlan, goals_objective, open_network, repeated};

use std::ops::{ControlFlow, Range};
use std::time::Instant;

use kinograd_diffusion::{Guidance, Progress, StepPair};
use kinograd_files::Budget;
use kinograd_guidance::{NoiseOptimizer, Objective};
use kinograd_runtime::{EngineReport, Manifest};
use ndarray::ArrayD;

use self::model::Draw;
use crate::Error;
use crate::observer::{Denoised, Event, Observer};
use crate::task::{Checked, Spec};

/// A model package on an engine, ready to make samples of one modality:
/// [`MotionGenerator`] makes clips, [`ImageGenerator`](crate::image::ImageGenerator) pictures.
pub struct Generator<M> {
    pub(crate) model: OpenModel,
    pub(crate) modality: M,
    timings: Timings,
    /// What the user was told when the last run was planned.
    warnings: Vec<String>,
}

/// Seconds that the parts of the last run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Timings {
    /// Opening the engine, reading and checking the packages.
    pub open_s: f64,
    /// Encoding texts and reading the goals' files.
    pub plan_s: f64,
    /// Loading the denoiser's graphs, where they were not loaded before.
    pub prepare_s: f64,
    /// Sampling.
    pub sampling_s: f64,
    /// Clean-up and measuring.
    pub finish_s: f64,
}

impl<M> Generator<M> {
    /// `started`: when the opening began.
    pub(crate) fn new(model: OpenModel, modality: M, started: Instant) -> Self {
        Self {
            model,
            modality,
            timings: Timings {
                open_s: started.elapsed().as_secs_f64(),
                ..Timings::default()
            },
            warnings: Vec::new(),
        }
    }

    /// What the package of the denoiser says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.model.package.manifest()
    }

    /// What engine runs the models.
    #[must_use]
    pub fn engine(&self) -> &EngineReport {
        &self.model.engine.report
    }

    /// The engine in words, such as `ONNX Runtime 1.31.1 (cpu)`.
    #[must_use]
    pub fn engine_name(&self) -> String {
        let report = self.engine();
        format!("{} {} ({})", report.engine, report.version, report.provider)
    }

    /// Seconds that the parts of the last run took.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.timings
    }
}

impl<M: Modality> Generator<M> {
    /// Makes the task's samples. Their records hold the task, and their reports how far they are from
    /// each of its goals.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the observer stops the run; [`Error::Task`] for what the model does not
    /// make; [`Error::Read`] for a goal's file; otherwise what the model, the guidance or the clean-up
    /// returns.
    pub fn generate(
        &mut self,
        task: &Checked<M::Spec>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<M::Output>, Error> {
        let task = &self.resolved(task)?;
        let plan = self.plan(task, observer)?;
        self.chosen(task, plan, observer)
    }

    /// The task as it is done: with the package's defaults (steps, sampler, scale of classifier-free
    /// guidance) where it says nothing of its own. Records hold this one, so that it makes the same
    /// again.
    ///
    /// # Errors
    /// [`Error::Task`] if a default of the package is outside what tasks may ask for.
    pub fn resolved(&self, task: &Checked<M::Spec>) -> Result<Checked<M::Spec>, Error> {
        task.edited(|spec| spec.settle(self.manifest()))
    }

    /// The best of the draws for each sample.
    pub(crate) fn chosen(
        &mut self,
        task: &Checked<M::Spec>,
        plan: M::Plan<'_>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<M::Output>, Error> {
        let drawn = self.run(task, plan, None, observer)?;
        let mut draws = drawn.into_iter();
        let mut chosen = Vec::with_capacity(task.sampling().count);
        while let Some(first) = draws.next() {
            let others = draws.by_ref().take(task.sampling().best_of - 1);
            // The first of equals.
            chosen.push(others.fold(first, |best, other| {
                if M::score(&other) > M::score(&best) {
                    other
                } else {
                    best
                }
            }));
        }
        for warning in chosen
            .iter()
            .flat_map(|made| M::warnings(&self.model, made))
        {
            emit(observer, Event::Warning(warning))?;
        }
        Ok(chosen)
    }

    /// The one sample of the task that has this seed, the same bytes as among the others: it is drawn
    /// beside the same neighbours.
    ///
    /// # Errors
    /// As [`generate`](Self::generate); [`Error::Task`] if no sample of the task has this seed.
    pub fn generate_one(
        &mut self,
        task: &Checked<M::Spec>,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<M::Output, Error> {
        let task = &self.resolved(task)?;
        let plan = self.plan(task, observer)?;
        let made = self.run(task, plan, Some(seed), observer)?;
        let own = |output: &M::Output| M::seed(output) == Some(seed);
        made.into_iter().find(own).ok_or_else(|| Error::Task {
            path: "sampling.seed".to_owned(),
            message: format!("no sample of the task has seed {seed}"),
        })
    }

    /// What a [resolved](Self::resolved) task comes to with this model; the timings start anew.
    pub(crate) fn plan(
        &mut self,
        task: &Checked<M::Spec>,
        observer: &mut dyn Observer,
    ) -> Result<M::Plan<'static>, Error> {
        self.plan_by(observer, |modality, model, observer| {
            modality.plan(model, task, observer)
        })
    }

    /// A plan that `make` makes; the timings and warnings start anew.
    fn plan_by(
        &mut self,
        observer: &mut dyn Observer,
        make: impl FnOnce(&mut M, &mut OpenModel, &mut dyn Observer) -> Result<M::Plan<'static>, Error>,
    ) -> Result<M::Plan<'static>, Error> {
        self.timings = Timings {
            open_s: self.timings.open_s,
            ..Timings::default()
        };
        let started = Instant::now();
        self.warnings.clear();
        let mut noting = NotingWarnings {
            observer,
            warnings: &mut self.warnings,
        };
        let plan = make(&mut self.modality, &mut self.model, &mut noting)?;
        self.timings.plan_s = started.elapsed().as_secs_f64();
        Ok(plan)
    }

    /// Runs the batches of a resolved task, or the one with this seed alone.
    pub(crate) fn run(
        &mut self,
        task: &Checked<M::Spec>,
        mut plan: M::Plan<'_>,
        only: Option<u64>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<M::Output>, Error> {
        let started = Instant::now();
        let differentiable = M::is_guided(task, &plan) && task.method().needs_gradient();
        self.model.denoiser.prepare(differentiable)?;
        self.timings.prepare_s = started.elapsed().as_secs_f64();

        let steps = self.model.steps(task.sampling().steps_or_usual())?;
        let seeds = task.sampling().seeds();
        let batches = self.batches(&seeds, only);
        // Steps of a batch: of the noise where that is optimised.
        let units = if differentiable && task.method().optimizes_noise() {
            let options = task.schedule().noise_options(task.guidance_scale());
            options.iterations + 1
        } else {
            steps.len()
        };
        let total = (units * batches.len()) as u64;
        let work = "sampling";
        emit(observer, Event::Started { work, total })?;
        tracing::debug!(
            steps = steps.len(),
            batches = batches.len(),
            "sampling on {}",
            self.engine_name()
        );
        let mut made = Vec::with_capacity(seeds.len());
        for (index, rows) in batches.into_iter().enumerate() {
            let seeds = &seeds[rows.clone()];
            let done = index * units;
            let started = Instant::now();
            let mut trajectory = self.modality.trajectory(&plan, units);
            let x0 = self.sample(task, &mut plan, rows, &steps, &mut |progress| {
                let done = (done + progress.index + 1) as u64;
                observer.event(&Event::Advanced { done })?;
                trajectory.step(progress, observer)
            })?;
            self.timings.sampling_s += started.elapsed().as_secs_f64();
            let started = Instant::now();
            let Self {
                model, modality, ..
            } = self;
            made.extend(modality.finish(model, task, &mut plan, &x0, &trajectory, seeds)?);
            self.timings.finish_s += started.elapsed().as_secs_f64();
        }
        self.note_warnings(&mut made);
        emit(observer, Event::Finished)?;
        Ok(made)
    }

    /// Says in the samples' records what the user was warned of.
    pub(crate) fn note_warnings(&self, made: &mut [M::Output]) {
        for output in made {
            let mut warnings = self.warnings.clone();
            let own = M::warnings(&self.model, output);
            warnings.extend(own.iter().map(ToString::to_string));
            if !warnings.is_empty() {
                let record = M::record(output);
                record.extra.insert("warnings".to_owned(), warnings.into());
            }
        }
    }

    /// Rows of the samples that are drawn together, or of those with this seed alone.
    pub(crate) fn batches(&self, seeds: &[u64], only: Option<u64>) -> Vec<Range<usize>> {
        let size = self.modality.batch_size();
        (0..seeds.len())
            .step_by(size)
            .map(|first| first..(first + size).min(seeds.len()))
            .filter(|rows| only.is_none_or(|only| seeds[rows.clone()].contains(&only)))
            .collect()
    }

    /// x̂0 of the samples `rows` of a task, as the sampler has them.
    pub(crate) fn sample(
        &mut self,
        task: &M::Spec,
        plan: &mut M::Plan<'_>,
        rows: Range<usize>,
        steps: &[StepPair],
        observer: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<ArrayD<f32>, Error> {
        let Self {
            model, modality, ..
        } = self;
        let batch = rows.len();
        let conditions = modality.conditions(model, task, plan, batch);
        model.denoiser.set_batch(conditions)?;
        let seeds = task.sampling().seeds();
        let mut noise = modality.noise(plan, rows.clone(), &seeds[rows]);
        let shape = modality.shape(task, batch);
        let budget = Budget::of_process();
        budget.check_shape("numbers in a batch", &shape, budget.batch_elements)?;
        if M::is_guided(task, plan) && task.method().optimizes_noise() {
            let loss = modality.objective(task, plan, batch)?.into_loss()?;
            let options = task.schedule().noise_options(task.guidance_scale());
            let mut optimizer = NoiseOptimizer::new(options, loss)?;
            return model.optimize_noise(&mut optimizer, &shape, steps, noise.as_mut(), observer);
        }
        let guidance = if M::is_guided(task, plan) {
            guidance(task, modality.objective(task, plan, batch)?)?
        } else {
            None
        };
        let draw = Draw {
            shape: &shape,
            steps,
            sampler: task.sampling().sampler_for(task.method()),
            noise: noise.as_mut(),
        };
        model.sample(draw, guidance, observer)
    }
}

/// Passes on what a plan says, and keeps its warnings.
struct NotingWarnings<'a> {
    observer: &'a mut dyn Observer,
    warnings: &'a mut Vec<String>,
}

impl Observer for NotingWarnings<'_> {
    fn event(&mut self, event: &Event) -> ControlFlow<()> {
        if let Event::Warning(warning) = event {
            self.warnings.push(warning.to_string());
        }
        self.observer.event(event)
    }

    fn denoised(&mut self, step: &Denoised<'_>) -> ControlFlow<()> {
        self.observer.denoised(step)
    }
}

/// A task's method, following an objective when and as much as the task says.
fn guidance<'a>(
    task: &impl Spec,
    objective: Objective<'a>,
) -> Result<Option<Box<dyn Guidance + 'a>>, Error> {
    let schedule = task.schedule();
    let options = schedule.options(task.guidance_scale());
    let method = task.method().guide(objective, options)?;
    method.map(|method| schedule.resampled(method)).transpose()
}

pub(crate) fn emit(observer: &mut dyn Observer, event: Event) -> Result<(), Error> {
    match observer.event(&event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}
