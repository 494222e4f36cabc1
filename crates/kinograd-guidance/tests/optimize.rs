//! Diffusion as an optimiser, against the theory of Guo et al. 2024 on Gaussian data.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error;
use std::ops::ControlFlow;

use kinograd_diffusion::{
    Ddim, Ddpm, Denoiser, DifferentiableDenoiser, DiffusionError, Layout, NoObserver, NoiseLevel,
    NoiseSchedule, NoiseSource, PullBack, Sampler, SeededNoise, Spacing, StepPair,
};
use kinograd_guidance::optimize::{
    AdaptiveDenoiser, Frozen, LinearScore, MotionReward, Optimizer, OptimizerOptions, Pull,
    Sampling, Trajectory,
};
use kinograd_guidance::{ClosureLoss, Lookahead, Loss};
use kinograd_testkit::{GaussianDenoiser, Tolerance, assert_close, central_difference};
use ndarray::{Array1, Array2, ArrayD, Axis, array};

fn steps(count: usize) -> Vec<StepPair> {
    let schedule = NoiseSchedule::cosine(1000).unwrap();
    schedule.steps(Spacing::Trailing, count).unwrap()
}

/// The middle of all noise: with DDIM on Gaussian data its sample is the mean of all samples.
struct Silence;

impl NoiseSource for Silence {
    fn fill(&mut self, out: &mut ArrayD<f32>) -> Result<(), DiffusionError> {
        out.fill(0.0);
        Ok(())
    }
}

/// −f for f(x) = −½ (x − b)ᵀ H (x − b).
fn quadratic(peak: &Array1<f64>, curvature: &Array2<f64>) -> impl Loss + use<> {
    let (peak, curvature) = (peak.clone(), curvature.clone());
    ClosureLoss::new("quadratic", move |x: &ArrayD<f32>| {
        let mut gradient = x.clone();
        let mut values = Vec::new();
        for mut sample in gradient.axis_iter_mut(Axis(0)) {
            let offset: Array1<f64> = sample.iter().map(|&v| f64::from(v)).collect();
            let offset = offset - &peak;
            let slope = curvature.dot(&offset);
            values.push(0.5 * offset.dot(&slope));
            for (g, slope) in sample.iter_mut().zip(slope) {
                *g = slope as f32;
            }
        }
        Ok((values, gradient))
    })
}

/// A plane with correlated data and a peak away from it.
struct Problem {
    mean: Array1<f64>,
    covariance: Array2<f64>,
    peak: Array1<f64>,
    curvature: Array2<f64>,
    lambda: f64,
}

impl Problem {
    fn new() -> Self {
        Self {
            mean: array![0.5, -0.3],
            covariance: array![[1.0, 0.4], [0.4, 0.6]],
            peak: array![3.0, 2.0],
            curvature: array![[0.9, 0.2], [0.2, 0.5]],
            lambda: 2.0,
        }
    }

    fn gap(&self, x: &Array1<f64>) -> f64 {
        let offset = x - &self.peak;
        0.5 * offset.dot(&self.curvature.dot(&offset))
    }

    /// Maximiser of f(x) − (λ/2)‖x − x̄‖²_{Σ⁻¹}: (I + ΣH/λ) x = x̄ + ΣHb/λ.
    fn regularized_peak(&self) -> Array1<f64> {
        let pull = self.covariance.dot(&self.curvature) / self.lambda;
        let system = Array2::<f64>::eye(2) + &pull;
        let right = &self.mean + &pull.dot(&self.peak);
        let determinant = system[[0, 0]] * system[[1, 1]] - system[[0, 1]] * system[[1, 0]];
        array![
            (right[0] * system[[1, 1]] - right[1] * system[[0, 1]]) / determinant,
            (right[1] * system[[0, 0]] - right[0] * system[[1, 0]]) / determinant
        ]
    }

    fn optimizer(&self, rounds: usize) -> Optimizer<'static> {
        let options = OptimizerOptions {
            rounds,
            lookahead: Lookahead::Posterior,
            deviation: 0.1,
            pull: Pull::Regularized {
                lambda: self.lambda,
            },
            at_mean: true,
            ..OptimizerOptions::default()
        };
        Optimizer::new(options, quadratic(&self.peak, &self.curvature)).unwrap()
    }

    fn score(&self) -> LinearScore {
        LinearScore::new(self.mean.clone(), self.covariance.clone()).unwrap()
    }

    /// The mean of every round's batch.
    fn means(&self, rounds: usize, adaptive: bool) -> Vec<Array1<f64>> {
        let mut means = Vec::new();
        let mut score = self.score();
        let (steps, layout) = (steps(30), Layout::full(&[1, 2]).unwrap());
        let mut sampling = Sampling {
            sampler: &mut Ddim::default(),
            steps: &steps,
            layout: &layout,
            noise: &mut Silence,
            observer: &mut NoObserver,
        };
        let mut observer = |round: &kinograd_guidance::optimize::Round<'_>| {
            means.push(round.batch.iter().map(|&v| f64::from(v)).collect());
            ControlFlow::Continue(())
        };
        let mut optimizer = self.optimizer(rounds);
        if adaptive {
            optimizer
                .run_adaptive(&mut score, &mut sampling, &mut observer)
                .unwrap();
        } else {
            optimizer
                .run(&mut score, &mut sampling, &mut observer)
                .unwrap();
        }
        means
    }
}

const NEAR: Tolerance = Tolerance::Within {
    absolute: 2e-3,
    relative: 0.0,
};

/// z_{k+1} − x* = −(ΣH/λ)(z_k − x*), so the gap falls as (L/λ)^k, L the largest eigenvalue of ΣH.
#[test]
fn algorithm_1_falls_linearly_to_the_regularised_peak() {
    let problem = Problem::new();
    let limit = problem.regularized_peak();
    let means = problem.means(14, false);
    assert_close(
        &means[0].clone().into_dyn(),
        &problem.mean.clone().into_dyn(),
        NEAR,
    );
    let step = problem.covariance.dot(&problem.curvature) / -problem.lambda;
    let trace = step[[0, 0]] + step[[1, 1]];
    let determinant = step[[0, 0]] * step[[1, 1]] - step[[0, 1]] * step[[1, 0]];
    let rate = (trace.abs() + (trace * trace - 4.0 * determinant).sqrt()) / 2.0;
    assert!((0.4..0.8).contains(&rate), "{rate}");
    let mut expected = &means[0] - &limit;
    for (round, mean) in means.iter().enumerate() {
        let error = mean - &limit;
        assert_close(&error.into_dyn(), &expected.clone().into_dyn(), NEAR);
        // In the norm where ΣH is symmetric the bound holds without a constant.
        let bound = 3.0 * rate.powi(round as i32);
        assert!(expected.dot(&expected).sqrt() <= bound, "round {round}");
        expected = step.dot(&expected);
    }
    // It stays below the peak, where the regularised objective has its maximum.
    assert!(problem.gap(&limit) > 0.5);
    assert!((problem.gap(&means[14]) - problem.gap(&limit)).abs() < 0.02);
}

/// z_{k+1} = m_k + Σ∇f(z_k)/λ with m_k the mean of all rounds: the ceiling is passed.
#[test]
fn algorithm_2_passes_the_ceiling_and_nears_the_peak() {
    let problem = Problem::new();
    let ceiling = problem.gap(&problem.regularized_peak());
    let means = problem.means(120, true);
    let pull = problem.covariance.dot(&problem.curvature) / problem.lambda;
    let mut learnt = problem.mean.clone();
    let mut here = means[0].clone();
    for (round, mean) in means.iter().enumerate().skip(1) {
        here = &learnt - &pull.dot(&(&here - &problem.peak));
        let share = 1.0 / (round as f64 + 1.0);
        learnt = &learnt * (1.0 - share) + &here * share;
        assert_close(&mean.clone().into_dyn(), &here.clone().into_dyn(), NEAR);
    }
    let gaps: Vec<f64> = means.iter().map(|mean| problem.gap(mean)).collect();
    assert!(gaps[10] < 0.7 * ceiling, "{} of {ceiling}", gaps[10]);
    assert!(gaps[120] < 0.2 * ceiling, "{} of {ceiling}", gaps[120]);
    assert!(gaps.windows(2).skip(4).all(|pair| pair[1] < pair[0]));
}

/// Orthonormal columns.
fn subspace(ambient: usize, inner: usize) -> Array2<f64> {
    let mut a = Array2::from_shape_fn((ambient, inner), |(i, j)| {
        (1.7 * i as f64 + 2.9 * j as f64 + 0.3 * (i * j) as f64).sin()
    });
    for j in 0..inner {
        for k in 0..j {
            let overlap = a.column(k).dot(&a.column(j));
            let other = a.column(k).to_owned();
            a.column_mut(j).scaled_add(-overlap, &other);
        }
        let length = a.column(j).dot(&a.column(j)).sqrt();
        a.column_mut(j).mapv_inplace(|v| v / length);
    }
    a
}

const AMBIENT: usize = 16;

/// ‖x − AAᵀx‖ / ‖AAᵀx‖ of every sample.
fn off_subspace(batch: &ArrayD<f32>, a: &Array2<f64>) -> Vec<f64> {
    let ratio = |sample: ndarray::ArrayViewD<f32>| {
        let x: Array1<f64> = sample.iter().map(|&v| f64::from(v)).collect();
        let inside = a.dot(&a.t().dot(&x));
        let off = &x - &inside;
        off.dot(&off).sqrt() / inside.dot(&inside).sqrt()
    };
    batch.axis_iter(Axis(0)).map(ratio).collect()
}

/// −f1 of the paper's simulation: f1 = 10 − (θᵀx − 3)².
fn f1() -> impl Loss {
    let theta: Array1<f64> = (0..AMBIENT)
        .map(|i| (2.3 * i as f64).cos() * 0.35)
        .collect();
    ClosureLoss::new("f1", move |x: &ArrayD<f32>| {
        let mut gradient = x.clone();
        let mut values = Vec::new();
        for mut sample in gradient.axis_iter_mut(Axis(0)) {
            let dot: f64 = sample
                .iter()
                .zip(&theta)
                .map(|(&x, t)| f64::from(x) * t)
                .sum();
            values.push((dot - 3.0).powi(2) - 10.0);
            for (g, t) in sample.iter_mut().zip(&theta) {
                *g = (2.0 * (dot - 3.0) * t) as f32;
            }
        }
        Ok((values, gradient))
    })
}

fn on_subspace(
    lookahead: Lookahead,
    delta: f64,
    seeds: &[u64],
    sampler: &mut dyn Sampler,
) -> Trajectory {
    let a = subspace(AMBIENT, 4);
    let mut score = LinearScore::new(Array1::zeros(AMBIENT), a.dot(&a.t())).unwrap();
    let options = OptimizerOptions {
        rounds: 12,
        lookahead,
        pull: Pull::Constant { delta },
        ..OptimizerOptions::default()
    };
    Optimizer::new(options, f1())
        .unwrap()
        .run(
            &mut score,
            &mut Sampling {
                sampler,
                steps: &steps(50),
                layout: &Layout::full(&[seeds.len(), AMBIENT]).unwrap(),
                noise: &mut SeededNoise::new(seeds.to_vec()),
                observer: &mut NoObserver,
            },
            &mut |_| ControlFlow::Continue(()),
        )
        .unwrap()
}

#[test]
fn the_lookahead_loss_stays_on_the_subspace_and_the_naive_gradient_leaves_it() {
    let a = subspace(AMBIENT, 4);
    let seeds = [1, 2, 3, 4];
    let samplers: [&mut dyn Sampler; 2] = [&mut Ddim::default(), &mut Ddpm];
    for sampler in samplers {
        let name = sampler.name();
        let kept = on_subspace(Lookahead::Loss, 0.2, &seeds, sampler);
        let left = on_subspace(Lookahead::Naive, 0.9, &seeds, sampler);
        for (run, what) in [(&kept, "loss"), (&left, "naive")] {
            let mean = |rewards: &[f64]| rewards.iter().sum::<f64>() / rewards.len() as f64;
            let (first, last) = (mean(&run.rewards[0]), mean(&run.rewards[12]));
            assert!(last > first + 1.0, "{name}, {what}: {first} to {last}");
        }
        // The prior's own ratio is rounding.
        let kept = off_subspace(&kept.batch, &a);
        assert!(kept.iter().all(|r| *r < 1e-4), "{name}: {kept:?}");
        let left = off_subspace(&left.batch, &a);
        assert!(left.iter().all(|r| *r > 0.01), "{name}: {left:?}");
    }
}

/// On a projection as covariance the paper's β and the exact one are the same.
#[test]
fn the_papers_variance_is_exact_on_a_subspace() {
    let run = |lookahead| on_subspace(lookahead, 0.2, &[5, 6], &mut Ddim::default());
    let (paper, exact) = (run(Lookahead::Loss), run(Lookahead::Posterior));
    let tolerance = Tolerance::Within {
        absolute: 1e-3,
        relative: 1e-3,
    };
    assert_close(&paper.batch, &exact.batch, tolerance);
}

#[test]
fn samples_do_not_depend_on_their_batch() {
    let batch = on_subspace(Lookahead::Loss, 0.2, &[7, 8, 9], &mut Ddpm);
    for (index, seed) in [7, 8, 9].into_iter().enumerate() {
        let alone = on_subspace(Lookahead::Loss, 0.2, &[seed], &mut Ddpm);
        assert_eq!(
            batch.batch.index_axis(Axis(0), index),
            alone.batch.index_axis(Axis(0), 0)
        );
    }
}

#[test]
fn the_linear_score_is_the_gaussian_denoiser() {
    let problem = Problem::new();
    let level = NoiseLevel {
        timestep: 0.0,
        alpha_bar: 0.4,
    };
    let x = array![[0.3_f32, -1.0], [2.0, 0.1]].into_dyn();
    let v = array![[1.0_f32, 0.5], [-0.3, 2.0]].into_dyn();
    let mut expected = GaussianDenoiser::new(problem.mean.clone(), problem.covariance.clone());
    let mut score = problem.score();
    let (x0, mut pull_back) = score.linearize(&x, level).unwrap();
    assert_close(&x0, &expected.denoise(&x, level).unwrap(), Tolerance::Close);
    let gradient = pull_back(&v).unwrap();
    drop(pull_back);
    let f = |x: &ArrayD<f32>| {
        let x0 = score.clone().denoise(x, level).unwrap();
        kinograd_testkit::inner_product(&x0, &v)
    };
    let quotient = central_difference(f, &x, 1e-2);
    assert_close(&gradient, &quotient, Tolerance::Approximate);

    // The update is the mean over the first data and the rounds.
    score
        .adapt(&array![[3.5_f32, 0.7], [1.5, 0.7]].into_dyn())
        .unwrap();
    let mean = (&problem.mean + &array![2.5, 0.7]) / 2.0;
    assert_close(
        &score.mean().clone().into_dyn(),
        &mean.into_dyn(),
        Tolerance::Close,
    );
    score.reset();
    assert_eq!(score.mean(), &problem.mean);
    assert!(LinearScore::new(array![0.0], Array2::eye(2)).is_err());
    assert!(LinearScore::new(array![0.0, 0.0], array![[1.0, 0.5], [0.0, 1.0]]).is_err());
}

/// A score without known moments.
struct Opaque(LinearScore);

impl Denoiser for Opaque {
    fn denoise(&mut self, x: &ArrayD<f32>, l: NoiseLevel) -> Result<ArrayD<f32>, DiffusionError> {
        self.0.denoise(x, l)
    }
}

impl DifferentiableDenoiser for Opaque {
    fn linearize<'a>(
        &'a mut self,
        x: &ArrayD<f32>,
        l: NoiseLevel,
    ) -> Result<(ArrayD<f32>, PullBack<'a>), DiffusionError> {
        self.0.linearize(x, l)
    }
}

impl AdaptiveDenoiser for Opaque {
    fn adapt(&mut self, generated: &ArrayD<f32>) -> Result<(), DiffusionError> {
        self.0.adapt(generated)
    }
}

#[test]
fn the_same_noise_keeps_a_sample_and_new_noise_does_not() {
    let batches = |same_noise| {
        let flat = ClosureLoss::new("flat", |x: &ArrayD<f32>| Ok((vec![0.0], x.mapv(|_| 0.0))));
        let options = OptimizerOptions {
            rounds: 2,
            same_noise,
            ..OptimizerOptions::default()
        };
        let mut score = LinearScore::new(Array1::zeros(3), Array2::eye(3)).unwrap();
        let mut batches = Vec::new();
        Optimizer::new(options, flat)
            .unwrap()
            .run(
                &mut Frozen(&mut score),
                &mut Sampling {
                    sampler: &mut Ddpm,
                    steps: &steps(5),
                    layout: &Layout::full(&[1, 3]).unwrap(),
                    noise: &mut SeededNoise::new(vec![4]),
                    observer: &mut NoObserver,
                },
                &mut |round| {
                    batches.push(round.batch.clone());
                    ControlFlow::Continue(())
                },
            )
            .unwrap();
        batches
    };
    let same = batches(true);
    assert_eq!(same[0], same[1]);
    assert_eq!(same[0], same[2]);
    let new = batches(false);
    assert_eq!(new[0], same[0]);
    assert!(new[0] != new[1] && new[1] != new[2]);
}

#[test]
fn rewards_have_names() {
    for reward in MotionReward::ALL {
        assert_eq!(reward.name().parse::<MotionReward>().unwrap(), reward);
        let json = serde_json::to_string(&reward).unwrap();
        assert_eq!(json, format!("\"{reward}\""));
        assert!(reward.delta() > reward.deviation() && reward.deviation() > 0.0);
        assert!(reward.cost(kinograd_guidance::Span::ALL).is_ok());
    }
    let error = "hand-rise".parse::<MotionReward>().unwrap_err().to_string();
    assert!(
        error.contains("hand-rise") && error.contains("hand-raise"),
        "{error}"
    );
}

#[test]
fn faults_are_named() {
    let problem = Problem::new();
    for (pull, field) in [
        (Pull::Regularized { lambda: 0.0 }, "lambda"),
        (Pull::Constant { delta: f64::NAN }, "delta"),
    ] {
        let options = OptimizerOptions {
            pull,
            ..OptimizerOptions::default()
        };
        let cost = quadratic(&problem.peak, &problem.curvature);
        let error = Optimizer::new(options, cost).err().unwrap().to_string();
        assert!(error.contains(field), "{error}");
    }
    let frozen = Frozen(&mut problem.score())
        .adapt(&array![[0.0_f32, 0.0]].into_dyn())
        .unwrap_err();
    assert!(frozen.to_string().contains("frozen"), "{frozen}");
    let run = |optimizer: &mut Optimizer<'_>| {
        let (steps, layout) = (steps(5), Layout::full(&[1, 2]).unwrap());
        let mut sampling = Sampling {
            sampler: &mut Ddim::default(),
            steps: &steps,
            layout: &layout,
            noise: &mut Silence,
            observer: &mut NoObserver,
        };
        let mut score = Opaque(problem.score());
        let error = optimizer
            .run(
                &mut score,
                &mut sampling,
                &mut |_| ControlFlow::Continue(()),
            )
            .unwrap_err();
        format!("{error}: {}", error.source().unwrap())
    };
    let error = run(&mut problem.optimizer(3));
    assert!(error.contains("pull"), "{error}");
    let mut rounds = 0;
    let broken = ClosureLoss::new("broken", move |x: &ArrayD<f32>| {
        rounds += 1;
        let value = if rounds > 1 { f64::NAN } else { 0.0 };
        Ok((vec![value], x.clone()))
    });
    let mut optimizer = Optimizer::new(OptimizerOptions::default(), broken).unwrap();
    let error = run(&mut optimizer);
    for part in ["optimize", "timestep 1", "broken", "sample 0"] {
        assert!(error.contains(part), "{error}");
    }
}
