use std::time::Instant;

use kinograd_diffusion::{DiffusionError, NoiseSource, Progress, SeededNoise};
use kinograd_guidance::{Loss, LossValue};
use kinograd_runtime::ScoreNetwork;
use ndarray::{ArrayD, ArrayViewD, Axis, s};

use super::advice::recommended;
use super::{AttemptReport, DiagnoseProtocol, DiagnoseReport, Smoothness, StepReport, TermReport};
use crate::generator::{MotionPlan, emit, goals_objective, open_network, repeated};
use crate::network_loss::NetworkLoss;
use crate::optimize::mean;
use crate::task::timed_prompts::TimedPrompt;
use crate::text_loss::{TextLoss, TextPart};
use crate::{Error, Event, Method, MotionGenerator, Observer, Task};

/// Root mean square of a perturbation of x̂0.
const PERTURBATION: f32 = 0.05;
/// Perturbations that a Lipschitz constant is the largest ratio of.
const DIRECTIONS: u64 = 4;
/// Noisy copies that a network is averaged over.
const COPIES: u64 = 4;
/// Parts of a clip that a prompt is held against, as shares of its length.
const CROPS: [[f64; 2]; 4] = [[0.0, 0.8], [0.2, 1.0], [0.1, 0.9], [0.05, 1.0]];
/// Others, to judge by.
const HELD_OUT_CROPS: [[f64; 2]; 4] = [[0.0, 0.7], [0.3, 1.0], [0.15, 0.85], [0.0, 0.9]];

/// What a loss is looked at through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Plain,
    Augmented,
    HeldOut,
    /// Another network's eyes, where there is one.
    Judge,
}

/// A loss of the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Term {
    Goals,
    Text,
    Network(usize),
}

/// A run: x̂0 of every step and what came out.
struct Trace {
    timesteps: Vec<f64>,
    x0s: Vec<ArrayD<f32>>,
    last: ArrayD<f32>,
    seconds: f64,
}

struct Session<'a> {
    generator: &'a mut MotionGenerator,
    protocol: &'a DiagnoseProtocol,
    plan: MotionPlan<'static>,
    judges: Vec<ScoreNetwork>,
    seeds: Vec<u64>,
    terms: Vec<(Term, f64)>,
    done: u64,
}

impl MotionGenerator {
    /// Measures how a task's losses and method do on this model, and says what follows.
    ///
    /// # Errors
    /// As [`DiagnoseProtocol::check`] and [`generate`](Self::generate). A method to compare with that
    /// breaks down is reported, not an error.
    pub fn diagnose(
        &mut self,
        protocol: &DiagnoseProtocol,
        observer: &mut dyn Observer,
    ) -> Result<DiagnoseReport, Error> {
        protocol.check()?;
        let protocol = &DiagnoseProtocol {
            task: self.resolved(&protocol.task)?,
            ..protocol.clone()
        };
        let task = &protocol.task;
        let plan = self.plan(task, observer)?;
        self.model.denoiser.prepare(true)?;
        let judges = protocol.judges.iter();
        let judges = judges.map(|path| open_network(&self.model, path, task.frames()));
        let judges = judges.collect::<Result<Vec<_>, _>>()?;
        let mut terms = Vec::new();
        if !task.goal_set().is_empty() {
            terms.push((Term::Goals, 1.0));
        }
        let weight = task.text_weight(self.modality.embedding.is_some());
        if weight > 0.0 && self.modality.embedding.is_some() {
            terms.push((Term::Text, weight));
        }
        let scored = plan.networks.iter().enumerate();
        terms.extend(scored.map(|(index, (weight, _))| (Term::Network(index), *weight)));
        Session {
            generator: self,
            protocol,
            plan,
            judges,
            seeds: task.sampling.seeds(),
            terms,
            done: 0,
        }
        .report(observer)
    }
}

impl Session<'_> {
    fn report(&mut self, observer: &mut dyn Observer) -> Result<DiagnoseReport, Error> {
        let protocol = self.protocol;
        let (own_method, own_steps) = (
            protocol.task.guidance.method,
            protocol.task.sampling.steps_or_usual(),
        );
        let others: Vec<Method> = protocol.methods.clone();
        let others: Vec<Method> = others.into_iter().filter(|m| *m != own_method).collect();
        let total: usize = protocol.calls.iter().sum::<usize>() + own_steps * (2 + others.len());
        emit(
            observer,
            Event::Started {
                work: "diagnosing",
                total: total as u64,
            },
        )?;
        let plain = self.run(Method::None, own_steps, observer)?;
        let unguided = self.attempt(Method::None, own_steps, Ok(&plain))?;
        let own = self.run(own_method, own_steps, observer)?;
        let own_at_steps = self.attempt(own_method, own_steps, Ok(&own))?;
        let mut calls = Vec::new();
        for &count in &protocol.calls {
            let trace = self.tried(own_method, count, observer)?;
            calls.push(self.attempt(own_method, count, trace.as_ref())?);
        }
        let mut methods = Vec::new();
        for method in others {
            let trace = self.tried(method, own_steps, observer)?;
            methods.push(self.attempt(method, own_steps, trace.as_ref())?);
        }
        let (steps, least_loss) = self.steps(&own)?;
        let middle = own.x0s.get(own.x0s.len() / 2).unwrap_or(&own.last).clone();
        let mut terms = Vec::new();
        for index in 0..self.terms.len() {
            terms.push(self.term(index, &plain.last, &own.last, &middle)?);
        }
        let recommendation = recommended(
            own_method,
            &steps,
            &terms,
            &unguided,
            &calls,
            &methods,
            &own_at_steps,
        );
        emit(observer, Event::Finished)?;
        let manifest = self.generator.manifest();
        Ok(DiagnoseReport {
            schema: "kinograd.diagnose/1",
            model: format!("{} {}", manifest.name, manifest.version),
            engine: self.generator.engine_name(),
            task: protocol.task.clone(),
            steps,
            least_loss,
            terms,
            unguided,
            calls,
            methods,
            recommendation,
        })
    }

    /// The task with another method, its own sampler and scale, and another number of steps. What
    /// was chosen for the task's own method stays with that.
    fn variant(&self, method: Method, steps: usize) -> Result<Task, Error> {
        let task = self.protocol.task.edited(|spec| {
            spec.sampling.steps = Some(steps);
            if method != spec.guidance.method {
                spec.guidance.method = method;
                spec.guidance.scale = None;
                spec.sampling.sampler = None;
            }
        })?;
        self.generator.resolved(&task)
    }

    fn run(
        &mut self,
        method: Method,
        steps: usize,
        observer: &mut dyn Observer,
    ) -> Result<Trace, Error> {
        let task = self.variant(method, steps)?;
        let pairs = self.generator.model.steps(steps)?;
        let started = Instant::now();
        let (mut timesteps, mut x0s) = (Vec::new(), Vec::new());
        let done = &mut self.done;
        let rows = 0..self.seeds.len();
        let last = self.generator.sample(
            &task,
            &mut self.plan,
            rows,
            &pairs,
            &mut |progress: &Progress<'_>| {
                timesteps.push(progress.pair.from.timestep);
                x0s.push(progress.x0.clone());
                *done += 1;
                observer.event(&Event::Advanced { done: *done })
            },
        )?;
        Ok(Trace {
            timesteps,
            x0s,
            last,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// A run whose method may break down.
    fn tried(
        &mut self,
        method: Method,
        steps: usize,
        observer: &mut dyn Observer,
    ) -> Result<Result<Trace, String>, Error> {
        match self.run(method, steps, observer) {
            Ok(trace) => Ok(Ok(trace)),
            Err(Error::Diffusion(error @ DiffusionError::Guidance { .. })) => {
                let mut text = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(inner) = cause {
                    text = format!("{text}: {inner}");
                    cause = inner.source();
                }
                Ok(Err(text))
            }
            Err(error) => Err(error),
        }
    }

    fn attempt(
        &mut self,
        method: Method,
        calls: usize,
        trace: Result<&Trace, &String>,
    ) -> Result<AttemptReport, Error> {
        let mut report = AttemptReport {
            method,
            calls,
            loss: None,
            text_score: None,
            seconds_per_clip: 0.0,
            failure: None,
        };
        match trace {
            Err(why) => report.failure = Some(why.clone()),
            Ok(trace) => {
                report.loss = mean(&self.total(&trace.last)?.values);
                report.seconds_per_clip = trace.seconds / self.seeds.len().max(1) as f64;
                if self.generator.modality.embedding.is_some() {
                    let text = self.evaluate(Term::Text, View::Plain, &trace.last)?;
                    report.text_score = mean(&text.values).map(|distance| 1.0 - distance);
                }
            }
        }
        Ok(report)
    }

    /// Losses along a run, and ℓ*.
    fn steps(&mut self, trace: &Trace) -> Result<(Vec<StepReport>, f64), Error> {
        let mut values = Vec::new();
        let mut least = 0.0;
        for &(term, weight) in &self.terms.clone() {
            if let Term::Network(_) = term {
                let mut seen = f64::INFINITY;
                for x0 in &trace.x0s {
                    let value = self.evaluate(term, View::Plain, x0)?;
                    seen = value.values.into_iter().fold(seen, f64::min);
                }
                least += weight * seen;
            }
        }
        for x0 in &trace.x0s {
            values.push(self.total(x0)?);
        }
        let losses: Vec<f64> = values
            .iter()
            .map(|value| mean(&value.values).unwrap_or(f64::NAN))
            .collect();
        let steps = values.iter().enumerate().map(|(index, value)| {
            let ratios: Vec<f64> = value
                .values
                .iter()
                .zip(value.gradient.axis_iter(Axis(0)))
                .map(|(loss, gradient)| 0.5 * squares(gradient) / (loss - least))
                .filter(|ratio| ratio.is_finite() && *ratio >= 0.0)
                .collect();
            StepReport {
                timestep: trace.timesteps[index],
                loss: losses[index],
                descent: losses.get(index + 1).map(|next| losses[index] - next),
                pl_ratio: mean(&ratios),
            }
        });
        Ok((steps.collect(), least))
    }

    fn term(
        &mut self,
        index: usize,
        unguided: &ArrayD<f32>,
        guided: &ArrayD<f32>,
        middle: &ArrayD<f32>,
    ) -> Result<TermReport, Error> {
        let (term, weight) = self.terms[index];
        let judge = match term {
            Term::Network(index) => self.judges.get(index).map(|judge| judge.name().to_owned()),
            Term::Goals | Term::Text => None,
        };
        let unseen = match judge {
            Some(_) => View::Judge,
            None => View::HeldOut,
        };
        let mut value = |view, x0: &ArrayD<f32>| -> Result<f64, Error> {
            let value = self.evaluate(term, view, x0)?;
            Ok(mean(&value.values).unwrap_or(f64::NAN))
        };
        let (before, after) = (value(View::Plain, unguided)?, value(View::Plain, guided)?);
        let held_out = value(unseen, unguided)? - value(unseen, guided)?;
        let analytic = term == Term::Goals;
        let share = (!analytic && before > after).then(|| 1.0 - held_out / (before - after));
        let plain = self.lipschitz(term, View::Plain, middle)?;
        let augmented = if analytic {
            None
        } else {
            Some(self.lipschitz(term, View::Augmented, middle)?)
        };
        Ok(TermReport {
            name: match term {
                Term::Goals => "goals".to_owned(),
                Term::Text => "text".to_owned(),
                Term::Network(index) => self.plan.networks[index].1.name().to_owned(),
            },
            weight,
            unguided: before,
            guided: after,
            smoothness: Smoothness { plain, augmented },
            augmentations: match term {
                Term::Goals => "none: analytic",
                Term::Text => "crops in time",
                Term::Network(_) => "noise of 0.05 on the features",
            },
            judge,
            adversarial_share: share,
        })
    }

    /// The largest over clips and directions.
    fn lipschitz(&mut self, term: Term, view: View, x0: &ArrayD<f32>) -> Result<f64, Error> {
        let here = self.evaluate(term, view, x0)?.gradient;
        let mut largest: f64 = 0.0;
        for direction in 0..DIRECTIONS {
            let step = noise(x0, 0x11b5_0000 + (direction << 32))?.mapv(|n| PERTURBATION * n);
            let there = self.evaluate(term, view, &(x0 + &step))?.gradient;
            let changes = (there - &here).into_dyn();
            for (change, step) in changes.axis_iter(Axis(0)).zip(step.axis_iter(Axis(0))) {
                largest = largest.max((squares(change) / squares(step)).sqrt());
            }
        }
        Ok(largest)
    }

    /// The weighted sum of the losses.
    fn total(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, Error> {
        let mut total = LossValue {
            values: vec![0.0; self.seeds.len()],
            gradient: ArrayD::zeros(x0.raw_dim()),
        };
        for (term, weight) in self.terms.clone() {
            let value = self.evaluate(term, View::Plain, x0)?;
            add(&mut total, &value, weight);
        }
        Ok(total)
    }

    fn evaluate(&mut self, term: Term, view: View, x0: &ArrayD<f32>) -> Result<LossValue, Error> {
        let batch = self.seeds.len();
        let decoder = self.generator.modality.decoder(&self.protocol.task, batch);
        match term {
            Term::Goals => {
                let objective = goals_objective(&self.protocol.task, &decoder)?;
                Ok(objective.into_loss()?.value_and_grad(x0)?)
            }
            Term::Text => {
                let Some(embedding) = &mut self.generator.modality.embedding else {
                    return Err(Error::Internal("no embedding to ask".to_owned()));
                };
                let parts = self
                    .plan
                    .prompts
                    .iter()
                    .enumerate()
                    .flat_map(|(row, prompt)| {
                        let text = self.plan.texts.embedding.slice(s![row..=row, ..]);
                        let text = repeated(text, batch);
                        cropped(prompt, view)
                            .into_iter()
                            .map(move |frames| TextPart {
                                frames,
                                text: text.clone(),
                            })
                    });
                let mut loss = TextLoss {
                    embedding,
                    parts: parts.collect(),
                };
                Ok(loss.value_and_grad(x0)?)
            }
            Term::Network(index) => {
                let network = match view {
                    View::Judge => &mut self.judges[index],
                    _ => &mut self.plan.networks[index].1,
                };
                let mut loss = NetworkLoss {
                    network,
                    decoder,
                    is_reward: false,
                };
                if matches!(view, View::Plain | View::Judge) {
                    return Ok(loss.value_and_grad(x0)?);
                }
                let mut total = LossValue {
                    values: vec![0.0; batch],
                    gradient: ArrayD::zeros(x0.raw_dim()),
                };
                for copy in 0..COPIES {
                    let seed = (copy << 40) + if view == View::HeldOut { 7 << 50 } else { 0 };
                    let moved = x0 + &noise(x0, seed)?.mapv(|n| PERTURBATION * n);
                    let value = loss.value_and_grad(&moved)?;
                    add(&mut total, &value, 1.0 / COPIES as f64);
                }
                Ok(total)
            }
        }
    }
}

/// A prompt's frames, or parts of them.
fn cropped(prompt: &TimedPrompt, view: View) -> Vec<std::ops::Range<usize>> {
    let (start, length) = (prompt.frames.start, prompt.frames.len());
    let crops: &[[f64; 2]] = match view {
        View::Plain => &[[0.0, 1.0]],
        View::Augmented => &CROPS,
        View::HeldOut | View::Judge => &HELD_OUT_CROPS,
    };
    let frame = |share: f64| start + (share * length as f64).round() as usize;
    crops
        .iter()
        .map(|&[from, to]| frame(from)..frame(to).max(frame(from) + 1))
        .collect()
}

fn add(total: &mut LossValue, value: &LossValue, weight: f64) {
    for (sum, value) in total.values.iter_mut().zip(&value.values) {
        *sum += weight * value;
    }
    total.gradient.scaled_add(weight as f32, &value.gradient);
}

fn squares(values: ArrayViewD<'_, f32>) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum()
}

fn noise(like: &ArrayD<f32>, seed: u64) -> Result<ArrayD<f32>, Error> {
    let mut noise = ArrayD::zeros(like.raw_dim());
    SeededNoise::counting_from(seed, like.len_of(Axis(0))).fill(&mut noise)?;
    Ok(noise)
}
