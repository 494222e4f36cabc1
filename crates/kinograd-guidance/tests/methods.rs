//! Whole guided trajectories against a NumPy statement of the papers, and closed forms.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;

use kinograd_diffusion::{
    Ddim, Guidance, Layout, Model, NoObserver, NoiseSchedule, Progress, SeededNoise, Spacing,
    StepPair, sample,
};
use kinograd_guidance::{
    CappedPolyak, ClosureLoss, Dps, FreeDom, GuidanceError, GuidanceOptions, Loss, LossGuidance,
    Method, Mpgd, NormalizedGradient, Objective, Polyak, SampleStep, StepRule, TimeTravel,
    TimestepInterval,
};
use kinograd_testkit::{GaussianDenoiser, Golden, RecordedNoise, Tolerance, assert_close};
use ndarray::{Array1, ArrayD, Axis, Ix1, Ix2, stack};

const GRADIENT_METHODS: [Method; 6] = [
    Method::Dps,
    Method::FreeDom,
    Method::Mpgd,
    Method::Polyak,
    Method::PolyakCapped,
    Method::Normalized,
];

fn steps(count: usize) -> Vec<StepPair> {
    let schedule = NoiseSchedule::cosine(1000).unwrap();
    schedule.steps(Spacing::Trailing, count).unwrap()
}

/// ‖A x̂0 − y‖² per sample.
fn residual_loss(golden: &Golden) -> impl Loss + use<> {
    let a = golden.f64("A").into_dimensionality::<Ix2>().unwrap();
    let y = golden.f64("y").into_dimensionality::<Ix2>().unwrap();
    ClosureLoss::new("residual", move |x0: &ArrayD<f32>| {
        let mut gradient = x0.clone();
        let mut values = Vec::new();
        for (sample, mut out) in gradient.axis_iter_mut(Axis(0)).enumerate() {
            let x: Array1<f64> = out.iter().map(|&v| f64::from(v)).collect();
            let residual = a.dot(&x) - y.row(sample);
            for (out, g) in out.iter_mut().zip(a.t().dot(&residual)) {
                *out = (2.0 * g) as f32;
            }
            values.push(residual.dot(&residual));
        }
        Ok((values, gradient))
    })
}

/// Every `x_{t−1}` of a guided run of the golden's set-up.
fn walk(golden: &Golden, guidance: &mut dyn Guidance) -> ArrayD<f32> {
    let mut denoiser = GaussianDenoiser::new(
        golden.f64("mean").into_dimensionality::<Ix1>().unwrap(),
        golden
            .f64("covariance")
            .into_dimensionality::<Ix2>()
            .unwrap(),
    );
    let mut path = Vec::new();
    sample(
        &mut Model::differentiable(&mut denoiser),
        &mut Ddim::default(),
        &steps(12),
        &Layout::full(&[2, 3, 2]).unwrap(),
        &mut RecordedNoise::new(golden.f32("draws")),
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

const TOLERANCE: Tolerance = Tolerance::Within {
    absolute: 5e-4,
    relative: 5e-4,
};

/// The method following one loss.
fn guide<'a>(
    method: Method,
    loss: impl Loss + 'a,
    options: GuidanceOptions,
) -> Result<Box<dyn Guidance + 'a>, GuidanceError> {
    Ok(method.guide(Objective::of(loss), options)?.unwrap())
}

#[test]
fn every_method_follows_its_paper() {
    let golden = Golden::new("guidance_methods");
    for method in GRADIENT_METHODS {
        let interval = if method == Method::Polyak {
            within(200.0, 900.0)
        } else {
            TimestepInterval::ALL
        };
        let options = GuidanceOptions {
            scale: golden.list(&format!("{method}_scale"))[0],
            interval,
            ..GuidanceOptions::default()
        };
        let mut guidance = guide(method, residual_loss(&golden), options).unwrap();
        assert_eq!(guidance.name(), method.name());
        assert_eq!(guidance.needs_gradient(), method.needs_gradient());
        let path = walk(&golden, guidance.as_mut());
        assert_close(&path, &golden.f64(method.name()), TOLERANCE);
    }
}

fn within(from_timestep: f64, to_timestep: f64) -> TimestepInterval {
    TimestepInterval {
        from_timestep,
        to_timestep,
    }
}

#[test]
fn interval_and_longest_move_are_kept() {
    let golden = Golden::new("guidance_methods");
    let options = GuidanceOptions {
        scale: 0.3,
        interval: within(200.0, 700.0),
        ..GuidanceOptions::default()
    };
    let mut guidance = LossGuidance::new(Dps, residual_loss(&golden), options).unwrap();
    assert_close(
        &walk(&golden, &mut guidance),
        &golden.f64("interval"),
        TOLERANCE,
    );

    let options = GuidanceOptions {
        scale: 0.5,
        max_step_rms: Some(0.05),
        ..GuidanceOptions::default()
    };
    let mut guidance = LossGuidance::new(FreeDom, residual_loss(&golden), options).unwrap();
    assert_close(
        &walk(&golden, &mut guidance),
        &golden.f64("max_move"),
        TOLERANCE,
    );
}

#[test]
fn time_travel_noises_back_and_repeats() {
    let golden = Golden::new("guidance_methods");
    let options = GuidanceOptions {
        scale: 0.05,
        ..GuidanceOptions::default()
    };
    let inner = LossGuidance::new(FreeDom, residual_loss(&golden), options).unwrap();
    let mut guidance = TimeTravel::new(inner, 3, within(300.0, 800.0)).unwrap();
    assert_close(
        &walk(&golden, &mut guidance),
        &golden.f64("time_travel"),
        TOLERANCE,
    );
}

#[test]
fn without_scale_nothing_changes() {
    let golden = Golden::new("guidance_methods");
    let options = GuidanceOptions {
        scale: 0.0,
        ..GuidanceOptions::default()
    };
    for method in GRADIENT_METHODS {
        let mut guidance = guide(method, residual_loss(&golden), options).unwrap();
        let path = walk(&golden, guidance.as_mut());
        assert_close(&path, &golden.f64("none"), TOLERANCE);
    }
}

#[test]
fn moves_have_their_published_length() {
    let pair = steps(10)[4];
    let at = SampleStep {
        loss: 9.0,
        gradient_norm: 4.0,
        noise_norm: 6.0,
        elements: 25,
        pair,
    };
    let length = |rule: &dyn StepRule, at: &SampleStep| rule.factor(at) * at.gradient_norm;
    // ∇√ℓ is ∇ℓ / (2 √ℓ).
    assert_eq!(length(&Dps, &at), 4.0 / 6.0);
    assert_eq!(length(&FreeDom, &at), 4.0 * pair.from.alpha_bar.sqrt());
    assert_eq!(length(&Mpgd, &at), 4.0 * pair.to.alpha_bar.sqrt());
    assert_eq!(length(&Polyak, &at), 6.0 / 4.0);
    assert_eq!(length(&NormalizedGradient, &at), 1.0);
    let cap = 0.1 * 5.0 * pair.posterior_std();
    assert!(cap < 1.5);
    assert!((length(&CappedPolyak::default(), &at) - cap).abs() < 1e-12);
    let steep = SampleStep {
        gradient_norm: 1e6,
        ..at
    };
    assert!((length(&CappedPolyak::default(), &steep) - 6e-6).abs() < 1e-12);
    // At the optimum of its loss DPS stays.
    assert_eq!(Dps.factor(&SampleStep { loss: 0.0, ..at }), 0.0);
}

/// For white Gaussian data and ℓ = ‖x̂0 − y‖², a run of FreeDoM has a closed form per element.
#[test]
fn freedom_contracts_white_data_as_the_closed_form_says() {
    let (variance, target, scale) = (0.5, 1.25_f64, 0.2);
    let loss = ClosureLoss::new("target", move |x0: &ArrayD<f32>| {
        let offset = x0.mapv(|x| f64::from(x) - target);
        let values = offset.axis_iter(Axis(0)).map(|o| o.mapv(|o| o * o).sum());
        Ok((values.collect(), offset.mapv(|o| (2.0 * o) as f32)))
    });
    let options = GuidanceOptions {
        scale,
        ..GuidanceOptions::default()
    };
    let mut guidance = LossGuidance::new(FreeDom, loss, options).unwrap();
    let start = -0.8_f32;
    let mut denoiser = GaussianDenoiser::isotropic(0.0, variance);
    let pairs = steps(20);
    let end = sample(
        &mut Model::differentiable(&mut denoiser),
        &mut Ddim::default(),
        &pairs,
        &Layout::full(&[1, 1]).unwrap(),
        &mut RecordedNoise::new(ArrayD::from_elem(vec![1, 1, 1], start)),
        Some(&mut guidance),
        &mut NoObserver,
    )
    .unwrap();
    let mut x = f64::from(start);
    for pair in &pairs {
        let (ab, ab_next) = (pair.from.alpha_bar, pair.to.alpha_bar);
        let slope = ab.sqrt() * variance / (ab * variance + 1.0 - ab);
        let x0 = slope * x;
        let eps = (x - ab.sqrt() * x0) / (1.0 - ab).sqrt();
        x = ab_next.sqrt() * x0 + (1.0 - ab_next).sqrt() * eps
            - scale * ab.sqrt() * slope * 2.0 * (x0 - target);
    }
    assert!((f64::from(end[[0, 0]]) - x).abs() < 1e-5);
}

#[test]
fn faults_name_method_step_and_loss() {
    let broken = ClosureLoss::new("broken", |x0: &ArrayD<f32>| {
        Ok((vec![f64::NAN; x0.len_of(Axis(0))], x0.clone()))
    });
    let mut guidance = LossGuidance::new(FreeDom, broken, GuidanceOptions::default()).unwrap();
    let mut denoiser = GaussianDenoiser::isotropic(0.0, 1.0);
    let error = sample(
        &mut Model::differentiable(&mut denoiser),
        &mut Ddim::default(),
        &steps(5),
        &Layout::full(&[2, 3]).unwrap(),
        &mut SeededNoise::new(vec![0, 1]),
        Some(&mut guidance),
        &mut NoObserver,
    )
    .unwrap_err();
    let chain = format!("{error}: {}", std::error::Error::source(&error).unwrap());
    for part in ["freedom", "timestep 999", "broken", "sample 0"] {
        assert!(chain.contains(part), "{chain}");
    }
    let options = |scale| GuidanceOptions {
        scale,
        ..GuidanceOptions::default()
    };
    let fine = || ClosureLoss::new("fine", |x0: &ArrayD<f32>| Ok((vec![0.0], x0.clone())));
    assert!(guide(Method::Dps, fine(), options(-1.0)).is_err());
    assert!(guide(Method::Dps, fine(), options(f64::NAN)).is_err());
    assert!(CappedPolyak::new(0.0).is_err());
    let unknown = "dsp".parse::<Method>().unwrap_err().to_string();
    assert!(
        unknown.contains("dsp") && unknown.contains("dps"),
        "{unknown}"
    );
}
