//! Whole trajectories against diffusers and k-diffusion, with the exact denoiser of Gaussian data.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;

use kinograd_diffusion::{
    Ddim, Ddpm, DpmSolverPp2m, Heun, Layout, Model, NoiseSchedule, Progress, Sampler, Spacing,
    StepPair, sample,
};
use kinograd_testkit::{GaussianDenoiser, Golden, RecordedNoise, Tolerance, assert_close};
use ndarray::{ArrayD, Axis, Ix1, Ix2, stack};

fn denoiser(golden: &Golden) -> GaussianDenoiser {
    GaussianDenoiser::new(
        golden.f64("mean").into_dimensionality::<Ix1>().unwrap(),
        golden
            .f64("covariance")
            .into_dimensionality::<Ix2>()
            .unwrap(),
    )
}

/// Every `x_{t−1}` of a run, `[steps, batch, ...]`, and the number of noise draws.
fn walk(golden: &Golden, sampler: &mut dyn Sampler, steps: &[StepPair]) -> (ArrayD<f32>, usize) {
    let mut model = denoiser(golden);
    let mut noise = RecordedNoise::new(golden.f32("draws"));
    let mut path = Vec::new();
    sample(
        &mut Model::differentiable(&mut model),
        sampler,
        steps,
        &Layout::full(&[2, 1, 4]).unwrap(),
        &mut noise,
        None,
        &mut |progress: &Progress<'_>| {
            path.push(progress.x_next.clone());
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    let views: Vec<_> = path.iter().map(|x| x.view()).collect();
    (stack(Axis(0), &views).unwrap(), noise.taken())
}

fn schedule(name: &str) -> NoiseSchedule {
    match name {
        "cosine" => NoiseSchedule::cosine(1000).unwrap(),
        _ => NoiseSchedule::linear(1000, 1e-4, 0.02).unwrap(),
    }
}

/// The timesteps that diffusers chose must be ours too.
fn steps(golden: &Golden, name: &str, schedule: &NoiseSchedule, spacing: Spacing) -> Vec<StepPair> {
    let expected = golden.list(&format!("{name}_t"));
    let steps = schedule.steps(spacing, expected.len()).unwrap();
    let got: Vec<f64> = steps.iter().map(|pair| pair.from.timestep).collect();
    assert_eq!(got, expected, "{name}");
    steps
}

#[test]
fn ddim_follows_diffusers() {
    let golden = Golden::new("sampler_diffusers");
    for kind in ["cosine", "linear"] {
        for (spacing_name, spacing) in [
            ("trailing", Spacing::Trailing),
            ("leading", Spacing::Leading),
        ] {
            for (eta_name, eta) in [("0", 0.0), ("7", 0.7)] {
                let name = format!("ddim_{kind}_{spacing_name}_{eta_name}");
                let pairs = steps(&golden, &name, &schedule(kind), spacing);
                assert_fixed_stride(&pairs, &schedule(kind));
                let (path, _) = walk(&golden, &mut Ddim::new(eta).unwrap(), &pairs);
                assert_close(&path, &golden.f64(&name), Tolerance::Approximate);
            }
        }
    }
}

/// diffusers' DDIM steps from t to t − 1000/steps, which is what explicit pairs give as well.
fn assert_fixed_stride(pairs: &[StepPair], schedule: &NoiseSchedule) {
    for pair in pairs.iter().filter(|pair| pair.to.alpha_bar < 1.0) {
        assert_eq!(pair.to, schedule.level(pair.from.timestep - 100.0).unwrap());
    }
}

#[test]
fn ddpm_follows_diffusers() {
    let golden = Golden::new("sampler_diffusers");
    for kind in ["cosine", "linear"] {
        let name = format!("ddpm_{kind}");
        let pairs = steps(&golden, &name, &schedule(kind), Spacing::Leading);
        let (path, draws) = walk(&golden, &mut Ddpm, &pairs);
        assert_close(&path, &golden.f64(&name), Tolerance::Approximate);
        assert_eq!(draws, pairs.len(), "x_T and every step but the last");
    }
}

#[test]
fn dpm_solver_follows_diffusers() {
    let golden = Golden::new("sampler_diffusers");
    for kind in ["cosine", "linear"] {
        for count in [8, 20] {
            let name = format!("dpmpp_{kind}_{count}");
            let pairs = steps(&golden, &name, &schedule(kind), Spacing::Trailing);
            let (path, draws) = walk(&golden, &mut DpmSolverPp2m::new(), &pairs);
            assert_close(&path, &golden.f64(&name), Tolerance::Approximate);
            assert_eq!(draws, 1);
        }
    }
}

#[test]
fn heun_and_dpm_solver_follow_k_diffusion() {
    let golden = Golden::new("sampler_k_diffusion");
    let pairs = StepPair::from_sigmas(&golden.list("sigmas")).unwrap();
    for (name, sampler) in [
        ("heun", &mut Heun as &mut dyn Sampler),
        ("dpmpp_2m", &mut DpmSolverPp2m::new()),
    ] {
        let (path, _) = walk(&golden, sampler, &pairs);
        assert_close(&path, &golden.f64(name), Tolerance::Approximate);
    }
}
