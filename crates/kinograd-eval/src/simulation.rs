//! The simulation of Guo et al. 2024: a small score network, trained here, as an optimiser of two
//! rewards on data in a subspace.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use kinograd::diffusion::{
    Ddpm, DiffusionError, Layout, NoiseSchedule, NoiseSource, Progress, SeededNoise, Spacing,
    StepPair,
};
use kinograd::guidance::optimize::{Frozen, Optimizer, OptimizerOptions, Pull, Round, Sampling};
use kinograd::guidance::{ClosureLoss, Lookahead, Loss};
use kinograd::runtime::{
    ClipBatch, DenoiserSpec, DenoiserTrainer, Engine, ModelSource, OnnxDenoiser, Prediction,
    SessionOptions, TrainingClips, WeightChoice,
};
use ndarray::{Array1, Array2, ArrayD, Axis, IxDyn};
use serde::Serialize;

use super::statistics::mean;
use kinograd::graph::GraphBuilder;
use kinograd::optimize::{FineTune, Learner};
use kinograd::plot::{Chart, Panel, Series, save_plot};
use kinograd::{Error, Event, Observer};

/// What the simulation runs. Data are `x = A u`, `u ~ N(0, I)`, with orthonormal columns of A.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulationProtocol {
    /// D, dimensions of x.
    pub ambient: usize,
    /// d, dimensions of u.
    pub subspace: usize,
    /// T, steps of the cosine schedule, and of DDPM.
    pub train_steps: usize,
    /// Samples of a round.
    pub batch: usize,
    /// Rounds of every method.
    pub rounds: usize,
    /// δ of the naive gradient.
    pub naive_delta: f64,
    /// δ of the look-ahead loss.
    pub delta: f64,
    /// Steps of Adam that the score is trained for, on 256 fresh samples each.
    pub pretraining: usize,
    /// Steps of Adam per round of Algorithm 2, on `batch` samples each.
    pub steps_per_round: usize,
    /// Learning rate of those.
    pub learning_rate: f64,
    /// Longest change of x̂0 in one step, root mean square: a trained score is wrong where a guided
    /// sample leaves what it has seen. None if `None`.
    pub max_step_rms: Option<f64>,
    /// Seed of A, the rewards, the training and the samples.
    pub seed: u64,
}

impl Default for SimulationProtocol {
    fn default() -> Self {
        Self {
            ambient: 64,
            subspace: 16,
            train_steps: 200,
            batch: 32,
            rounds: 200,
            naive_delta: 0.9,
            delta: 0.2,
            pretraining: 4000,
            steps_per_round: 1,
            learning_rate: 1e-5,
            max_step_rms: Some(0.1),
            seed: 0,
        }
    }
}

/// What is made large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SimulatedReward {
    /// `10 − (θᵀx − 3)²`, θ of unit length.
    F1,
    /// `5 − ½‖x − b‖`, b with independent elements of `N(0, 1)`.
    F2,
}

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SimulatedMethod {
    /// The naive gradient G at every sample.
    Naive,
    /// The look-ahead loss G_loss at every sample, as in the released code.
    Loss,
    /// Algorithm 1 as it is stated: G_loss, linearised at the batch's mean.
    Algorithm1,
    /// Algorithm 2: as `Algorithm1`, and the score learns from the samples of all rounds.
    Algorithm2,
}

impl SimulatedMethod {
    const ALL: [Self; 4] = [Self::Naive, Self::Loss, Self::Algorithm1, Self::Algorithm2];

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive G",
            Self::Loss => "G_loss",
            Self::Algorithm1 => "algorithm 1",
            Self::Algorithm2 => "algorithm 2",
        }
    }
}

/// One reward under one method.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SimulationRun {
    /// The reward.
    pub reward: SimulatedReward,
    /// The method.
    pub method: SimulatedMethod,
    /// Mean reward of each round's samples, first the unguided ones.
    pub rewards: Vec<f64>,
    /// Mean over the samples of `r_off = ‖x − AAᵀx‖ / ‖AAᵀx‖`, by round.
    pub off_ratios: Vec<f64>,
    /// Wall time, seconds.
    pub seconds: f64,
    /// Why it ended before its last round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The protocol and what it gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SimulationReport {
    /// `kinograd.simulation/1`.
    pub schema: &'static str,
    /// What was run.
    pub protocol: SimulationProtocol,
    /// The engine.
    pub engine: String,
    /// Numbers in the score network.
    pub parameters: usize,
    /// Loss of the last hundred steps of its training; the best score of all has
    /// [`SimulationReport::least_loss`].
    pub training_loss: f64,
    /// The loss of the exact score.
    pub least_loss: f64,
    /// Wall time of the training, seconds.
    pub training_seconds: f64,
    /// Largest value of f2 on the subspace; that of f1 is 10.
    pub f2_on_subspace: f64,
    /// Both rewards under every method.
    pub runs: Vec<SimulationRun>,
}

/// Runs the protocol.
///
/// # Errors
/// [`Error::Request`] if a number of the protocol is out of range, [`Error::Cancelled`] if the
/// observer stops it; otherwise what the engine returns.
pub fn simulation(
    engine: &Arc<dyn Engine>,
    protocol: &SimulationProtocol,
    observer: &mut dyn Observer,
) -> Result<SimulationReport, Error> {
    check(protocol)?;
    let problem = Problem::new(protocol)?;
    let runs_total = 2 * SimulatedMethod::ALL.len() * (protocol.rounds + 1);
    let mut progress = Steps { observer, done: 0 };
    progress.emit(&Event::Started {
        work: "simulating",
        total: (protocol.pretraining + runs_total * protocol.train_steps) as u64,
    })?;
    let started = Instant::now();
    let (trainer, training_loss) = problem.trained(engine, &mut progress)?;
    let training_seconds = started.elapsed().as_secs_f64();
    let source = trainer.source()?;
    let mut runs = Vec::new();
    for reward in [SimulatedReward::F1, SimulatedReward::F2] {
        for method in SimulatedMethod::ALL {
            runs.push(problem.run(engine, &source, (reward, method), &mut progress)?);
        }
    }
    progress.emit(&Event::Finished)?;
    Ok(SimulationReport {
        schema: "kinograd.simulation/1",
        engine: engine.name().to_owned(),
        parameters: trainer.parameters(),
        training_loss,
        least_loss: problem.least_loss(),
        training_seconds,
        f2_on_subspace: problem.f2_on_subspace(),
        runs,
        protocol: protocol.clone(),
    })
}

fn check(protocol: &SimulationProtocol) -> Result<(), Error> {
    let p = protocol;
    let refuse = |field, message| Err(Error::Request { field, message });
    if p.subspace == 0 || p.subspace >= p.ambient || p.ambient > 1024 {
        return refuse(
            "subspace",
            format!("{} of {} dimensions; 1 to one less", p.subspace, p.ambient),
        );
    }
    for (field, count) in [
        ("batch", p.batch),
        ("rounds", p.rounds),
        ("steps", p.train_steps),
        ("pretraining", p.pretraining),
    ] {
        if count == 0 || count > 1_000_000 {
            return refuse(field, format!("{count} is outside 1 to 1000000"));
        }
    }
    for (field, value) in [
        ("learning rate", p.learning_rate),
        ("max move", p.max_step_rms.unwrap_or(1.0)),
    ] {
        if !(value.is_finite() && value > 0.0) {
            return refuse(field, format!("{value}; it must be a number above 0"));
        }
    }
    Ok(())
}

/// Passes steps on.
struct Steps<'a> {
    observer: &'a mut dyn Observer,
    done: u64,
}

impl Steps<'_> {
    fn emit(&mut self, event: &Event) -> Result<(), Error> {
        match self.observer.event(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }

    fn step(&mut self) -> ControlFlow<()> {
        self.done += 1;
        self.observer.event(&Event::Advanced { done: self.done })
    }
}

/// Width of the network's hidden layer, and of its path that is linear in x.
const HIDDEN: usize = 128;
/// Frequencies of the time's embedding.
const FREQUENCIES: usize = 8;
/// Samples of a step of the training.
const TRAINING_BATCH: usize = 256;

struct Problem<'a> {
    protocol: &'a SimulationProtocol,
    schedule: NoiseSchedule,
    steps: Vec<StepPair>,
    /// A, `[D, d]`.
    basis: Array2<f64>,
    theta: Array1<f64>,
    b: Array1<f64>,
}

impl<'a> Problem<'a> {
    fn new(protocol: &'a SimulationProtocol) -> Result<Self, Error> {
        let (ambient, subspace) = (protocol.ambient, protocol.subspace);
        let schedule = NoiseSchedule::cosine(protocol.train_steps)?;
        let drawn = normal(&[subspace + 2, ambient], protocol.seed)?;
        let row = |row: usize| drawn.index_axis(Axis(0), row).mapv(f64::from);
        let mut basis: Vec<ArrayD<f64>> = Vec::new();
        for column in 0..subspace {
            let mut vector = row(column);
            for other in &basis {
                let overlap = (&vector * other).sum();
                vector.scaled_add(-overlap, other);
            }
            let length = vector.mapv(|v| v * v).sum().sqrt();
            basis.push(vector / length);
        }
        let theta: Array1<f64> = row(subspace).iter().copied().collect();
        let length = theta.dot(&theta).sqrt();
        Ok(Self {
            steps: schedule.steps(Spacing::Trailing, protocol.train_steps)?,
            schedule,
            basis: Array2::from_shape_fn((ambient, subspace), |(i, j)| basis[j][[i]]),
            theta: theta / length,
            b: row(subspace + 1).iter().copied().collect(),
            protocol,
        })
    }

    /// Mean over the noise levels of `E‖x0 − E[x0|x_t]‖² / D`, which is `(1 − ᾱ) d/D`.
    fn least_loss(&self) -> f64 {
        let noise = self.schedule.alpha_bars().iter().map(|a| 1.0 - a);
        let levels = self.schedule.train_steps() as f64;
        noise.sum::<f64>() / levels * self.protocol.subspace as f64 / self.protocol.ambient as f64
    }

    fn f2_on_subspace(&self) -> f64 {
        let inside = self.basis.dot(&self.basis.t().dot(&self.b));
        let off = &self.b - &inside;
        5.0 - 0.5 * off.dot(&off).sqrt()
    }

    fn spec(&self) -> DenoiserSpec {
        DenoiserSpec::clips(Prediction::X0, self.protocol.ambient, 1, Array1::zeros(1))
    }

    /// `x̂0 = x W ⊙ gate(t) V + silu(x U + time) Z + shift(t)`, with random weights.
    fn network(&self) -> Result<ModelSource, Error> {
        let ambient = self.protocol.ambient;
        let (d, h, f) = (ambient as i64, HIDDEN as i64, FREQUENCIES as i64);
        let width = ambient.to_string();
        let mut seed = self.protocol.seed.wrapping_add(1);
        let mut weights = |rows: i64, columns: i64, scale: f64| -> Result<Vec<f32>, Error> {
            seed = seed.wrapping_add(1);
            let draws = normal(&[1, (rows * columns).unsigned_abs() as usize], seed)?;
            let spread = scale / (rows as f64).sqrt();
            Ok(draws.iter().map(|&n| n * spread as f32).collect())
        };
        let frequencies = (0..FREQUENCIES).map(|i| {
            let turns = 0.25 * f64::from(1 << i) / self.protocol.train_steps as f64;
            (std::f64::consts::TAU * turns) as f32
        });
        let ones = |n: i64| vec![1.0; n.unsigned_abs() as usize];
        let zeros = |n: i64| vec![0.0; n.unsigned_abs() as usize];
        let mut graph = GraphBuilder::new("score")
            .input("x_t", &["batch", "frames", &width])
            .input("timestep", &["batch"])
            .input("condition", &["batch", "1"])
            .input("frame_mask", &["batch", "frames"])
            .output("x0", &["batch", "frames", &width])
            .ints("axes", &[1, 2])
            .weights("frequencies", &[1, 1, f], frequencies.collect())
            .node("Unsqueeze", &["timestep", "axes"], "time")
            .node("Mul", &["time", "frequencies"], "angles")
            .node("Sin", &["angles"], "sin")
            .node("Cos", &["angles"], "cos");
        for (name, width) in [("gate", h), ("time_in", h), ("shift", d)] {
            let scale = if name == "time_in" { 1.0 } else { 0.1 };
            let [sin, cos] = [weights(f, width, scale)?, weights(f, width, scale)?];
            let bias = if name == "gate" {
                ones(width)
            } else {
                zeros(width)
            };
            let part = |part: &str| format!("{name}.{part}");
            graph = graph
                .weights(&part("sin.weight"), &[f, width], sin)
                .weights(&part("cos.weight"), &[f, width], cos)
                .weights(&part("bias"), &[width], bias)
                .node("MatMul", &["sin", &part("sin.weight")], &part("s"))
                .node("MatMul", &["cos", &part("cos.weight")], &part("c"))
                .node("Add", &[&part("s"), &part("c")], &part("sum"))
                .node("Add", &[&part("sum"), &part("bias")], name);
        }
        let model = graph
            .weights("down.weight", &[d, h], weights(d, h, 1.0)?)
            .weights("up.weight", &[h, d], weights(h, d, 1.0)?)
            .weights("in.weight", &[d, h], weights(d, h, 1.0)?)
            .weights("out.weight", &[h, d], weights(h, d, 0.1)?)
            .node("MatMul", &["x_t", "down.weight"], "latent")
            .node("Mul", &["latent", "gate"], "gated")
            .node("MatMul", &["gated", "up.weight"], "linear")
            .node("MatMul", &["x_t", "in.weight"], "hidden")
            .node("Add", &["hidden", "time_in"], "before")
            .node("Sigmoid", &["before"], "sigmoid")
            .node("Mul", &["before", "sigmoid"], "silu")
            .node("MatMul", &["silu", "out.weight"], "curved")
            .node("Add", &["linear", "curved"], "unshifted")
            .node("Add", &["unshifted", "shift"], "x0")
            .model();
        let bytes = model.to_bytes().map_err(|source| Error::Gradient {
            path: "score".into(),
            source,
        })?;
        Ok(ModelSource::memory("score", bytes))
    }

    /// Fits the network to fresh samples, with a learning rate that falls in three parts.
    fn trained(
        &self,
        engine: &Arc<dyn Engine>,
        progress: &mut Steps<'_>,
    ) -> Result<(DenoiserTrainer, f64), Error> {
        let mut source = self.network()?;
        let mut losses = Vec::with_capacity(self.protocol.pretraining);
        let condition = Array2::zeros((TRAINING_BATCH, 1));
        let mut last = None;
        let rates = [3e-3, 1e-3, 3e-4];
        for (part, rate) in rates.into_iter().enumerate() {
            let mut trainer = self.trainer(engine, &source, rate)?;
            let from = self.protocol.pretraining * part / rates.len();
            let to = self.protocol.pretraining * (part + 1) / rates.len();
            for step in from..to {
                let seed = self.protocol.seed.wrapping_add(1000 + step as u64);
                let noise = normal(&[TRAINING_BATCH, 1, self.protocol.ambient], seed)?;
                let stream = seed ^ 0x0da7_a000_0000;
                let u = normal(&[TRAINING_BATCH, self.protocol.subspace], stream)?;
                let x0 = self.on_subspace(&u);
                let levels = (0..TRAINING_BATCH)
                    .map(|i| {
                        // Every level is met as often.
                        let at = (step * 97 + i * self.protocol.train_steps / TRAINING_BATCH)
                            % self.protocol.train_steps;
                        self.schedule.level(at as f64)
                    })
                    .collect::<Result<Vec<_>, _>>()?;
                losses.push(trainer.step(&TrainingClips {
                    x0: &x0,
                    noise: &noise,
                    lengths: &[1; TRAINING_BATCH],
                    levels: &levels,
                    condition: &condition,
                })?);
                if progress.step().is_break() {
                    return Err(Error::Cancelled);
                }
            }
            source = trainer.source()?;
            last = Some(trainer);
        }
        let tail = &losses[losses.len().saturating_sub(100)..];
        let trainer = last.ok_or_else(|| Error::Internal("nothing was trained".to_owned()))?;
        Ok((trainer, mean(tail).unwrap_or(f64::NAN)))
    }

    fn trainer(
        &self,
        engine: &Arc<dyn Engine>,
        source: &ModelSource,
        rate: f64,
    ) -> Result<DenoiserTrainer, Error> {
        let (choice, options) = (WeightChoice::Parameters, SessionOptions::default());
        Ok(DenoiserTrainer::open(
            engine,
            source,
            self.spec(),
            &choice,
            rate,
            &options,
        )?)
    }

    /// `A u`, `[batch, 1, D]`, of u `[batch, d]`.
    fn on_subspace(&self, u: &ArrayD<f32>) -> ArrayD<f32> {
        let batch = u.len_of(Axis(0));
        ArrayD::from_shape_fn(IxDyn(&[batch, 1, self.protocol.ambient]), |index| {
            let row = u.index_axis(Axis(0), index[0]);
            let terms = row.iter().zip(self.basis.row(index[2]));
            terms.map(|(&u, a)| f64::from(u) * a).sum::<f64>() as f32
        })
    }

    fn run(
        &self,
        engine: &Arc<dyn Engine>,
        source: &ModelSource,
        (reward, method): (SimulatedReward, SimulatedMethod),
        progress: &mut Steps<'_>,
    ) -> Result<SimulationRun, Error> {
        let started = Instant::now();
        let protocol = self.protocol;
        let options = OptimizerOptions {
            rounds: protocol.rounds,
            lookahead: match method {
                SimulatedMethod::Naive => Lookahead::Naive,
                _ => Lookahead::Loss,
            },
            pull: Pull::Constant {
                delta: match method {
                    SimulatedMethod::Naive => protocol.naive_delta,
                    _ => protocol.delta,
                },
            },
            at_mean: matches!(
                method,
                SimulatedMethod::Algorithm1 | SimulatedMethod::Algorithm2
            ),
            max_step_rms: protocol.max_step_rms,
            ..OptimizerOptions::default()
        };
        let mut optimizer = Optimizer::new(options, self.cost(reward))?;
        let mut denoiser = OnnxDenoiser::new(
            engine.clone(),
            source.clone(),
            self.spec(),
            SessionOptions::default(),
        );
        denoiser.set_batch(ClipBatch {
            condition: Array2::zeros((protocol.batch, 1)),
            blend_weights: None,
            lengths: vec![1; protocol.batch],
            guidance_scale: 1.0,
        })?;
        let (mut rewards, mut off_ratios) = (Vec::new(), Vec::new());
        let mut round_done = |round: &Round<'_>| {
            rewards.push(mean(round.rewards).unwrap_or(f64::NAN));
            off_ratios.push(self.off_ratio(round.batch));
            ControlFlow::Continue(())
        };
        let layout = Layout::full(&[protocol.batch, 1, protocol.ambient])?;
        let mut noise = SeededNoise::counting_from(protocol.seed, protocol.batch);
        let mut sampling = Sampling {
            sampler: &mut Ddpm,
            steps: &self.steps,
            layout: &layout,
            noise: &mut noise,
            observer: &mut |_: &Progress<'_>| progress.step(),
        };
        let outcome = if method == SimulatedMethod::Algorithm2 {
            let mut learner = Learner {
                denoiser,
                trainer: self.trainer(engine, source, protocol.learning_rate)?,
                schedule: &self.schedule,
                options: FineTune {
                    steps: protocol.steps_per_round,
                    learning_rate: protocol.learning_rate,
                    batch: protocol.batch,
                    condition_dropout: 0.0,
                    weights: Vec::new(),
                },
                condition: Array2::zeros((1, 1)),
                null_condition: Array2::zeros((1, 1)),
                seed: protocol.seed,
                seen: Vec::new(),
                learnt: Vec::new(),
            };
            optimizer.run_adaptive(&mut learner, &mut sampling, &mut round_done)
        } else {
            optimizer.run(&mut Frozen(&mut denoiser), &mut sampling, &mut round_done)
        };
        let failure = match outcome {
            Ok(_) => None,
            Err(DiffusionError::Cancelled) => return Err(Error::Cancelled),
            // A score that learns from itself may leave all bounds; the others go on.
            Err(error) => Some(error.to_string()),
        };
        Ok(SimulationRun {
            reward,
            method,
            rewards,
            off_ratios,
            seconds: started.elapsed().as_secs_f64(),
            failure,
        })
    }

    /// Minus the reward.
    fn cost(&self, reward: SimulatedReward) -> Box<dyn Loss + '_> {
        let each = move |x: &[f64]| -> (f64, Vec<f64>) {
            match reward {
                SimulatedReward::F1 => {
                    let gap: f64 = x.iter().zip(&self.theta).map(|(x, t)| x * t).sum::<f64>() - 3.0;
                    let slope = self.theta.iter().map(|t| 2.0 * gap * t);
                    (gap * gap - 10.0, slope.collect())
                }
                SimulatedReward::F2 => {
                    let gaps: Vec<f64> = x.iter().zip(&self.b).map(|(x, b)| x - b).collect();
                    let length = gaps.iter().map(|gap| gap * gap).sum::<f64>().sqrt();
                    let slope = gaps.iter().map(|gap| 0.5 * gap / length.max(1e-12));
                    (0.5 * length - 5.0, slope.collect())
                }
            }
        };
        let name = match reward {
            SimulatedReward::F1 => "f1",
            SimulatedReward::F2 => "f2",
        };
        Box::new(ClosureLoss::new(name, move |x: &ArrayD<f32>| {
            let mut gradient = x.clone();
            let mut values = Vec::new();
            for mut sample in gradient.axis_iter_mut(Axis(0)) {
                let x: Vec<f64> = sample.iter().map(|&x| f64::from(x)).collect();
                let (value, slope) = each(&x);
                values.push(value);
                for (out, slope) in sample.iter_mut().zip(slope) {
                    *out = slope as f32;
                }
            }
            Ok((values, gradient))
        }))
    }

    /// Mean over the samples.
    fn off_ratio(&self, batch: &ArrayD<f32>) -> f64 {
        let ratio = |sample: ndarray::ArrayViewD<'_, f32>| {
            let x: Array1<f64> = sample.iter().map(|&v| f64::from(v)).collect();
            let inside = self.basis.dot(&self.basis.t().dot(&x));
            let off = &x - &inside;
            (off.dot(&off) / inside.dot(&inside).max(f64::MIN_POSITIVE)).sqrt()
        };
        let ratios: Vec<f64> = batch.axis_iter(Axis(0)).map(ratio).collect();
        mean(&ratios).unwrap_or(f64::NAN)
    }
}

fn normal(shape: &[usize], seed: u64) -> Result<ArrayD<f32>, Error> {
    let mut draws = ArrayD::zeros(IxDyn(shape));
    let rows = shape.first().copied().unwrap_or(0);
    // Rows have seeds of their own, and calls are far apart.
    SeededNoise::counting_from(seed.wrapping_mul(1 << 20), rows).fill(&mut draws)?;
    Ok(draws)
}

impl SimulationReport {
    /// Draws reward and r_off against the rounds, for both rewards.
    ///
    /// # Errors
    /// [`Error::Write`] with the path and why.
    pub fn save_plot(&self, path: &Path) -> Result<(), Error> {
        let chart =
            |reward: SimulatedReward, label: &str, values: &dyn Fn(&SimulationRun) -> Vec<f64>| {
                let runs = self.runs.iter().filter(|run| run.reward == reward);
                Panel::Chart(Chart {
                    title: format!("{reward:?}"),
                    x_label: "round".to_owned(),
                    y_label: label.to_owned(),
                    series: runs
                        .map(|run| {
                            let points = values(run).into_iter().enumerate();
                            let points = points.map(|(round, value)| (round as f64, value));
                            Series::line(run.method.name(), points)
                        })
                        .collect(),
                    ..Chart::default()
                })
            };
        let panels: Vec<Panel> = [SimulatedReward::F1, SimulatedReward::F2]
            .into_iter()
            .flat_map(|reward| {
                [
                    chart(reward, "mean reward", &|run| run.rewards.clone()),
                    chart(reward, "r_off", &|run| run.off_ratios.clone()),
                ]
            })
            .collect();
        Ok(save_plot(path, &panels, 2, (700, 460))?)
    }
}

impl fmt::Display for SimulationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p = &self.protocol;
        writeln!(
            f,
            "D = {}, d = {}, T = {}, batch {}, {} rounds, δ {} (G) and {} (G_loss), {}",
            p.ambient,
            p.subspace,
            p.train_steps,
            p.batch,
            p.rounds,
            p.naive_delta,
            p.delta,
            self.engine
        )?;
        writeln!(
            f,
            "score: {} parameters, loss {:.4} (the exact score has {:.4}) after {} steps in {:.1} s",
            self.parameters,
            self.training_loss,
            self.least_loss,
            p.pretraining,
            self.training_seconds
        )?;
        writeln!(
            f,
            "{:6} {:12} {:>8} {:>8} {:>8}  {:>8} {:>8}  {:>7}",
            "reward", "method", "first", "best", "last", "r_off 0", "last", "seconds"
        )?;
        for run in &self.runs {
            let ends = |values: &[f64]| {
                let first = values.first().copied().unwrap_or(f64::NAN);
                (first, values.last().copied().unwrap_or(f64::NAN))
            };
            let (first, last) = ends(&run.rewards);
            let (off_first, off_last) = ends(&run.off_ratios);
            let best = run
                .rewards
                .iter()
                .copied()
                .fold(f64::NEG_INFINITY, f64::max);
            writeln!(
                f,
                "{:6} {:12} {first:>8.3} {best:>8.3} {last:>8.3}  {off_first:>8.3} {off_last:>8.3}  {:>7.1}",
                format!("{:?}", run.reward),
                run.method.name(),
                run.seconds
            )?;
            if let Some(why) = &run.failure {
                writeln!(f, "  broke down after {} rounds: {why}", run.rewards.len())?;
            }
        }
        writeln!(
            f,
            "largest on the subspace: F1 10, F2 {:.3}",
            self.f2_on_subspace
        )
    }
}

#[cfg(test)]
mod tests {
    use kinograd::runtime::BuiltIn;

    use super::*;

    /// A small one: what the paper finds has to show even here.
    #[test]
    fn the_look_ahead_stays_on_the_subspace_and_rewards_rise() {
        let engine: Arc<dyn Engine> = Arc::new(BuiltIn::new(1));
        let protocol = SimulationProtocol {
            ambient: 12,
            subspace: 3,
            train_steps: 40,
            batch: 8,
            rounds: 20,
            pretraining: 900,
            steps_per_round: 1,
            learning_rate: 3e-4,
            ..SimulationProtocol::default()
        };
        let report = simulation(&engine, &protocol, &mut ()).unwrap();
        assert!(
            report.training_loss < 1.3 * report.least_loss,
            "{} {}",
            report.training_loss,
            report.least_loss
        );
        let run = |method| {
            let of =
                |run: &&SimulationRun| run.reward == SimulatedReward::F1 && run.method == method;
            report.runs.iter().find(of).unwrap()
        };
        let (naive, loss, mean, learnt) = (
            run(SimulatedMethod::Naive),
            run(SimulatedMethod::Loss),
            run(SimulatedMethod::Algorithm1),
            run(SimulatedMethod::Algorithm2),
        );
        assert!(
            loss.rewards[20] > loss.rewards[0] + 0.3,
            "{:?}",
            loss.rewards
        );
        assert!(naive.off_ratios[20] > 1.5 * loss.off_ratios[20]);
        // The first round is the same, and the score has learnt nothing before it.
        assert_eq!(learnt.rewards[..2], mean.rewards[..2]);
        assert!(
            learnt.rewards[20] > learnt.rewards[0] + 0.3,
            "{:?}",
            learnt.rewards
        );
        assert!(learnt.rewards[3..] != mean.rewards[3..]);
        let error = SimulationProtocol {
            subspace: 12,
            ..protocol
        };
        let error = simulation(&engine, &error, &mut ())
            .unwrap_err()
            .to_string();
        assert!(error.contains("subspace: 12 of 12"), "{error}");
    }
}
