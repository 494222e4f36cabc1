//! The wider catalogue of methods: whole trajectories against a NumPy statement of the papers, and
//! methods as special cases of others.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;

use kinograd_diffusion::{
    Ddim, Guidance, Layout, Model, NoObserver, NoiseLevel, NoiseSchedule, NoiseSource, Progress,
    Spacing, StepPair, sample,
};
use kinograd_guidance::{
    AdamDps, ClassifierGuidance, ClosureLoss, Dps, Dsg, EditNoise, FreeDom, GradientGuidance,
    GuidanceError, GuidanceOptions, LgdMc, LinearConstraint, LinearProjection, Linearization,
    Lookahead, Loss, LossGuidance, LossValue, MeanGuidance, MeanOptions, MonteCarlo, Mpgd,
    NoiseOptimizer, NoiseOptions, StepSchedule, Strength, Tfg, TfgOptions, TimeClassifier,
    TimeTravel, TimestepInterval, Ugd, UgdOptions,
};
use kinograd_testkit::{
    GaussianDenoiser, Golden, RecordedNoise, Tolerance, assert_close, central_difference,
};
use ndarray::{Array1, ArrayD, Axis, Ix1, Ix2, stack};

const TOLERANCE: Tolerance = Tolerance::Within {
    absolute: 5e-4,
    relative: 5e-4,
};
/// Two programs of the same formula, both in f32.
const EQUAL: Tolerance = Tolerance::Within {
    absolute: 2e-5,
    relative: 2e-5,
};
const LATE: TimestepInterval = TimestepInterval {
    from_timestep: 0.0,
    to_timestep: 700.0,
};

fn golden() -> Golden {
    Golden::new("guidance_catalogue")
}

fn steps() -> Vec<StepPair> {
    let schedule = NoiseSchedule::cosine(1000).unwrap();
    schedule.steps(Spacing::Trailing, 10).unwrap()
}

/// ‖A x̂0 − y‖² per sample, or its root.
fn residual(squared: bool) -> impl Loss {
    let a = golden().f64("A").into_dimensionality::<Ix2>().unwrap();
    let y = golden().f64("y").into_dimensionality::<Ix2>().unwrap();
    ClosureLoss::new("residual", move |x0: &ArrayD<f32>| {
        let mut gradient = x0.clone();
        let mut values = Vec::new();
        for (sample, mut out) in gradient.axis_iter_mut(Axis(0)).enumerate() {
            let x: Array1<f64> = out.iter().map(|&v| f64::from(v)).collect();
            let residual = a.dot(&x) - y.row(sample);
            let value = residual.dot(&residual);
            let scale = if squared { 2.0 } else { 1.0 / value.sqrt() };
            for (out, g) in out.iter_mut().zip(a.t().dot(&residual)) {
                *out = (scale * g) as f32;
            }
            values.push(if squared { value } else { value.sqrt() });
        }
        Ok((values, gradient))
    })
}

fn denoiser() -> GaussianDenoiser {
    GaussianDenoiser::new(
        golden().f64("mean").into_dimensionality::<Ix1>().unwrap(),
        golden()
            .f64("covariance")
            .into_dimensionality::<Ix2>()
            .unwrap(),
    )
}

fn layout() -> Layout {
    Layout::full(&[2, 3, 2]).unwrap()
}

/// Every `x_{t−1}` of a guided run of the golden's set-up.
fn walk(guidance: &mut dyn Guidance, eta: f64) -> ArrayD<f32> {
    let mut denoiser = denoiser();
    let mut model = if guidance.needs_gradient() {
        Model::differentiable(&mut denoiser)
    } else {
        Model::forward_only(&mut denoiser)
    };
    let mut path = Vec::new();
    sample(
        &mut model,
        &mut Ddim::new(eta).unwrap(),
        &steps(),
        &layout(),
        &mut RecordedNoise::new(golden().f32("draws")),
        Some(guidance),
        &mut |progress: &Progress<'_>| {
            path.push(progress.x_next.clone());
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    let views: Vec<_> = path.iter().map(|x| x.view()).collect();
    stack(Axis(0), &views).unwrap()
}

fn scaled(scale: f64) -> GuidanceOptions {
    GuidanceOptions {
        scale,
        interval: LATE,
        ..GuidanceOptions::default()
    }
}

fn recorded(draws: usize) -> MonteCarlo {
    let noise: Box<dyn NoiseSource> = Box::new(RecordedNoise::new(golden().f32("smoothing")));
    MonteCarlo::new(draws, 0).unwrap().with_noise(noise)
}

#[track_caller]
fn follows(name: &str, mut guidance: impl Guidance, eta: f64) {
    assert_close(&walk(&mut guidance, eta), &golden().f64(name), TOLERANCE);
}

#[test]
fn lgd_mc_follows_its_paper() {
    let rule = LgdMc::new(recorded(4));
    follows(
        "lgd-mc",
        LossGuidance::new(rule, residual(true), scaled(0.05)).unwrap(),
        0.0,
    );
}

#[test]
fn ugd_follows_its_paper() {
    let universal = UgdOptions {
        forward: 0.05,
        backward_steps: 3,
        backward: 0.04,
        recurrences: 1,
    };
    follows(
        "ugd",
        Ugd::new(universal, residual(true), scaled(1.0)).unwrap(),
        0.0,
    );
    let universal = UgdOptions {
        backward_steps: 1,
        recurrences: 2,
        ..universal
    };
    follows(
        "ugd_recurrent",
        Ugd::new(universal, residual(true), scaled(1.0)).unwrap(),
        0.0,
    );
}

fn strength(size: f64, schedule: StepSchedule) -> Strength {
    Strength { size, schedule }
}

#[test]
fn tfg_follows_its_paper() {
    let family = TfgOptions {
        rho: strength(0.1, StepSchedule::Rising),
        mu: strength(0.08, StepSchedule::Falling),
        sigma: strength(0.2, StepSchedule::Noise),
        iterations: 3,
        recurrences: 2,
        draws: 2,
        ..TfgOptions::default()
    };
    let tfg = Tfg::new(family, residual(true), scaled(1.0)).unwrap();
    follows("tfg", tfg.with_smoothing(recorded(2)), 0.0);
}

#[test]
fn adam_dps_dsg_and_mean_follow_their_papers() {
    let adam = LossGuidance::new(AdamDps::default(), residual(true), scaled(0.05));
    follows("adam-dps", adam.unwrap(), 0.0);
    follows(
        "dsg",
        Dsg::new(0.4, residual(true), scaled(1.0)).unwrap(),
        1.0,
    );
    let mean = MeanGuidance::new(MeanOptions::default(), residual(true), scaled(0.05));
    follows("mean-guidance", mean.unwrap(), 0.0);
}

/// The golden's classifier: y given x_t is normal around cᵀx_t, its variance 2 − ᾱ.
struct Noisy {
    direction: Vec<f64>,
    values: Vec<f64>,
}

impl TimeClassifier for Noisy {
    fn name(&self) -> &str {
        "noisy"
    }

    fn value_and_grad(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<LossValue, GuidanceError> {
        let mut gradient = x_t.clone();
        let mut values = Vec::new();
        for (mut sample, y) in gradient.axis_iter_mut(Axis(0)).zip(&self.values) {
            let dot = |(x, c): (&f32, &f64)| f64::from(*x) * c;
            let gap = sample.iter().zip(&self.direction).map(dot).sum::<f64>() - y;
            values.push(gap * gap / (2.0 * (2.0 - level.alpha_bar)));
            for (g, c) in sample.iter_mut().zip(&self.direction) {
                *g = (gap * c / (2.0 - level.alpha_bar)) as f32;
            }
        }
        Ok(LossValue { values, gradient })
    }
}

#[test]
fn classifier_guidance_follows_its_paper() {
    let y = golden().f64("y");
    let classifier = Noisy {
        direction: golden().list("direction"),
        values: y.index_axis(Axis(1), 0).iter().copied().collect(),
    };
    follows(
        "classifier",
        ClassifierGuidance::new(classifier, scaled(1.5)).unwrap(),
        0.0,
    );
}

fn constraints(variance: f64) -> Vec<Vec<LinearConstraint>> {
    let a = golden().f64("A").into_dimensionality::<Ix2>().unwrap();
    let y = golden().f64("y").into_dimensionality::<Ix2>().unwrap();
    let of_sample = |sample: usize| {
        let row = |row: usize| LinearConstraint {
            terms: a.row(row).iter().copied().enumerate().collect(),
            value: y[[sample, row]],
            variance,
        };
        (0..2).map(row).collect()
    };
    (0..2).map(of_sample).collect()
}

#[test]
fn linear_projection_follows_its_paper_and_is_exact() {
    let soft = LinearProjection::new(constraints(0.1), scaled(1.0)).unwrap();
    follows(
        "linear",
        soft.with_metric(golden().list("metric")).unwrap(),
        0.0,
    );
    let mut exact = LinearProjection::new(constraints(0.0), scaled(1.0)).unwrap();
    let path = walk(&mut exact, 0.0);
    assert_close(&path, &golden().f64("linear_exact"), TOLERANCE);
    let end = path.index_axis(Axis(0), 9).to_owned();
    let left = residual(true).value_and_grad(&end).unwrap().values;
    assert!(left.iter().all(|value| *value < 1e-9), "{left:?}");

    let twice = constraints(0.0)
        .into_iter()
        .map(|rows| vec![rows[0].clone(), rows[0].clone()]);
    let mut dependent = LinearProjection::new(twice.collect(), scaled(1.0)).unwrap();
    let error = sample(
        &mut Model::forward_only(&mut denoiser()),
        &mut Ddim::default(),
        &steps(),
        &layout(),
        &mut RecordedNoise::new(golden().f32("draws")),
        Some(&mut dependent),
        &mut NoObserver,
    );
    let error = error.unwrap_err();
    let chain = format!("{error}: {}", std::error::Error::source(&error).unwrap());
    assert!(chain.contains("independent"), "{chain}");
    let beyond = vec![LinearConstraint {
        terms: vec![(6, 1.0)],
        value: 0.0,
        variance: 0.0,
    }];
    let mut beyond = LinearProjection::new(vec![beyond.clone(), beyond], scaled(1.0)).unwrap();
    assert!(beyond.begin(&layout()).is_err());
}

fn objective() -> Linearization {
    let direction: Vec<f32> = golden().f32("direction").into_iter().collect();
    Linearization {
        gradient: ArrayD::from_shape_vec(vec![2, 3, 2], direction.repeat(2)).unwrap(),
        values: vec![1.5; 2],
    }
}

#[test]
fn gradient_guidance_follows_its_paper() {
    for (name, lookahead) in [
        ("gradient-naive", Lookahead::Naive),
        ("gradient-look-ahead", Lookahead::Loss),
    ] {
        let options = GuidanceOptions::default();
        let deviation = GradientGuidance::DEVIATION;
        let guidance = GradientGuidance::new(lookahead, objective(), deviation, options);
        follows(name, guidance.unwrap(), 0.0);
    }
}

/// x_T of the golden.
fn start() -> ArrayD<f32> {
    golden().f32("draws").index_axis(Axis(0), 0).to_owned()
}

#[test]
fn dno_follows_its_paper() {
    let golden = golden();
    for iterations in [1, 6] {
        let options = NoiseOptions {
            iterations,
            ..NoiseOptions::default()
        };
        let mut seen = Vec::new();
        let best = NoiseOptimizer::new(options, residual(true))
            .unwrap()
            .run(
                &mut Model::differentiable(&mut denoiser()),
                &steps(),
                &layout(),
                start(),
                &mut |_, _, losses| {
                    seen.push(losses.to_vec());
                    ControlFlow::Continue(())
                },
            )
            .unwrap();
        // The loss falls at every iteration here, so that the best is the last.
        assert_eq!(seen.len(), iterations + 1);
        assert_eq!(best.losses, seen[iterations]);
        let expected = golden.f64("dno");
        let expected = expected.index_axis(Axis(0), iterations - 1);
        assert_close(&best.noise, expected, TOLERANCE);
    }
}

/// A target that repeats itself would have noise that does; the term keeps it from that.
#[test]
fn dno_keeps_noise_from_repeating_itself() {
    let repeats = |decorrelate| {
        let options = NoiseOptions {
            iterations: 60,
            decorrelate,
            ..NoiseOptions::default()
        };
        let best = NoiseOptimizer::new(options, residual(true))
            .unwrap()
            .run(
                &mut Model::differentiable(&mut denoiser()),
                &steps(),
                &layout(),
                start(),
                &mut |_, _, _| ControlFlow::Continue(()),
            )
            .unwrap();
        let noise = best.noise.index_axis(Axis(0), 0).to_owned();
        let frames = noise.len_of(Axis(0));
        let mean: f64 = (0..frames)
            .map(|frame| {
                let next = noise.index_axis(Axis(0), (frame + 1) % frames);
                f64::from((&noise.index_axis(Axis(0), frame) * &next).sum())
            })
            .sum::<f64>()
            / noise.len() as f64;
        mean.abs()
    };
    let (free, kept) = (repeats(0.0), repeats(1e3));
    assert!(kept < 0.5 * free, "{kept} {free}");
}

/// With a closed form: for Gaussian data the chain is affine, so the loss can be driven to 0.
#[test]
fn dno_solves_an_inverse_problem_on_gaussian_data() {
    let options = NoiseOptions {
        iterations: 300,
        ..NoiseOptions::default()
    };
    let mut model = denoiser();
    let best = NoiseOptimizer::new(options, residual(true))
        .unwrap()
        .run(
            &mut Model::differentiable(&mut model),
            &steps(),
            &layout(),
            start(),
            &mut |_, _, _| ControlFlow::Continue(()),
        )
        .unwrap();
    assert!(
        best.losses.iter().all(|loss| *loss < 1e-2),
        "{:?}",
        best.losses
    );
    let again = sample(
        &mut Model::forward_only(&mut denoiser()),
        &mut Ddim::default(),
        &steps(),
        &layout(),
        &mut RecordedNoise::new(best.noise.clone().insert_axis(Axis(0))),
        None,
        &mut NoObserver,
    )
    .unwrap();
    assert_close(&best.clean, &again, Tolerance::Approximate);
}

#[test]
fn a_posterior_gradient_is_the_exact_conditional_score() {
    // x̂0 + (h/√ᾱ) ∇ log p(y | x_t) with y | x_t ~ N(gᵀx̂0, σ² + gᵀ Cov[x0 | x_t] g).
    let level = steps()[5].from;
    let (signal, h) = (level.alpha_bar.sqrt(), level.noise_variance());
    let x_t = start();
    let g: Array1<f64> = golden().list("direction").into();
    let covariance = golden()
        .f64("covariance")
        .into_dimensionality::<Ix2>()
        .unwrap();
    let jacobian = denoiser().jacobian(level);
    let variance = 0.01 + h / signal * g.dot(&jacobian.dot(&g));
    // The same by the Kalman form of the conditional covariance.
    let gain = &jacobian * signal;
    let posterior = &covariance - &gain.dot(&covariance);
    assert!((variance - 0.01 - g.dot(&posterior.dot(&g))).abs() < 1e-9);

    let layout = layout();
    let options = GuidanceOptions::default();
    let mut guidance =
        GradientGuidance::new(Lookahead::Posterior, objective(), 0.1, options).unwrap();
    let info = kinograd_diffusion::StepInfo {
        index: 0,
        total: 1,
        repeat: 0,
        pair: steps()[5],
        layout: &layout,
    };
    let mut model = denoiser();
    let edited = guidance
        .predict(&mut Model::differentiable(&mut model), &x_t, &info)
        .unwrap();
    use kinograd_diffusion::Denoiser;
    let plain = model.denoise(&x_t, level).unwrap();
    let log_likelihood = |x: &ArrayD<f32>| {
        let x0 = denoiser().denoise(x, level).unwrap();
        let of = |sample: ndarray::ArrayViewD<f32>| {
            let dot: f64 = sample.iter().zip(&g).map(|(&x, g)| f64::from(x) * g).sum();
            -(1.5 - dot).powi(2) / (2.0 * variance)
        };
        x0.axis_iter(Axis(0)).map(of).sum()
    };
    let score = central_difference(log_likelihood, &x_t, 1e-2);
    let expected = plain.mapv(f64::from) + score * (h / signal);
    assert_close(&edited, &expected, Tolerance::Approximate);
}

mod special_cases {
    use super::*;

    fn tfg(family: TfgOptions, squared: bool) -> Tfg<'static> {
        Tfg::new(family, residual(squared), scaled(1.0)).unwrap()
    }

    const RHO_ONLY: TfgOptions = TfgOptions {
        rho: Strength {
            size: 1.0,
            schedule: StepSchedule::Constant,
        },
        mu: Strength::ZERO,
        sigma: Strength::ZERO,
        iterations: 0,
        recurrences: 1,
        draws: 1,
        seed: 0,
        noise: EditNoise::Keep,
    };

    #[track_caller]
    fn equal(mut special: impl Guidance, mut general: Tfg<'_>) {
        assert_eq!(special.needs_gradient(), general.needs_gradient());
        let expected = walk(&mut special, 0.0);
        let free = walk(&mut Idle, 0.0);
        assert!(
            expected.shape() != free.shape() || (&expected - &free).iter().any(|d| d.abs() > 0.05)
        );
        assert_close(&walk(&mut general, 0.0), &expected, EQUAL);
    }

    /// Guides nothing.
    struct Idle;

    impl Guidance for Idle {
        fn name(&self) -> &str {
            "idle"
        }
        fn needs_gradient(&self) -> bool {
            false
        }
        fn begin(&mut self, _: &Layout) -> Result<(), kinograd_diffusion::DiffusionError> {
            Ok(())
        }
        fn predict(
            &mut self,
            model: &mut Model<'_>,
            x_t: &ArrayD<f32>,
            step: &kinograd_diffusion::StepInfo<'_>,
        ) -> Result<ArrayD<f32>, kinograd_diffusion::DiffusionError> {
            model.denoise(x_t, step.pair.from)
        }
        fn correct(
            &mut self,
            _: &mut ArrayD<f32>,
            _: &ArrayD<f32>,
            _: &ArrayD<f32>,
            _: &kinograd_diffusion::StepInfo<'_>,
        ) -> Result<(), kinograd_diffusion::DiffusionError> {
            Ok(())
        }
    }

    #[test]
    fn dps() {
        let dps = LossGuidance::new(Dps, residual(true), scaled(0.3)).unwrap();
        // DPS descends the residual's norm; it is given its square.
        let course = |pair: StepPair| 0.3 * pair.alpha().sqrt();
        let general = tfg(RHO_ONLY, false).with_schedules(course, |_| 0.0, |_| 0.0);
        equal(dps, general);
    }

    #[test]
    fn lgd_mc() {
        let rule = LgdMc::with_draws(5, 3).unwrap();
        let lgd = LossGuidance::new(rule, residual(true), scaled(0.05)).unwrap();
        let family = TfgOptions {
            draws: 5,
            seed: 3,
            ..RHO_ONLY
        };
        let general = tfg(family, true).with_schedules(
            |pair| 0.05 * pair.alpha().sqrt(),
            |_| 0.0,
            |pair| pair.from.noise_variance().sqrt(),
        );
        equal(lgd, general);
    }

    #[test]
    fn freedom_with_its_time_travel() {
        let freedom = LossGuidance::new(FreeDom, residual(true), scaled(0.05)).unwrap();
        let family = TfgOptions {
            recurrences: 2,
            ..RHO_ONLY
        };
        let general = tfg(family, true).with_schedules(
            |pair| 0.05 * (pair.alpha() * pair.from.alpha_bar).sqrt(),
            |_| 0.0,
            |_| 0.0,
        );
        equal(TimeTravel::new(freedom, 2, LATE).unwrap(), general);
    }

    #[test]
    fn mpgd() {
        let mpgd = LossGuidance::new(Mpgd, residual(true), scaled(0.04)).unwrap();
        let family = TfgOptions {
            rho: Strength::ZERO,
            mu: strength(0.04, StepSchedule::Constant),
            iterations: 1,
            ..RHO_ONLY
        };
        equal(mpgd, tfg(family, true));
    }

    #[test]
    fn ugd_with_both_parts_and_recurrence() {
        let universal = UgdOptions {
            forward: 0.05,
            backward_steps: 3,
            backward: 0.04,
            recurrences: 2,
        };
        let ugd = Ugd::new(universal, residual(true), scaled(1.0)).unwrap();
        let family = TfgOptions {
            iterations: 3,
            recurrences: 2,
            noise: EditNoise::Follow,
            ..RHO_ONLY
        };
        let general = tfg(family, true).with_schedules(
            |pair| {
                let (ab, next) = (pair.from.alpha_bar, pair.to.alpha_bar);
                let kappa = (next * (1.0 - ab) / ab).sqrt() - (1.0 - next).sqrt();
                0.05 * (1.0 - ab).sqrt() * kappa * pair.alpha().sqrt()
            },
            |_| 0.04,
            |_| 0.0,
        );
        equal(ugd, general);
    }
}

#[test]
fn schedules_have_their_stated_values_and_means() {
    let steps = steps();
    let pair = steps[4];
    let alpha = pair.from.alpha_bar / pair.to.alpha_bar;
    for (schedule, expected) in [
        (StepSchedule::Constant, 1.0),
        (StepSchedule::Rising, alpha),
        (StepSchedule::Falling, 1.0 - alpha),
        (StepSchedule::Signal, pair.from.alpha_bar.sqrt()),
        (StepSchedule::Noise, (1.0 - pair.from.alpha_bar).sqrt()),
        (StepSchedule::Posterior, pair.posterior_std()),
    ] {
        assert!((schedule.value(pair) - expected).abs() < 1e-12);
        let over = strength(2.0, schedule).over(&steps);
        let mean: f64 = steps
            .iter()
            .map(|&p| over.size * schedule.value(p))
            .sum::<f64>()
            / 10.0;
        assert!((mean - 2.0).abs() < 1e-12, "{schedule:?}");
    }
    // FreeDoM's √ᾱ is the signal schedule on a constant rule.
    let lgd = |schedule| {
        let options = GuidanceOptions {
            schedule,
            ..scaled(0.05)
        };
        let rule = LgdMc::with_draws(1, 0).unwrap();
        walk(
            &mut LossGuidance::new(rule, residual(true), options).unwrap(),
            0.0,
        )
    };
    assert_ne!(lgd(StepSchedule::Signal), lgd(StepSchedule::Constant));
}

/// With weight 1 every move of DSG goes down the gradient and has the length of the noise.
#[test]
fn dsg_moves_on_the_sphere() {
    let mut path = Vec::new();
    let mut guidance = Dsg::new(1.0, residual(true), scaled(1.0)).unwrap();
    let mut before = start();
    sample(
        &mut Model::differentiable(&mut denoiser()),
        &mut Ddim::new(1.0).unwrap(),
        &steps(),
        &layout(),
        &mut RecordedNoise::new(golden().f32("draws")),
        Some(&mut guidance),
        &mut |progress: &Progress<'_>| {
            path.push((
                before.clone(),
                progress.x0.clone(),
                progress.x_next.clone(),
                progress.pair,
            ));
            before = progress.x_next.clone();
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    let mut checked = 0;
    for (x_t, x0, x_next, pair) in path {
        let std = pair.posterior_std();
        if !LATE.contains(pair) || std == 0.0 {
            continue;
        }
        let variance = pair.from.noise_variance();
        let on_noisy = pair.alpha().sqrt() * pair.to.noise_variance() / variance;
        let on_clean = pair.to.alpha_bar.sqrt() * (1.0 - pair.alpha()) / variance;
        for sample in 0..2 {
            let part = |x: &ArrayD<f32>| x.index_axis(Axis(0), sample).mapv(f64::from);
            let offset = part(&x_next) - part(&x_t) * on_noisy - part(&x0) * on_clean;
            let length = offset.mapv(|o| o * o).sum().sqrt();
            assert!((length - 6.0_f64.sqrt() * std).abs() < 1e-5);
            checked += 1;
        }
    }
    assert!(checked >= 10);
}

#[test]
fn bad_options_name_their_field() {
    let message = |result: Result<(), GuidanceError>| result.unwrap_err().to_string();
    let fine = scaled(1.0);
    let universal = UgdOptions {
        backward: -1.0,
        ..UgdOptions::default()
    };
    assert!(message(Ugd::new(universal, residual(true), fine).map(|_| ())).contains("backward"));
    let family = TfgOptions {
        recurrences: 0,
        ..TfgOptions::default()
    };
    assert!(message(Tfg::new(family, residual(true), fine).map(|_| ())).contains("recurrences"));
    let family = TfgOptions {
        mu: strength(f64::NAN, StepSchedule::Constant),
        ..TfgOptions::default()
    };
    assert!(message(Tfg::new(family, residual(true), fine).map(|_| ())).contains("mu"));
    assert!(message(Dsg::new(1.5, residual(true), fine).map(|_| ())).contains("weight"));
    assert!(message(AdamDps::new([0.9, 1.0]).map(|_| ())).contains("decay"));
    assert!(message(LgdMc::with_draws(0, 0).map(|_| ())).contains("draws"));
    let options = NoiseOptions {
        learning_rate: f64::INFINITY,
        ..NoiseOptions::default()
    };
    let optimizer = NoiseOptimizer::new(options, residual(true)).map(|_| ());
    assert!(message(optimizer).contains("learning_rate"));
    let mut wrong = objective();
    wrong.values[0] = f64::NAN;
    let guidance = GradientGuidance::new(Lookahead::Loss, wrong, 0.1, fine);
    assert!(message(guidance.map(|_| ())).contains("objective"));
    let metric = LinearProjection::new(constraints(0.0), fine).unwrap();
    assert!(message(metric.with_metric(vec![0.0]).map(|_| ())).contains("metric"));
}

/// A NaN stops the run, whatever the method, and says where.
#[test]
fn a_nan_names_method_step_and_loss() {
    for method in kinograd_guidance::Method::stepwise() {
        if method == kinograd_guidance::Method::Projection {
            continue;
        }
        let broken = ClosureLoss::new("broken", |x0: &ArrayD<f32>| {
            Ok((vec![f64::NAN; x0.len_of(Axis(0))], x0.clone()))
        });
        let objective = kinograd_guidance::Objective::of(broken);
        let guidance = method.guide(objective, GuidanceOptions::default());
        let mut guidance = guidance.unwrap().unwrap();
        let error = sample(
            &mut Model::differentiable(&mut denoiser()),
            &mut Ddim::default(),
            &steps(),
            &layout(),
            &mut RecordedNoise::new(golden().f32("draws")),
            Some(guidance.as_mut()),
            &mut NoObserver,
        )
        .unwrap_err();
        let chain = format!("{error}: {}", std::error::Error::source(&error).unwrap());
        for part in [method.name(), "timestep 999", "broken", "sample 0"] {
            assert!(chain.contains(part), "{method}: {chain}");
        }
    }
}
