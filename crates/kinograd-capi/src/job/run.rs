//! The thread that works.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use kinograd::motion::Provenance;
use kinograd::{Clip, Denoised, Event, MotionGenerator, Observer, Task};

use super::state::Job;
use crate::entry::caught;
use crate::model::Model;
use crate::status::{Failure, kg_status};

/// Starts a job.
pub(super) fn start(
    model: Arc<Model>,
    task: Task,
    keep_partial: bool,
) -> Result<Arc<Job>, Failure> {
    let job = Arc::new(Job::new(model));
    let at_work = Arc::clone(&job);
    let thread = std::thread::Builder::new().name("kinograd-job".to_owned());
    let started = thread.spawn(move || {
        let outcome = caught(|| {
            let cancelled = at_work.cancelled();
            at_work.model().with_generator(cancelled, |generator| {
                at_work.state().is_running = true;
                let mut watcher = Watcher {
                    job: &at_work,
                    keep_partial,
                };
                clips(generator, &task, &mut watcher)
            })
        });
        at_work.end(outcome);
    });
    started.map_err(|error| {
        let message = format!("no thread could be started: {error}");
        Failure::new(kg_status::Internal, message)
    })?;
    Ok(job)
}

fn clips(
    generator: &mut MotionGenerator,
    task: &Task,
    watcher: &mut Watcher<'_>,
) -> Result<Vec<Clip>, Failure> {
    if task.optimization.is_some() {
        return Ok(generator.optimize(task, watcher)?.clips);
    }
    Ok(generator.generate(task, watcher)?)
}

/// Notes how far the job is, and stops it when somebody asks.
struct Watcher<'a> {
    job: &'a Job,
    keep_partial: bool,
}

impl Watcher<'_> {
    fn go_on(&self) -> ControlFlow<()> {
        if self.job.cancelled().load(Ordering::Acquire) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

impl Observer for Watcher<'_> {
    fn event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Started { total, .. } => {
                let mut state = self.job.state();
                (state.done, state.total) = (0, *total);
            }
            Event::Advanced { done } => self.job.state().done = *done,
            Event::Warning(warning) => tracing::warn!("{warning}"),
            _ => {}
        }
        self.go_on()
    }

    fn denoised(&mut self, step: &Denoised<'_>) -> ControlFlow<()> {
        if self.keep_partial {
            match step.motion(0) {
                Ok(motion) => {
                    let mut state = self.job.state();
                    state.partial = Some(Clip::new(motion, Provenance::new()));
                    state.partial_count = state.partial_count.wrapping_add(1);
                }
                Err(error) => tracing::warn!("the estimate of step {}: {error}", step.index),
            }
        }
        self.go_on()
    }
}
