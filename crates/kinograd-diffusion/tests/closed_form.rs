//! With Gaussian data the probability-flow ODE has a closed-form solution, and so has every draw's
//! distribution.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;

use kinograd_diffusion::{
    ClassifierFree, Consistency, Ddim, Ddpm, Denoiser, DifferentiableDenoiser, DiffusionError,
    DpmSolverPp2m, Guidance, Heun, Layout, Model, NoObserver, NoiseLevel, NoiseSchedule,
    NoiseSource, Progress, Sampler, SeededNoise, Spacing, StepInfo, StepPair, sample, sample_from,
};
use kinograd_testkit::{
    GaussianDenoiser, Tolerance, assert_close, central_difference, inner_product,
};
use ndarray::{ArrayD, Axis, IxDyn, Slice, array};

const MEAN: f64 = 0.7;
const VARIANCE: f64 = 0.25;

/// Error at the end of the ODE from σ = 4 to σ = 0.05 in `count` steps, even in log σ.
fn ode_error(sampler: &mut dyn Sampler, count: usize) -> f64 {
    let (first, last) = (4.0_f64, 0.05_f64);
    let sigmas: Vec<f64> = (0..=count)
        .map(|i| first * (last / first).powf(i as f64 / count as f64))
        .collect();
    let pairs = StepPair::from_sigmas(&sigmas).unwrap();
    let start = 1.3_f64;
    let layout = Layout::full(&[1, 1]).unwrap();
    let mut denoiser = GaussianDenoiser::isotropic(MEAN, VARIANCE);
    let end = sample_from(
        ArrayD::from_elem(IxDyn(&[1, 1]), start as f32),
        &mut Model::forward_only(&mut denoiser),
        sampler,
        &pairs,
        &layout,
        &mut SeededNoise::new(vec![0]),
        None,
        &mut NoObserver,
    )
    .unwrap();
    // In y = x/√ᾱ the offset from the mean shrinks as √(variance + σ²).
    let y = start * (1.0 + first * first).sqrt();
    let shrink = ((VARIANCE + last * last) / (VARIANCE + first * first)).sqrt();
    let exact = (MEAN + (y - MEAN) * shrink) / (1.0 + last * last).sqrt();
    (f64::from(end[[0, 0]]) - exact).abs()
}

#[test]
fn halving_the_step_halves_the_error_of_euler_and_quarters_that_of_second_order() {
    // 16 to 64 steps: fewer are not yet asymptotic, more drown in the rounding of f32.
    for (name, sampler, order) in [
        ("ddim", &mut Ddim::default() as &mut dyn Sampler, 1.0),
        ("dpmpp-2m", &mut DpmSolverPp2m::new(), 2.0),
        ("heun", &mut Heun, 2.0),
    ] {
        assert_eq!(sampler.name(), name);
        let errors = [16, 32, 64].map(|count| ode_error(sampler, count));
        for pair in errors.windows(2) {
            let measured = (pair[0] / pair[1]).log2();
            assert!((measured - order).abs() < 0.3, "{name}: {errors:?}");
        }
    }
}

#[test]
fn samples_have_the_moments_of_the_data() {
    let steps = NoiseSchedule::cosine(1000)
        .unwrap()
        .steps(Spacing::Trailing, 200)
        .unwrap();
    for (name, sampler) in [
        ("ddpm", &mut Ddpm as &mut dyn Sampler),
        ("ddim", &mut Ddim::default()),
        ("dpmpp", &mut DpmSolverPp2m::new()),
    ] {
        let mut denoiser = GaussianDenoiser::isotropic(MEAN, VARIANCE);
        let samples = sample(
            &mut Model::forward_only(&mut denoiser),
            sampler,
            &steps,
            &Layout::full(&[1, 20_000]).unwrap(),
            &mut SeededNoise::new(vec![3]),
            None,
            &mut NoObserver,
        )
        .unwrap()
        .mapv(f64::from);
        let mean = samples.mean().unwrap();
        let variance = samples.mapv(|x| (x - mean).powi(2)).mean().unwrap();
        // Five deviations of the estimates over 20,000 values, and 2 % for the steps.
        assert!(
            (mean - MEAN).abs() < 5.0 * (VARIANCE / 2e4_f64).sqrt(),
            "{name}: {mean}"
        );
        let spread = 5.0 * VARIANCE * (2.0 / 2e4_f64).sqrt() + 0.02 * VARIANCE;
        assert!((variance - VARIANCE).abs() < spread, "{name}: {variance}");
    }
}

/// Where the probability-flow ODE leads from x_t for Gaussian data: what a consistency model learns.
struct ConsistencyFunction;

/// By which factor the ODE shrinks the distance from the mean in x/√ᾱ.
fn shrink(level: NoiseLevel) -> f64 {
    let sigma_2 = level.noise_variance() / level.alpha_bar;
    (VARIANCE / (VARIANCE + sigma_2)).sqrt()
}

impl Denoiser for ConsistencyFunction {
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let (signal, shrink) = (level.alpha_bar.sqrt(), shrink(level));
        Ok(x_t.mapv(|x| (MEAN + (f64::from(x) / signal - MEAN) * shrink) as f32))
    }
}

/// Mean and variance follow through the steps, and come to those of the data.
#[test]
fn consistency_sampling_has_the_moments_of_the_data_in_one_step_and_in_four() {
    let schedule = NoiseSchedule::scaled_linear(1000, 0.00085, 0.012).unwrap();
    for count in [1, 2, 4] {
        let steps = schedule
            .steps(Spacing::Distilled { levels: 50 }, count)
            .unwrap();
        let samples = sample(
            &mut Model::forward_only(&mut ConsistencyFunction),
            &mut Consistency,
            &steps,
            &Layout::full(&[1, 20_000]).unwrap(),
            &mut SeededNoise::new(vec![3]),
            None,
            &mut NoObserver,
        )
        .unwrap()
        .mapv(f64::from);
        // Of x/√ᾱ; the noise that a run starts from has no signal at all.
        let first = steps[0].from;
        let (mut mean, mut variance) = (0.0, 1.0 / first.alpha_bar);
        for pair in &steps {
            let factor = shrink(pair.from);
            mean = MEAN + (mean - MEAN) * factor;
            variance *= factor * factor;
            variance += pair.to.noise_variance() / pair.to.alpha_bar;
        }
        assert!((mean - MEAN).abs() < 0.03 && (variance - VARIANCE).abs() < 0.01);
        let found = samples.mean().unwrap();
        let spread = samples.mapv(|x| (x - found).powi(2)).mean().unwrap();
        // Five deviations of the estimates over 20,000 values.
        let off = (found - mean).abs();
        assert!(
            off < 5.0 * (variance / 2e4_f64).sqrt(),
            "{count}: {found}, {mean}"
        );
        let off = (spread - variance).abs();
        assert!(
            off < 5.0 * variance * (2.0 / 2e4_f64).sqrt(),
            "{count}: {spread}, {variance}"
        );
    }
}

#[test]
fn a_batch_gives_what_its_samples_give_alone() {
    let steps = NoiseSchedule::linear(1000, 1e-4, 0.02)
        .unwrap()
        .steps(Spacing::Leading, 9)
        .unwrap();
    let run = |seeds: Vec<u64>| {
        let mut denoiser = GaussianDenoiser::isotropic(MEAN, VARIANCE);
        sample(
            &mut Model::forward_only(&mut denoiser),
            &mut Ddim::new(1.0).unwrap(),
            &steps,
            &Layout::full(&[seeds.len(), 5, 2]).unwrap(),
            &mut SeededNoise::new(seeds),
            None,
            &mut NoObserver,
        )
        .unwrap()
    };
    let batch = run(vec![5, 6, 7]);
    for (index, seed) in [5, 6, 7].into_iter().enumerate() {
        let alone = run(vec![seed]);
        let part = batch.slice_axis(Axis(0), Slice::from(index..=index));
        assert_eq!(part, alone.view());
    }
}

/// A denoiser whose halves of the batch have different data.
struct Halves(GaussianDenoiser, GaussianDenoiser);

impl Denoiser for Halves {
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        Ok(self.linearize(x_t, level)?.0)
    }
}

impl DifferentiableDenoiser for Halves {
    fn linearize<'a>(
        &'a mut self,
        x_t: &ArrayD<f32>,
        level: NoiseLevel,
    ) -> Result<(ArrayD<f32>, kinograd_diffusion::PullBack<'a>), DiffusionError> {
        let half = x_t.len_of(Axis(0)).div_ceil(2);
        let split = move |x: &ArrayD<f32>| {
            let (first, second) = x.view().split_at(Axis(0), half);
            (first.into_owned(), second.into_owned())
        };
        let join = |first: ArrayD<f32>, second: ArrayD<f32>| {
            ndarray::concatenate(Axis(0), &[first.view(), second.view()]).unwrap()
        };
        let (first, second) = split(x_t);
        let (x0_first, mut back_first) = self.0.linearize(&first, level)?;
        let (x0_second, mut back_second) = self.1.linearize(&second, level)?;
        let back = move |v: &ArrayD<f32>| {
            let (first, second) = split(v);
            Ok(join(back_first(&first)?, back_second(&second)?))
        };
        Ok((join(x0_first, x0_second), Box::new(back)))
    }
}

#[test]
fn classifier_free_guidance_extrapolates_and_pulls_back() {
    let level = NoiseLevel {
        timestep: 0.0,
        alpha_bar: 0.4,
    };
    let conditional = GaussianDenoiser::isotropic(1.0, 0.5);
    let unconditional = GaussianDenoiser::isotropic(-0.5, 2.0);
    let x = array![[0.2_f32, -1.0], [0.9, 0.1]].into_dyn();
    let v = array![[1.0_f32, 2.0], [-1.0, 0.5]].into_dyn();
    let with = |scale| {
        ClassifierFree::new(Halves(conditional.clone(), unconditional.clone()), scale).unwrap()
    };
    let c = conditional.clone().denoise(&x, level).unwrap();
    let u = unconditional.clone().denoise(&x, level).unwrap();
    let expected = &u + &((&c - &u) * 2.5);
    assert_close(
        &with(2.5).denoise(&x, level).unwrap(),
        &expected,
        Tolerance::Close,
    );
    assert_close(&with(1.0).denoise(&x, level).unwrap(), &c, Tolerance::Close);
    assert_close(&with(0.0).denoise(&x, level).unwrap(), &u, Tolerance::Close);

    let mut model = with(2.5);
    let (x0, mut pull_back) = model.linearize(&x, level).unwrap();
    assert_close(&x0, &expected, Tolerance::Close);
    let got = pull_back(&v).unwrap();
    let f = |x: &ArrayD<f32>| inner_product(&with(2.5).denoise(x, level).unwrap(), &v);
    assert_close(
        &got,
        &central_difference(f, &x, 1e-2),
        Tolerance::Approximate,
    );
    assert!(ClassifierFree::new(Halves(conditional, unconditional), f64::NAN).is_err());
}

#[test]
fn an_observer_sees_every_step_and_can_stop() {
    let steps = NoiseSchedule::cosine(100)
        .unwrap()
        .steps(Spacing::Trailing, 10)
        .unwrap();
    let mut seen = Vec::new();
    let mut denoiser = GaussianDenoiser::isotropic(MEAN, VARIANCE);
    let result = sample(
        &mut Model::forward_only(&mut denoiser),
        &mut Ddpm,
        &steps,
        &Layout::full(&[1, 2]).unwrap(),
        &mut SeededNoise::new(vec![0]),
        None,
        &mut |progress: &Progress<'_>| {
            seen.push((progress.index, progress.total, progress.calls));
            if progress.index == 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    );
    assert!(matches!(result, Err(DiffusionError::Cancelled)));
    assert_eq!(seen, [(0, 10, 1), (1, 10, 2), (2, 10, 3), (3, 10, 4)]);
}

/// A model whose output is broken in a way of choice.
struct Broken(fn(&ArrayD<f32>) -> ArrayD<f32>);

impl Denoiser for Broken {
    fn denoise(
        &mut self,
        x_t: &ArrayD<f32>,
        _level: NoiseLevel,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        Ok((self.0)(x_t))
    }
}

fn run_forward_only(
    model: &mut dyn Denoiser,
    steps: &[StepPair],
    seeds: Vec<u64>,
    guidance: Option<&mut dyn Guidance>,
) -> Result<ArrayD<f32>, DiffusionError> {
    sample(
        &mut Model::forward_only(model),
        &mut Ddim::default(),
        steps,
        &Layout::full(&[1, 2])?,
        &mut SeededNoise::new(seeds),
        guidance.map(|guidance| guidance as _),
        &mut NoObserver,
    )
}

#[test]
fn faults_are_named_and_do_not_panic() {
    let steps = NoiseSchedule::cosine(100)
        .unwrap()
        .steps(Spacing::Trailing, 5)
        .unwrap();
    let nan = |x: &ArrayD<f32>| x.mapv(|_| f32::NAN);
    let short = |_: &ArrayD<f32>| ArrayD::zeros(IxDyn(&[1, 1]));
    let fine = |x: &ArrayD<f32>| x.clone();
    let result = run_forward_only(&mut Broken(nan), &steps, vec![0], None);
    assert!(matches!(
        result,
        Err(DiffusionError::NonFinite { timestep, .. }) if timestep == 99.0
    ));
    let result = run_forward_only(&mut Broken(short), &steps, vec![0], None);
    assert!(matches!(result, Err(DiffusionError::Shape { .. })));
    let result = run_forward_only(&mut Broken(fine), &[], vec![0], None);
    assert!(matches!(result, Err(DiffusionError::Parameter { .. })));
    let result = run_forward_only(&mut Broken(fine), &steps, vec![0, 1], None);
    assert!(matches!(result, Err(DiffusionError::Shape { .. })));
    let result = run_forward_only(&mut Broken(fine), &steps, vec![0], Some(&mut Steering));
    assert!(matches!(result, Err(DiffusionError::NoGradient)));
    assert!(Layout::full(&[2]).is_err());
    assert!(Layout::full(&[0, 3]).is_err());
    assert!(Layout::with_lengths(&[2, 3], vec![3, 4]).is_err());
    assert!(Layout::with_lengths(&[2, 3], vec![3]).is_err());
    assert!(Ddim::new(-0.1).is_err());
}

/// Pulls x̂0 to 0 and counts what it is asked for.
struct Steering;

impl Guidance for Steering {
    fn name(&self) -> &str {
        "steering"
    }

    fn needs_gradient(&self) -> bool {
        true
    }

    fn predict(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        let (x0, _) = model.linearize(x_t, step.pair.from)?;
        Ok(x0 * 0.0)
    }

    fn correct(
        &mut self,
        x_next: &mut ArrayD<f32>,
        _x_t: &ArrayD<f32>,
        _x0: &ArrayD<f32>,
        _step: &StepInfo<'_>,
    ) -> Result<(), DiffusionError> {
        *x_next += 0.125;
        Ok(())
    }

    fn visits(&self, _step: &StepInfo<'_>) -> usize {
        3
    }
}

/// Ends in NaN.
struct Runaway;

impl Guidance for Runaway {
    fn name(&self) -> &str {
        "runaway"
    }

    fn needs_gradient(&self) -> bool {
        false
    }

    fn predict(
        &mut self,
        model: &mut Model<'_>,
        x_t: &ArrayD<f32>,
        step: &StepInfo<'_>,
    ) -> Result<ArrayD<f32>, DiffusionError> {
        model.denoise(x_t, step.pair.from)
    }

    fn correct(
        &mut self,
        x_next: &mut ArrayD<f32>,
        _x_t: &ArrayD<f32>,
        _x0: &ArrayD<f32>,
        _step: &StepInfo<'_>,
    ) -> Result<(), DiffusionError> {
        x_next.fill(f32::NAN);
        Ok(())
    }
}

#[test]
fn a_method_that_breaks_down_is_named() {
    let schedule = NoiseSchedule::cosine(100).unwrap();
    let steps = schedule.steps(Spacing::Trailing, 2).unwrap();
    let mut denoiser = GaussianDenoiser::isotropic(MEAN, VARIANCE);
    let result = run_forward_only(&mut denoiser, &steps, vec![0], Some(&mut Runaway));
    assert!(matches!(result, Err(DiffusionError::Guidance { method, .. }) if method == "runaway"));
}

#[test]
fn guidance_enters_at_both_seams_and_time_travel_redraws() {
    let steps = NoiseSchedule::cosine(100)
        .unwrap()
        .steps(Spacing::Trailing, 4)
        .unwrap();
    let mut denoiser = GaussianDenoiser::isotropic(MEAN, VARIANCE);
    let mut noise = SeededNoise::new(vec![0]);
    let mut repeats = Vec::new();
    let end = sample(
        &mut Model::differentiable(&mut denoiser),
        &mut Ddim::default(),
        &steps,
        &Layout::full(&[1, 2]).unwrap(),
        &mut noise,
        Some(&mut Steering),
        &mut |progress: &Progress<'_>| {
            repeats.push((progress.index, progress.repeat));
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    // The last step goes to x̂0 itself, which is 0, and is then moved.
    assert_eq!(end, ArrayD::from_elem(IxDyn(&[1, 2]), 0.125_f32));
    assert_eq!(repeats.len(), 12);
    assert_eq!(repeats[..4], [(0, 0), (0, 1), (0, 2), (1, 0)]);
    // x_T and two ways back in each of four steps: the next draw is the tenth.
    let mut next = ArrayD::zeros(IxDyn(&[1, 2]));
    noise.fill(&mut next).unwrap();
    let mut fresh = SeededNoise::new(vec![0]);
    let mut expected = next.clone();
    for _ in 0..10 {
        fresh.fill(&mut expected).unwrap();
    }
    assert_eq!(next, expected);
}
