//! Clips made off the main thread: jobs in, updates out, no system ever waits.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bevy::prelude::*;
use kinograd::TaskSpec;
use kinograd::guidance::{Loss, MotionDecoder, MotionLossAdapter};
use kinograd::runtime::EngineOptions;
use kinograd::task::Spec as _;
use kinograd::{Denoised, Event, Method, MotionGenerator, Observer, Task};
use ndarray::ArrayD;

use crate::clip::MotionClip;

/// Denoising steps where a task does not say.
const USUAL_STEPS: usize = 20;

/// How a scene's clip is made.
#[derive(Debug, Clone, PartialEq)]
pub struct MakeSettings {
    /// How goals and obstacles steer.
    pub method: Method,
    /// Denoising steps.
    pub steps: usize,
    /// Seed.
    pub seed: u64,
    /// Strength of the steering; `None` takes the method's own.
    pub guidance_scale: Option<f64>,
    /// Weight of the text loss; `None` takes the usual one.
    pub text_guidance: Option<f64>,
    /// Whether feet in contact are held still.
    pub foot_lock: bool,
}

impl Default for MakeSettings {
    fn default() -> Self {
        Self {
            method: Method::DEFAULT,
            steps: USUAL_STEPS,
            seed: 0,
            guidance_scale: None,
            text_guidance: None,
            foot_lock: true,
        }
    }
}

/// A clip to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What is asked for.
    pub scene: TaskSpec,
    /// How it is made.
    pub settings: MakeSettings,
    /// Whether every step's x̂0 is sent as it forms.
    pub streams: bool,
}

impl MakeSettings {
    /// How a task says that its clips are made.
    #[must_use]
    pub fn of(task: &TaskSpec) -> Self {
        Self {
            method: task.guidance.method,
            steps: task.sampling.steps_or_usual(),
            seed: task.sampling.seed,
            guidance_scale: task.guidance.scale,
            text_guidance: task.guidance.text,
            foot_lock: task.output.foot_lock,
        }
    }

    /// Puts the settings into a task.
    #[must_use]
    pub fn applied(&self, mut task: TaskSpec) -> TaskSpec {
        task.shared_mut().choose_method(self.method);
        task.sampling.steps = Some(self.steps);
        task.sampling.seed = self.seed;
        task.guidance.scale = self.guidance_scale;
        task.guidance.text = self.text_guidance;
        task.output.foot_lock = self.foot_lock;
        task
    }
}

impl Job {
    /// The task of this job: one clip.
    ///
    /// # Errors
    /// What of the scene or the settings cannot be.
    pub fn task(&self) -> Result<Task, kinograd::Error> {
        let mut task = self.settings.applied(self.scene.clone());
        task.sampling.count = 1;
        task.check()
    }
}

/// Names a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(u64);

/// A job that was handed in. Dropping it leaves the job running.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// The job.
    pub id: JobId,
    cancel: Arc<AtomicBool>,
}

impl Ticket {
    /// Stops the job at its next step, or before it starts.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

/// One denoising step of a job.
#[derive(Debug, Clone)]
pub struct StepRecord {
    /// Which step, from 0.
    pub index: usize,
    /// Number of steps.
    pub total: usize,
    /// x̂0 as a clip, before clean-up.
    pub clip: MotionClip,
    /// The scene's weighted losses at x̂0, by name.
    pub losses: Vec<(String, f64)>,
    /// Length of the losses' gradient by x̂0.
    pub gradient_norm: f64,
    /// How far x̂0 went since the step before, root mean square over its elements, normalised.
    pub step_size: f64,
}

/// What became of a job so far.
#[derive(Debug, Clone)]
pub enum Update {
    /// The worker has begun.
    Started {
        /// Denoising steps.
        steps: usize,
    },
    /// A step is done.
    Progress {
        /// Steps done.
        done: usize,
    },
    /// A step's x̂0, for jobs that stream.
    Step(Box<StepRecord>),
    /// Something the user should know.
    Note(String),
    /// The clip.
    Done(Box<Made>),
    /// Why there is none.
    Failed(String),
    /// It was cancelled.
    Cancelled,
}

/// A clip that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// For playing.
    pub motion: MotionClip,
    /// For saving: the whole clip with its record.
    pub clip: kinograd::Clip,
    /// Seconds from the worker's start on it.
    pub seconds: f64,
}

/// An update of a job, as systems read it.
#[derive(Message, Debug, Clone)]
pub struct GenerationUpdate {
    /// The job.
    pub job: JobId,
    /// What became of it.
    pub update: Update,
}

/// The worker: one thread with one model, that makes clips one after the other.
#[derive(Resource)]
pub struct Generation {
    jobs: Mutex<Option<Sender<Work>>>,
    updates: Mutex<Receiver<GenerationUpdate>>,
    next: AtomicU64,
    closing: Arc<AtomicBool>,
    worker: Option<std::thread::JoinHandle<()>>,
}

struct Work {
    job: Job,
    ticket: Ticket,
}

impl Generation {
    /// Starts the worker. The model is opened at once, so that the first clip does not wait for it; if it
    /// cannot be, every job says why.
    #[must_use]
    pub fn start(model: &str, options: EngineOptions) -> Self {
        let (jobs, work) = channel();
        let (sender, updates) = channel();
        let model = model.to_owned();
        let closing = Arc::<AtomicBool>::default();
        let ends = closing.clone();
        let worker = std::thread::spawn(move || serve(&model, &options, &work, &sender, &ends));
        Self {
            jobs: Mutex::new(Some(jobs)),
            updates: Mutex::new(updates),
            next: AtomicU64::new(0),
            closing,
            worker: Some(worker),
        }
    }

    /// Hands a job in.
    pub fn submit(&self, job: Job) -> Ticket {
        let ticket = Ticket {
            id: JobId(self.next.fetch_add(1, Ordering::Relaxed)),
            cancel: Arc::default(),
        };
        let work = Work {
            job,
            ticket: ticket.clone(),
        };
        if let Ok(jobs) = self.jobs.lock()
            && let Some(jobs) = &*jobs
        {
            // The worker ends only when this resource does.
            let _ = jobs.send(work);
        }
        ticket
    }

    /// Makes a clip and waits for it, with the x̂0 of its steps if the job streams. Takes all updates: not
    /// for apps whose systems read them.
    ///
    /// # Errors
    /// In words: what of the job or the model is at fault.
    pub fn make(&self, job: Job) -> Result<(Vec<StepRecord>, Made), String> {
        let id = self.submit(job).id;
        let mut steps = Vec::new();
        let updates = self.updates.lock();
        let updates = updates.map_err(|_| "the worker has gone".to_owned())?;
        loop {
            let Ok(GenerationUpdate { job, update }) = updates.recv() else {
                return Err("the worker has gone".to_owned());
            };
            match update {
                _ if job != id => {}
                Update::Step(step) => steps.push(*step),
                Update::Done(made) => return Ok((steps, *made)),
                Update::Failed(why) => return Err(why),
                Update::Cancelled => return Err("it was cancelled".to_owned()),
                Update::Started { .. } | Update::Progress { .. } | Update::Note(_) => {}
            }
        }
    }

    /// Updates that have come in, oldest first.
    fn received(&self) -> Vec<GenerationUpdate> {
        match self.updates.lock() {
            Ok(updates) => updates.try_iter().collect(),
            Err(_) => Vec::new(),
        }
    }
}

/// Ends the job at work at its next step, and waits for the worker.
impl Drop for Generation {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        if let Ok(jobs) = self.jobs.get_mut() {
            // Without a sender the worker has no more work.
            *jobs = None;
        }
        if let Some(worker) = self.worker.take() {
            // A worker that panicked has said so itself.
            let _ = worker.join();
        }
    }
}

/// Passes the worker's updates on as messages.
pub fn receive_updates(
    generation: Option<Res<Generation>>,
    mut messages: MessageWriter<GenerationUpdate>,
) {
    if let Some(generation) = generation {
        messages.write_batch(generation.received());
    }
}

fn serve(
    model: &str,
    options: &EngineOptions,
    work: &Receiver<Work>,
    updates: &Sender<GenerationUpdate>,
    closing: &AtomicBool,
) {
    let mut generator = MotionGenerator::open(model, options);
    while let Ok(Work { job, ticket }) = work.recv() {
        let send = |update: Update| {
            // Nobody listens any more once the app is gone.
            let _ = updates.send(GenerationUpdate {
                job: ticket.id,
                update,
            });
        };
        if closing.load(Ordering::Relaxed) {
            break;
        }
        if ticket.cancel.load(Ordering::Relaxed) {
            send(Update::Cancelled);
            continue;
        }
        if generator.is_err() {
            generator = MotionGenerator::open(model, options);
        }
        let outcome = match &mut generator {
            Ok(generator) => make(generator, &job, [&ticket.cancel, closing], &send),
            Err(error) => Update::Failed(words(error)),
        };
        send(outcome);
    }
}

fn make(
    generator: &mut MotionGenerator,
    job: &Job,
    stops: [&AtomicBool; 2],
    send: &dyn Fn(Update),
) -> Update {
    let started = Instant::now();
    let task = match job.task() {
        Ok(task) => task,
        Err(error) => return Update::Failed(words(&error)),
    };
    send(Update::Started {
        steps: task.sampling.steps_or_usual(),
    });
    let decoder = MotionDecoder::new(generator.representation().clone(), vec![task.frames()]);
    let mut watch = Watch {
        name: task.prompts_in_words(),
        losses: task.goal_set().loss(decoder).ok(),
        before: None,
        streams: job.streams,
        stops,
        send,
    };
    let made = generator.generate(&task, &mut watch).and_then(|clips| {
        let clip = clips.into_iter().next();
        let clip = clip.ok_or_else(|| kinograd::Error::Internal("no clip".to_owned()))?;
        let motion = MotionClip::from_clip(task.prompts_in_words(), clip.clone())?;
        Ok(Made {
            motion,
            clip,
            seconds: started.elapsed().as_secs_f64(),
        })
    });
    match made {
        Ok(made) => Update::Done(Box::new(made)),
        Err(kinograd::Error::Cancelled) => Update::Cancelled,
        Err(error) => Update::Failed(words(&error)),
    }
}

/// An error with everything behind it, in one line.
#[must_use]
pub fn words(error: &dyn std::error::Error) -> String {
    let mut all = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        all = format!("{all}: {error}");
        cause = error.source();
    }
    all
}

/// Sends what a run reports, and stops it when its ticket is cancelled.
struct Watch<'a> {
    name: String,
    losses: Option<MotionLossAdapter>,
    before: Option<ArrayD<f32>>,
    streams: bool,
    /// The job's own and the worker's.
    stops: [&'a AtomicBool; 2],
    send: &'a dyn Fn(Update),
}

impl Watch<'_> {
    fn flow(&self) -> ControlFlow<()> {
        if self.stops.iter().any(|stop| stop.load(Ordering::Relaxed)) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn record(&mut self, step: &Denoised<'_>) -> Result<StepRecord, kinograd::Error> {
        let clip = MotionClip::new(self.name.clone(), step.motion(0)?)?;
        let (mut losses, mut gradient_norm) = (Vec::new(), 0.0);
        if let Some(scene) = self.losses.as_mut().filter(|scene| !scene.is_empty()) {
            let terms = scene.term_values(step.x0)?.into_iter();
            losses.extend(terms.filter_map(|(name, values)| Some((name, *values.first()?))));
            let gradient = scene.value_and_grad(step.x0)?.gradient;
            gradient_norm = norm(gradient.iter().copied());
        }
        let step_size = self.before.as_ref().map_or(0.0, |before| {
            norm(step.x0.iter().zip(before).map(|(now, before)| now - before))
                / (step.x0.len().max(1) as f64).sqrt()
        });
        self.before = Some(step.x0.clone());
        Ok(StepRecord {
            index: step.index,
            total: step.total,
            clip,
            losses,
            gradient_norm,
            step_size,
        })
    }
}

fn norm(values: impl Iterator<Item = f32>) -> f64 {
    values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

impl Observer for Watch<'_> {
    fn event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Advanced { done } => (self.send)(Update::Progress {
                done: usize::try_from(*done).unwrap_or(usize::MAX),
            }),
            Event::Warning(warning) => (self.send)(Update::Note(warning.to_string())),
            _ => {}
        }
        self.flow()
    }

    fn denoised(&mut self, step: &Denoised<'_>) -> ControlFlow<()> {
        if self.streams && self.flow().is_continue() {
            // A step that cannot be drawn, such as noise at the start, is left out.
            if let Ok(record) = self.record(step) {
                (self.send)(Update::Step(Box::new(record)));
            }
        }
        self.flow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::Obstacle;

    #[test]
    fn a_job_says_what_cannot_be() {
        let mut scene = TaskSpec::new("a person walks", 4.0);
        let job = |scene: &TaskSpec, steps: usize| Job {
            scene: scene.clone(),
            settings: MakeSettings {
                steps,
                ..MakeSettings::default()
            },
            streams: false,
        };
        assert_eq!(job(&scene, 20).task().unwrap().frames(), 80);
        assert!(words(&job(&scene, 0).task().unwrap_err()).contains("steps"));
        scene.obstacles.push(Obstacle::circle([0.1, 0.1], 0.5));
        assert!(words(&job(&scene, 20).task().unwrap_err()).contains("start"));
    }
}
