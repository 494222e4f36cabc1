//! Folders of Stable Diffusion pipelines as Optimum exports them become packages that sample and guide as diffusers
//! does, or are refused before anything is written.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use kinograd::models::{NewPackage, add, planned};
use kinograd_diffusion::{
    Ddim, DifferentiableDenoiser as _, DiffusionError, Layout, Model, NoiseSource, Progress,
    Sampler, SamplerKind, SeededNoise, StepPair, sample_from,
};
use kinograd_runtime::{
    EngineChoice, EngineOptions, ImageCondition, ImageDecoder, ImageText, OnnxDenoiser, Package,
    PictureBatch, SessionOptions, TextEncoder, open_engine,
};
use kinograd_testkit::{Golden, Tolerance, assert_close};
use ndarray::{ArrayD, Axis, stack};

const PROMPT: &str = "a red heart on the sea's edge";
const CFG: f64 = 3.0;
const TOLERANCE: Tolerance = Tolerance::Within {
    absolute: 2e-4,
    relative: 2e-4,
};

fn source(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/diffusers_folders");
    root.join(name)
}

/// The built-in engine, and ONNX Runtime where it is.
fn engines() -> Vec<EngineOptions> {
    let with = |engine| EngineOptions {
        engine,
        ..options()
    };
    let mut engines = vec![options()];
    match open_engine(&with(EngineChoice::OnnxRuntime)) {
        Ok(_) => engines.push(with(EngineChoice::OnnxRuntime)),
        Err(error) => kinograd_testkit::skip("onnxruntime", error),
    }
    engines
}

fn options() -> EngineOptions {
    EngineOptions {
        engine: EngineChoice::BuiltIn,
        threads: 1,
        ..EngineOptions::default()
    }
}

fn new(source: PathBuf, into: &Path) -> NewPackage {
    NewPackage {
        source,
        name: Some("own".to_owned()),
        like: "none".to_owned(),
        size: None,
        into: Some(into.to_owned()),
        preset: None,
        dry_run: false,
    }
}

fn added(source: PathBuf, into: &Path) -> Package {
    let report = add(&new(source, into), &options()).unwrap();
    assert!(
        report.gradient_is_right() && report.no_gradient.is_none(),
        "{report:?}"
    );
    Package::open(&report.folder).unwrap()
}

/// A copy of a folder, to be changed.
fn copied(name: &str) -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &to);
            } else {
                std::fs::copy(&path, &to).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy(&source(name), folder.path());
    folder
}

fn set(folder: &Path, file: &str, key: &str, value: serde_json::Value) {
    let path = folder.join(file);
    let mut json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    json[key] = value;
    std::fs::write(path, json.to_string()).unwrap();
}

fn assert_golden(got: &ArrayD<f32>, name: &str) {
    let golden = Golden::new("diffusers_folders");
    assert_close(&got.mapv(f64::from), &golden.f64(name), TOLERANCE);
}

/// The prompt and what it is guided away from, as the command `image` reads them.
fn told(package: &Package) -> [ImageText; 2] {
    let engine = open_engine(&options()).unwrap().engine;
    let mut encoder = TextEncoder::open(&engine, package, &SessionOptions::default()).unwrap();
    let text = encoder.image_text(PROMPT).unwrap();
    let null = match package.manifest().text().unwrap().null {
        kinograd_runtime::NullText::Empty => encoder.image_text("").unwrap(),
        kinograd_runtime::NullText::Zeros => ImageText {
            states: ndarray::Array2::zeros(text.states.raw_dim()),
            pooled: text
                .pooled
                .as_ref()
                .map(|pooled| ndarray::Array1::zeros(pooled.len())),
        },
    };
    [text, null]
}

fn steps(package: &Package) -> Vec<StepPair> {
    let schedule = package.manifest().noise_schedule().unwrap();
    let spacing = package.manifest().schedule.unwrap().spacing();
    schedule.steps(spacing, 4).unwrap()
}

/// Noise that was drawn elsewhere, one array a step.
struct Drawn(std::vec::IntoIter<ArrayD<f32>>);

impl NoiseSource for Drawn {
    fn fill(&mut self, out: &mut ArrayD<f32>) -> Result<(), DiffusionError> {
        out.assign(&self.0.next().unwrap());
        Ok(())
    }
}

/// How a pipeline is walked.
struct Walk {
    batch: PictureBatch,
    sampler: Box<dyn Sampler>,
    noise: Box<dyn NoiseSource>,
}

/// As most are: deterministic, with classifier-free guidance.
fn guided(package: &Package) -> Walk {
    let [text, null] = told(package).map(of_text);
    Walk {
        batch: PictureBatch::guided(text, null, CFG),
        sampler: Box::new(Ddim::default()),
        noise: Box::new(SeededNoise::new(vec![0, 1])),
    }
}

/// As a latent consistency model is: guided by what it learnt, by the sampler that its folder names.
fn distilled(package: &Package) -> Walk {
    let [text, _] = told(package).map(of_text);
    let drawn = Golden::new("diffusers_folders").f32("lcm_noise");
    let drawn: Vec<_> = drawn.outer_iter().map(|draw| draw.to_owned()).collect();
    Walk {
        batch: PictureBatch::of(text),
        sampler: package.manifest().defaults.sampler.unwrap().make(),
        noise: Box::new(Drawn(drawn.into_iter())),
    }
}

fn of_text(text: ImageText) -> ImageCondition {
    ImageCondition {
        class: None,
        text: Some(text),
    }
}

/// x̂0, x_t of the next step, the gradient of ½‖picture − 0.3‖² by x_t at every step, and the last picture.
fn check_walk(package: &Package, name: &str, walk: fn(&Package) -> Walk) {
    for options in engines() {
        check_walk_on(package, name, walk(package), &options);
    }
}

fn check_walk_on(package: &Package, name: &str, mut walk: Walk, options: &EngineOptions) {
    let engine = open_engine(options).unwrap().engine;
    let session = SessionOptions::default;
    let mut denoiser = OnnxDenoiser::open(engine.clone(), package, session()).unwrap();
    let mut decoder = ImageDecoder::open(engine, package, session())
        .unwrap()
        .unwrap();
    denoiser.set_batch(walk.batch).unwrap();
    let steps = steps(package);
    let x_t = Golden::new("diffusers_folders").f32(&format!("{name}_x_t"));
    let layout = Layout::full(x_t.shape()).unwrap();
    let (mut path, mut walked) = (Vec::new(), vec![x_t.clone()]);
    sample_from(
        x_t,
        &mut Model::forward_only(&mut denoiser),
        walk.sampler.as_mut(),
        &steps,
        &layout,
        walk.noise.as_mut(),
        None,
        &mut |progress: &Progress<'_>| {
            path.push(progress.x0.clone());
            walked.push(progress.x_next.clone());
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    let stacked = |arrays: &[ArrayD<f32>]| {
        let views: Vec<_> = arrays.iter().map(|array| array.view()).collect();
        stack(Axis(0), &views).unwrap()
    };
    assert_golden(&stacked(&path), &format!("{name}_plain"));
    let picture = decoder.decode(path.last().unwrap()).unwrap();
    assert_golden(&picture, &format!("{name}_picture"));
    let mut gradients = Vec::new();
    for (x_t, pair) in walked.iter().zip(&steps) {
        let (x0, mut pull_back) = denoiser.linearize(x_t, pair.from).unwrap();
        let (picture, mut to_latents) = decoder.linearize(&x0).unwrap();
        gradients.push(pull_back(&to_latents(&picture.mapv(|v| v - 0.3)).unwrap()).unwrap());
    }
    assert_golden(&stacked(&gradients), &format!("{name}_gradient"));
}

#[test]
fn stable_diffusion_walks_and_guides_as_diffusers_does() {
    let into = tempfile::tempdir().unwrap();
    let package = added(source("stable-diffusion"), into.path());
    let [text, null] = told(&package);
    let row = |text: &ImageText| text.states.clone().insert_axis(Axis(0)).into_dyn();
    assert_golden(&row(&text), "sd_told");
    assert_golden(&row(&null), "sd_null");
    check_walk(&package, "sd", guided);
}

#[test]
fn a_network_of_v_walks_from_no_signal_at_all() {
    let folder = copied("stable-diffusion");
    let config = "scheduler/scheduler_config.json";
    set(
        folder.path(),
        config,
        "prediction_type",
        "v_prediction".into(),
    );
    set(folder.path(), config, "rescale_betas_zero_snr", true.into());
    let into = tempfile::tempdir().unwrap();
    let package = added(folder.path().to_owned(), into.path());
    check_walk(&package, "zero_snr", guided);
}

#[test]
fn stable_diffusion_xl_reads_two_encoders_and_a_pooled_text() {
    let into = tempfile::tempdir().unwrap();
    let package = added(source("stable-diffusion-xl"), into.path());
    let [text, _] = told(&package);
    assert_golden(
        &text.states.clone().insert_axis(Axis(0)).into_dyn(),
        "sdxl_told",
    );
    let pooled = text.pooled.clone().unwrap();
    assert_golden(&pooled.insert_axis(Axis(0)).into_dyn(), "sdxl_pooled");
    check_walk(&package, "sdxl", guided);
}

#[test]
fn a_latent_consistency_model_is_told_its_scale_and_walks_its_own_levels() {
    let into = tempfile::tempdir().unwrap();
    let package = added(source("latent-consistency"), into.path());
    let manifest = package.manifest();
    assert_eq!(manifest.schedule.unwrap().distilled_levels, Some(50));
    let defaults = &manifest.defaults;
    assert_eq!(defaults.sampler, Some(SamplerKind::Consistency));
    assert_eq!((defaults.steps, defaults.cfg), (Some(4), None));
    assert!(manifest.limits.iter().any(|limit| limit.contains("8.5")));
    check_walk(&package, "lcm", distilled);
}

#[test]
fn a_plan_writes_nothing_and_says_what_a_package_would() {
    let into = tempfile::tempdir().unwrap();
    let plan = planned(&new(source("stable-diffusion"), into.path()));
    let plan = plan.unwrap().expect("a pipeline");
    assert_eq!(std::fs::read_dir(into.path()).unwrap().count(), 0);
    let mut made = added(source("stable-diffusion"), into.path())
        .manifest()
        .clone();
    for file in made.files.values_mut() {
        file.sha256.clear();
        file.data.iter_mut().for_each(|data| data.sha256.clear());
    }
    assert_eq!(plan, made);
    assert!(
        plan.limits
            .iter()
            .any(|limit| limit.contains("timestep_spacing leading"))
    );
}

#[test]
fn another_size_is_taken_where_the_graph_leaves_it_free() {
    let into = tempfile::tempdir().unwrap();
    let mut wide = new(source("stable-diffusion-xl"), into.path());
    wide.size = Some([16, 24]);
    let report = add(&wide, &options()).unwrap();
    assert!(report.gradient_is_right(), "{report:?}");
    let package = Package::open(&report.folder).unwrap();
    assert_eq!(package.manifest().sample_size().unwrap(), [4, 8, 12]);
    wide.size = Some([16, 25]);
    wide.name = Some("other".to_owned());
    let error = add(&wide, &options()).unwrap_err().to_string();
    assert!(
        error.contains("25") && error.contains("multiples of 2"),
        "{error}"
    );
}

/// Adds a changed folder, which must fail and leave nothing.
fn refused(name: &str, change: impl FnOnce(&Path)) -> String {
    let folder = copied(name);
    change(folder.path());
    let into = tempfile::tempdir().unwrap();
    let error = add(&new(folder.path().to_owned(), into.path()), &options()).unwrap_err();
    let left = std::fs::read_dir(into.path()).unwrap().count();
    assert_eq!(left, 0, "{error}");
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[test]
fn folders_that_are_half_there_are_refused_by_what_is_missing() {
    for (missing, part) in [
        ("model_index.json", "model_index.json is missing"),
        ("unet/model.onnx", "unet/model.onnx is missing"),
        ("unet/model.onnx_data", "model.onnx_data"),
        (
            "vae_decoder/model.onnx",
            "vae_decoder/model.onnx is missing",
        ),
        (
            "text_encoder/model.onnx",
            "text_encoder/model.onnx is missing",
        ),
        ("tokenizer/vocab.json", "tokenizer/vocab.json is missing"),
        ("tokenizer/merges.txt", "tokenizer/merges.txt is missing"),
        (
            "scheduler/scheduler_config.json",
            "scheduler_config.json is missing",
        ),
    ] {
        let error = refused("stable-diffusion", |folder| {
            std::fs::remove_file(folder.join(missing)).unwrap();
        });
        assert!(error.contains(part), "{missing}: {error}");
    }
    let error = refused("stable-diffusion", |folder| {
        std::fs::rename(
            folder.join("unet/model.onnx"),
            folder.join("unet/diffusion_pytorch_model.bin"),
        )
        .unwrap();
    });
    assert!(error.contains("optimum-cli export onnx"), "{error}");
}

#[test]
fn families_and_parts_that_do_not_fit_are_refused_by_name() {
    let index = "model_index.json";
    for (class, part) in [
        ("StableDiffusion3Pipeline", "T5"),
        ("FluxPipeline", "packed latents"),
        ("StableDiffusionInpaintPipeline", "--loss inpaint=MASK"),
        (
            "PixArtAlphaPipeline",
            "a PixArtAlphaPipeline: this family is not known",
        ),
    ] {
        let error = refused("stable-diffusion", |folder| {
            set(folder, index, "_class_name", class.into())
        });
        assert!(error.contains(part) && error.contains(class), "{error}");
    }
    for (file, key, value, part) in [
        (
            "scheduler/scheduler_config.json",
            "_class_name",
            "EDMEulerScheduler".into(),
            "EDMEulerScheduler",
        ),
        (
            "text_encoder/config.json",
            "vocab_size",
            300.into(),
            "vocab_size 300: they do not belong",
        ),
        (
            "tokenizer/tokenizer_config.json",
            "pad_token",
            "[PAD]".into(),
            "lacks the special token `[PAD]`",
        ),
        (
            "vae_decoder/config.json",
            "latents_mean",
            vec![0.5; 4].into(),
            "latents_mean",
        ),
    ] {
        let error = refused("stable-diffusion", |folder| set(folder, file, key, value));
        assert!(error.contains(part), "{error}");
    }
    // The other pipeline's parts.
    let swap = |part: &'static str| {
        move |folder: &Path| {
            let from = source("stable-diffusion").join(part);
            std::fs::copy(from, folder.join(part)).unwrap();
        }
    };
    let error = refused("stable-diffusion-xl", swap("unet/model.onnx"));
    assert!(error.contains("model.onnx_data"), "{error}");
    let error = refused("stable-diffusion-xl", swap("text_encoder/model.onnx"));
    assert!(error.contains("hidden_states.0"), "{error}");
    let error = refused("stable-diffusion", |folder| {
        std::fs::write(folder.join("tokenizer/merges.txt"), "#version: 0.2\nq zz\n").unwrap();
    });
    assert!(
        error.contains("merges.txt line 2: `zz` is not in vocab.json"),
        "{error}"
    );
}
