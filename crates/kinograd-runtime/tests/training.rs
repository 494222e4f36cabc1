//! Training from Rust: against torch's Adam, against closed forms of a small denoiser's gradients, and
//! a fit that has to come down.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs::File;
use std::path::Path;

use common::package::{self, DIMS, FEATURES, Model};
use common::{engines, max_difference, noise};
use kinograd_diffusion::{Denoiser, NoiseLevel, NoiseSchedule};
use kinograd_runtime::{
    Adam, ClipBatch, DenoiserSpec, DenoiserTrainer, OnnxDenoiser, Package, Prediction, Role,
    ScheduleKind, SessionOptions, TrainingClips, WeightChoice,
};
use ndarray::{Array1, Array2, Array3, ArrayD, Axis, Ix2, s};
use ndarray_npy::NpzReader;

#[test]
fn adam_follows_torch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/adam/io.npz");
    let mut npz = NpzReader::new(File::open(path).unwrap()).unwrap();
    let mut read = |name: &str| -> ArrayD<f32> { npz.by_name(name).unwrap() };
    let (weights, gradients, course) = (read("weights"), read("gradients"), read("course"));
    let mut weights = [weights];
    let mut adam = Adam::new(0.01).unwrap();
    for (gradient, expected) in gradients.outer_iter().zip(course.outer_iter()) {
        adam.step(&mut weights, &[gradient.to_owned()]).unwrap();
        let off = max_difference(&weights[0], &expected.to_owned());
        assert!(off < 1e-6, "{off}");
    }
    let before = weights.clone();
    let broken = ArrayD::from_elem(weights[0].raw_dim(), f32::NAN);
    let error = adam.step(&mut weights, &[broken]).unwrap_err().to_string();
    assert!(
        error.contains("gradients of the weights = not finite"),
        "{error}"
    );
    assert_eq!(weights, before);
    assert!(adam.step(&mut weights, &[]).is_err());
    for rate in [0.0, -1.0, f64::NAN] {
        let error = Adam::new(rate).unwrap_err().to_string();
        assert!(error.contains("learning_rate"), "{error}");
    }
}

struct Clips {
    x0: ArrayD<f32>,
    noise: ArrayD<f32>,
    lengths: Vec<usize>,
    levels: Vec<NoiseLevel>,
    condition: Array2<f32>,
}

impl Clips {
    fn new(prediction_seed: u32) -> Self {
        let schedule = NoiseSchedule::cosine(1000).unwrap();
        let condition = noise(2 * DIMS, 41);
        Self {
            x0: package::clips(2, 7, prediction_seed),
            noise: package::clips(2, 7, prediction_seed + 1),
            lengths: vec![7, 5],
            levels: vec![
                schedule.level(300.0).unwrap(),
                schedule.level(720.0).unwrap(),
            ],
            condition: Array2::from_shape_vec((2, DIMS), condition).unwrap(),
        }
    }

    fn view(&self) -> TrainingClips<'_> {
        TrainingClips {
            x0: &self.x0,
            noise: &self.noise,
            lengths: &self.lengths,
            levels: &self.levels,
            condition: &self.condition,
        }
    }
}

fn tiny(folder: &Path, prediction: Prediction) -> Package {
    let mut manifest = package::manifest();
    manifest.prediction = prediction;
    if prediction == Prediction::Flow {
        manifest.schedule.as_mut().unwrap().kind = ScheduleKind::Flow;
    }
    package::write(folder, manifest)
}

fn trainer(
    package: &Package,
    engine: &std::sync::Arc<dyn kinograd_runtime::Engine>,
    choice: &WeightChoice,
) -> Result<DenoiserTrainer, kinograd_runtime::RuntimeError> {
    DenoiserTrainer::open(
        engine,
        &package.model(Role::Denoiser).unwrap(),
        DenoiserSpec::of(package).unwrap(),
        choice,
        0.02,
        &SessionOptions::default(),
    )
}

/// Loss and ∂loss/∂mixing of the tiny denoiser, written out.
fn stated(clips: &Clips, prediction: Prediction) -> (f64, Array2<f32>) {
    let model = Model::new();
    let count: usize = clips.lengths.iter().map(|length| length * FEATURES).sum();
    let mut loss = 0.0;
    let mut on_mixing = Array2::<f32>::zeros((FEATURES, FEATURES));
    for (sample, &length) in clips.lengths.iter().enumerate() {
        let level = clips.levels[sample];
        let (signal, spread) = (
            level.alpha_bar.sqrt() as f32,
            (1.0 - level.alpha_bar).sqrt() as f32,
        );
        let rows = |array: &ArrayD<f32>| -> Array2<f32> {
            let sample = array.index_axis(Axis(0), sample);
            let sample = sample.into_dimensionality::<Ix2>().unwrap();
            sample.slice(s![..length, ..]).to_owned()
        };
        let (x0, n) = (rows(&clips.x0), rows(&clips.noise));
        let is_flow = prediction == Prediction::Flow;
        // A flow's network gets (1 − σ) x0 + σ noise at σ · train_steps.
        let (input, time) = if is_flow {
            let sum = signal + spread;
            (1.0 / sum, 1000.0 * f64::from(spread / sum))
        } else {
            (1.0, level.timestep)
        };
        let x_t = (&x0 * signal + &n * spread) * input;
        let target = match prediction {
            Prediction::X0 => x0,
            Prediction::Epsilon => n,
            Prediction::V => &n * signal - &x0 * spread,
            Prediction::Flow => n - x0,
        };
        let condition: Array1<f32> = clips.condition.row(sample).to_owned();
        let output = model.output(&x_t, &condition, time);
        let gap = &output - &target;
        loss += gap.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>() / count as f64;
        let on_sum = gap * 2.0 / count as f32 * &output.mapv(|y| 1.0 - y * y);
        on_mixing = on_mixing + x_t.t().dot(&on_sum);
    }
    (loss, on_mixing)
}

#[test]
fn loss_and_gradients_have_their_closed_forms() {
    let folder = tempfile::tempdir().unwrap();
    for prediction in [
        Prediction::X0,
        Prediction::Epsilon,
        Prediction::V,
        Prediction::Flow,
    ] {
        let package = tiny(folder.path(), prediction);
        let clips = Clips::new(3);
        let (loss, on_mixing) = stated(&clips, prediction);
        for engine in engines() {
            let mut trainer = trainer(&package, &engine, &WeightChoice::Parameters).unwrap();
            assert_eq!(trainer.names(), ["w", "c"]);
            assert_eq!(trainer.parameters(), FEATURES * (FEATURES + DIMS));
            let (got, gradients) = trainer.loss_and_gradients(&clips.view()).unwrap();
            assert!(
                (got - loss).abs() < 1e-5 * loss,
                "{prediction:?}: {got} {loss}"
            );
            let off = max_difference(&gradients[0], &on_mixing.clone().into_dyn());
            assert!(off < 1e-6, "{prediction:?} on {}: {off}", engine.name());
        }
    }
}

#[test]
fn a_fit_comes_down_and_is_what_the_denoiser_then_is() {
    let folder = tempfile::tempdir().unwrap();
    let package = tiny(folder.path(), Prediction::X0);
    let before = std::fs::read(package.file(Role::Denoiser).unwrap()).unwrap();
    // tanh of something linear in x_t can fit this, and does not from the start.
    let mut clips = Clips::new(7);
    clips.x0.mapv_inplace(|x| 0.5 * x);
    for engine in engines() {
        let mut trainer = trainer(&package, &engine, &WeightChoice::Parameters).unwrap();
        let losses: Vec<f64> = (0..60)
            .map(|_| trainer.step(&clips.view()).unwrap())
            .collect();
        assert!(
            losses[59] < 0.5 * losses[0],
            "{} to {}",
            losses[0],
            losses[59]
        );
        let spec = DenoiserSpec::of(&package).unwrap();
        let original = package.model(Role::Denoiser).unwrap();
        let options = SessionOptions::default();
        let mut denoiser = OnnxDenoiser::new(engine.clone(), original, spec, options);
        denoiser
            .set_batch(ClipBatch {
                condition: clips.condition.slice(s![..1, ..]).to_owned(),
                blend_weights: None,
                lengths: vec![7],
                guidance_scale: 1.0,
            })
            .unwrap();
        let level = clips.levels[0];
        let (signal, spread) = (level.alpha_bar.sqrt(), (1.0 - level.alpha_bar).sqrt());
        let first = |array: &ArrayD<f32>| -> Array3<f32> {
            let rows = array.slice_axis(Axis(0), ndarray::Slice::from(..1));
            rows.to_owned().into_dimensionality().unwrap()
        };
        let x_t = first(&clips.x0) * signal as f32 + first(&clips.noise) * spread as f32;
        let x_t = x_t.into_dyn();
        let error = |denoiser: &mut OnnxDenoiser| {
            let x0 = denoiser.denoise(&x_t, level).unwrap();
            (&x0 - &first(&clips.x0).into_dyn()).mapv(|g| g * g).sum()
        };
        let untrained = error(&mut denoiser);
        denoiser.set_model(trainer.source().unwrap());
        let trained = error(&mut denoiser);
        assert!(trained < 0.5 * untrained, "{untrained} to {trained}");
    }
    let after = std::fs::read(package.file(Role::Denoiser).unwrap()).unwrap();
    assert_eq!(before, after);
}

#[test]
fn weights_are_chosen_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let package = tiny(folder.path(), Prediction::X0);
    let engine = engines().remove(0);
    let only = |text: &str| {
        let choice = WeightChoice::Containing(vec![text.to_owned()]);
        trainer(&package, &engine, &choice)
    };
    assert_eq!(only("c").unwrap().names(), ["c"]);
    let error = only("block9").err().unwrap();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains("block9") && cause.contains("there are w, c"),
        "{cause}"
    );
    let mut trainer = only("w").unwrap();
    let mut clips = Clips::new(3);
    clips.levels.pop();
    let error = trainer.step(&clips.view()).unwrap_err().to_string();
    assert!(
        error.contains("training clips") && error.contains("1 levels"),
        "{error}"
    );
    let mut clips = Clips::new(3);
    clips.x0.fill(f32::NAN);
    let error = trainer.step(&clips.view()).unwrap_err().to_string();
    assert!(error.contains("training loss = NaN"), "{error}");
}
