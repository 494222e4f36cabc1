//! `image` on flows, classes, texts and latents: every step as diffusers' schedulers take it.

use std::fs::File;
use std::path::{Path, PathBuf};

use kinograd::image::ReadPicture;
use kinograd_testkit::{Golden, Tolerance, assert_close};
use ndarray::{Array4, ArrayD, OwnedRepr};
use ndarray_npy::{NpzReader, WriteNpyExt as _};

use crate::support::{Run, files, kinograd, record_of};

const CLOSE: Tolerance = Tolerance::Within {
    absolute: 1e-3,
    relative: 1e-3,
};

fn golden() -> Golden {
    Golden::new("image_families")
}

fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/image_families")
}

/// Four steps on a package, without a judge, by the built-in engine.
fn image(folder: &Path, model: &str, more: &[&str]) -> Run {
    let model = packages().join(model).display().to_string();
    let mut args = vec!["image", "--runtime", "builtin", "-q", "--steps", "4"];
    args.extend(["--model", &model]);
    args.extend(more);
    kinograd(folder, &args)
}

/// Walks from the golden's x_T and compares x̂0 of every step.
fn walks(model: &str, name: &str, more: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let x_t = golden().f32(&format!("{name}_x_t"));
    x_t.write_npy(File::create(folder.path().join("x.npy")).unwrap())
        .unwrap();
    let reward = packages().join("reward.onnx").display().to_string();
    let plain = ["--method", "none"];
    let guided = [
        "--method",
        "dps",
        "--guidance-scale",
        "20",
        "--augment",
        "0",
    ];
    let guided = [guided.as_slice(), &["--reward", &reward]].concat();
    for (key, method) in [("plain", plain.as_slice()), ("guided", &guided)] {
        let run = ["--n", "2", "--noise", "x.npy", "--save-steps", "steps.npz"];
        image(
            folder.path(),
            model,
            &[run.as_slice(), method, more].concat(),
        )
        .ok();
        let file = File::open(folder.path().join("steps.npz")).unwrap();
        let mut npz = NpzReader::new(file).unwrap();
        let x0: ArrayD<f32> = npz.by_name::<OwnedRepr<f32>, _>("x0").unwrap();
        let expected = golden().f64(&format!("{name}_{key}"));
        assert_close(&x0.mapv(f64::from), &expected, CLOSE);
    }
}

#[test]
fn a_flow_walks_and_is_guided_as_in_torch() {
    walks("tiny-flow", "flow", &[]);
}

#[test]
fn classes_are_guided_away_from_the_null_class() {
    walks("tiny-class", "class", &["--class", "dog", "--cfg", "2.5"]);
}

#[test]
fn latents_are_told_a_text_and_guided_through_the_decoder() {
    walks("tiny-latent", "latent", &["a red heart"]);
}

#[test]
fn a_borrowed_encoder_tells_on_demand_and_zeros_are_no_text() {
    walks("tiny-told", "told", &["a red heart", "--cfg", "2.5"]);
    // Untold, and so by the zeros alone; the prompt would steer by encoders.
    walks("tiny-told", "untold", &[]);
    let away = ["a red heart", "--cfg", "2.5", "--negative", "a blue star"];
    walks("tiny-told", "away", &away);
}

#[test]
fn what_tells_is_named_in_record_and_errors() {
    let folder = tempfile::tempdir().unwrap();
    let told = ["a red heart", "--cfg", "2.5", "--negative", "a blue star"];
    let args = [told.as_slice(), &["--method", "none", "-o", "heart.png"]].concat();
    image(folder.path(), "tiny-told", &args).ok();
    let path = folder.path().join("heart.png");
    let record = record_of(&path);
    assert_eq!(record["task"]["conditioning"]["negative"], "a blue star");
    assert!(record["model_hashes"]["tiny-latent/text_encoder"].is_string());
    assert_eq!(record["task"]["sampling"]["cfg"], 2.5);

    let alone = folder.path().join("tiny-told");
    std::fs::create_dir(&alone).unwrap();
    for file in ["model.json", "denoiser.onnx"] {
        std::fs::copy(packages().join("tiny-told").join(file), alone.join(file)).unwrap();
    }
    let model = alone.display().to_string();
    let alone = |more: &[&str]| {
        let args = [
            "image",
            "--runtime",
            "builtin",
            "-q",
            "--steps",
            "2",
            "--model",
            &model,
        ];
        kinograd(folder.path(), &[args.as_slice(), more].concat())
    };
    alone(&["--method", "none"]).ok();
    let run = alone(&["a red heart", "--cfg", "2"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("tiny-latent"), "{}", run.stderr);
}

#[test]
fn a_latent_models_picture_is_decoded_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let x_t = golden().f32("latent_x_t");
    x_t.write_npy(File::create(folder.path().join("x.npy")).unwrap())
        .unwrap();
    let reward = packages().join("reward.onnx").display().to_string();
    let args = [
        ["a red heart", "--reward", &reward, "--method", "none"].as_slice(),
        &["--noise", "x.npy", "--n", "2", "--json"],
        &["--save-steps", "strip.png", "-o", "heart.png"],
    ]
    .concat();
    let report = image(folder.path(), "tiny-latent", &args).ok().json();
    assert_eq!(report["size"], serde_json::json!([3, 16, 16]));
    assert_eq!(report["prompt"], "a red heart");
    let expected = golden().f64("latent_picture");
    let mut losses = Vec::new();
    for image in 0..2 {
        let path = folder.path().join(format!("heart-0{image}.png"));
        let got = ReadPicture::open(&path).unwrap().picture.0;
        let expected = expected.index_axis(ndarray::Axis(0), image);
        let worst = got
            .iter()
            .zip(&expected)
            .fold(0.0_f64, |a, (&g, &e)| a.max((f64::from(g) - e).abs()));
        // half a step of 8 bits, and the walk's own difference
        assert!(worst < 0.5 / 127.5 + 2e-3, "{worst}");
        losses.push(expected.iter().map(|x| (x - 0.3).powi(2)).sum::<f64>());
        let record = record_of(&path);
        assert_eq!(record["cfg"], 2.5, "{record}");
        assert_eq!(record["task"]["conditioning"]["text"], "a red heart");
        assert!(record["model_hashes"]["tiny-latent/decoder"].is_string());
    }
    let reward = report["losses"]["reward"].as_f64().unwrap();
    let expected = (losses[0] + losses[1]) / 2.0;
    assert!(
        (reward - expected).abs() < 1e-2 * expected,
        "{reward}, {expected}"
    );
    let strip = ReadPicture::open(&folder.path().join("strip.png")).unwrap();
    assert_eq!(strip.picture.size(), [2 * 18 - 2, 4 * 18 - 2]);
}

#[test]
fn other_losses_see_the_decoded_picture() {
    let folder = tempfile::tempdir().unwrap();
    let mask = Array4::<f32>::from_shape_fn(
        (1, 3, 16, 16),
        |(_, _, _, x)| {
            if x < 8 { 1.0 } else { -1.0 }
        },
    );
    let half = kinograd::image::Picture(mask.index_axis(ndarray::Axis(0), 0).to_owned());
    half.save(&folder.path().join("half.png"), None).unwrap();
    let loss = |method: &str| {
        let args = ["blue star", "--loss", "inpaint=half.png,image=half.png"];
        let more = [
            "--method",
            method,
            "--guidance-scale",
            "5",
            "--json",
            "-o",
            "o.png",
        ];
        let report = image(
            folder.path(),
            "tiny-latent",
            &[args.as_slice(), &more].concat(),
        );
        report.ok().json()["losses"]["inpaint"].as_f64().unwrap()
    };
    let (free, steered) = (loss("none"), loss("mpgd"));
    assert!(steered < free, "{steered} from {free}");
}

#[test]
fn rounds_optimise_what_is_decoded_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let reward = packages().join("reward.onnx").display().to_string();
    let args = ["a red heart", "--rounds", "2", "--augment", "0"];
    let more = ["--reward", &reward, "--save-steps", "r.png", "-o", "o.png"];
    let args = [args.as_slice(), &more, &["--json"]].concat();
    let report = image(folder.path(), "tiny-latent", &args).ok().json();
    let reward = |round: usize| report["optimize"]["rounds"][round]["rewards"][0].as_f64();
    assert!(reward(2).unwrap() > reward(0).unwrap(), "{report}");
    let strip = ReadPicture::open(&folder.path().join("r.png")).unwrap();
    assert_eq!(strip.picture.size(), [18 - 2, 3 * 18 - 2]);
    let npz = ["--rounds", "2", "--save-steps", "r.npz", "a red heart"];
    let run = image(
        folder.path(),
        "tiny-latent",
        &[npz.as_slice(), &more[..2]].concat(),
    );
    assert!(run.stderr.contains("name a .png"), "{}", run.stderr);
}

#[test]
fn what_a_model_is_not_told_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    Array4::<f32>::zeros((1, 3, 8, 8))
        .write_npy(File::create(folder.join("small.npy")).unwrap())
        .unwrap();
    std::fs::write(folder.join("text.npy"), "not an array").unwrap();
    for (model, args, parts) in [
        (
            "tiny-flow",
            vec!["--class", "1"],
            vec!["class: 1: tiny-flow has no classes"],
        ),
        (
            "tiny-flow",
            vec!["--cfg", "2"],
            vec!["cfg: 2: tiny-flow is told nothing"],
        ),
        (
            "tiny-class",
            vec!["--class", "3"],
            vec!["class: 3: the model has classes 0 to 2"],
        ),
        (
            "tiny-class",
            vec!["--class", "horse"],
            vec!["class: `horse`: none of the model's 3"],
        ),
        (
            "tiny-class",
            vec!["--cfg", "nan"],
            vec!["cfg: NaN is outside"],
        ),
        (
            "tiny-latent",
            vec!["a heart", "--class", "1"],
            vec!["tiny-latent has no classes"],
        ),
        ("tiny-latent", vec![" "], vec!["prompt: is empty"]),
        ("tiny-flow", vec!["--noise", "none.npy"], vec!["none.npy"]),
        (
            "tiny-told",
            vec!["--negative", "a star"],
            vec!["cfg: tiny-told is told texts only at a scale that is not 0"],
        ),
        (
            "tiny-flow",
            vec!["--negative", "a star"],
            vec!["negative prompt", "tiny-flow reads no text"],
        ),
        (
            "tiny-flow",
            vec!["--noise", "text.npy"],
            vec!["text.npy", "no .npy"],
        ),
        (
            "tiny-flow",
            vec!["--noise", "small.npy"],
            vec!["[1, 3, 8, 8]", "[1, 3, 16, 16]"],
        ),
    ] {
        let run = image(
            folder,
            model,
            &[args.as_slice(), &["-o", "out.png"]].concat(),
        );
        assert_eq!(run.code, Some(1), "{args:?}: {}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        for part in parts {
            assert!(run.stderr.contains(part), "no `{part}` in: {}", run.stderr);
        }
        assert!(!folder.join("out.png").exists(), "{args:?}");
    }
    // By number, by one of its names, and without any, which is the null class.
    for args in [vec!["--class", "0"], vec!["--class", "TABBY"], vec![]] {
        image(
            folder,
            "tiny-class",
            &[args.as_slice(), &["-o", "out.png"]].concat(),
        )
        .ok();
    }
}

/// A copy of a package with something in its `model.json` replaced.
fn changed(folder: &Path, model: &str, from: &str, to: &str) -> String {
    let copy = folder.join("changed");
    let _ = std::fs::remove_dir_all(&copy);
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(packages().join(model)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    let json = copy.join("model.json");
    let text = std::fs::read_to_string(&json).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(&json, text.replacen(from, to, 1)).unwrap();
    copy.display().to_string()
}

#[test]
fn packages_that_contradict_themselves_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (model, from, to, part) in [
        (
            "tiny-latent",
            "\"decoder\"",
            "\"reference\"",
            "no `decoder`, which `latent` needs",
        ),
        (
            "tiny-latent",
            "\"latent\"",
            "\"latents\"",
            "`latent` is missing",
        ),
        (
            "tiny-latent",
            "\"tokenizer\"",
            "\"reference\"",
            "`files.tokenizer` is missing",
        ),
        (
            "tiny-latent",
            "\"conditioning\"",
            "\"condition\"",
            "`conditioning` is missing",
        ),
        (
            "tiny-latent",
            "\"scale\": 2.0",
            "\"scale\": 0.0",
            "scale not 0",
        ),
        (
            "tiny-latent",
            "\"channels\": 4",
            "\"channels\": 5",
            "denoiser.onnx",
        ),
        (
            "tiny-latent",
            "\"dims\": 8",
            "\"dims\": 9",
            "condition: expected [6, 9]",
        ),
        (
            "tiny-latent",
            "\"height\": 16",
            "\"height\": 32",
            "decoder's output: expected [1, 3, 32, 16]",
        ),
        (
            "tiny-class",
            "\"count\": 3",
            "\"count\": 2",
            "null at most count",
        ),
        ("tiny-class", "\"null\": 3", "\"null\": 2", ""),
        (
            "tiny-told",
            "\"from\": \"tiny-latent\"",
            "\"from\": \"../tiny-latent\"",
            "not a path",
        ),
        (
            "tiny-told",
            "\"null\": \"zeros\"",
            "\"null\": \"ones\"",
            "ones",
        ),
        (
            "tiny-class",
            "\"bird\"",
            "\"bird\", \"fish\"",
            "4 names for 3 classes",
        ),
        ("tiny-flow", "\"shift\": 3.0", "\"shift\": -3.0", "shift"),
        (
            "tiny-flow",
            "\"prediction\": \"flow\"",
            "\"prediction\": \"v\"",
            "go together",
        ),
    ] {
        let model = changed(folder, model, from, to);
        let run = image(folder, &model, &["-o", "out.png"]);
        if part.is_empty() {
            run.ok();
            continue;
        }
        assert_eq!(run.code, Some(1), "{to}: {}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        assert!(run.stderr.contains(part), "no `{part}` in: {}", run.stderr);
    }
    // Without a null class there is nothing to be guided away from.
    let model = changed(folder, "tiny-class", "\"null\": 3,", "");
    let run = image(folder, &model, &["-o", "none.png"]);
    assert!(
        run.stderr
            .contains("class: tiny-class makes pictures of one of its 3"),
        "{}",
        run.stderr
    );
    let run = image(
        folder,
        &model,
        &["--class", "1", "--cfg", "2", "-o", "none.png"],
    );
    assert!(
        run.stderr.contains("cfg: 2: tiny-class has no null class"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_denoiser_without_a_text_is_told_none_whatever_it_is_like() {
    let folder = tempfile::tempdir().unwrap();
    let like = packages().join("tiny-told").display().to_string();
    let add = |model: &str| {
        let denoiser = packages().join(model).join("denoiser.onnx");
        let denoiser = denoiser.display().to_string();
        let args = [
            "models", "add", &denoiser, "--name", model, "--like", &like, "--into", "mine",
        ];
        kinograd(folder.path(), &args).ok();
        let args = ["models", "show", &format!("mine/{model}"), "--json"];
        kinograd(folder.path(), &args).ok().json()
    };
    assert!(add("tiny-flow")["conditioning"].is_null());
    // The encoder that the other borrows lies beside it.
    let latent = packages().join("tiny-latent").display().to_string();
    kinograd(folder.path(), &["models", "add", &latent, "--into", "mine"]).ok();
    assert_eq!(add("tiny-told")["conditioning"]["from"], "tiny-latent");
}

#[test]
fn folders_of_export_scripts_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for model in ["tiny-latent", "tiny-class"] {
        let from = packages().join(model).display().to_string();
        let args = [
            "models", "add", &from, "--name", "mine", "--into", "own", "--json",
        ];
        let report = kinograd(folder, &args).ok().json();
        assert!(
            report["gradient_error"].as_f64().unwrap() < 1e-2,
            "{report}"
        );
        let again = kinograd(folder, &args);
        assert!(
            again.stderr.contains("is there already"),
            "{}",
            again.stderr
        );
        std::fs::remove_dir_all(folder.join("own")).unwrap();
    }
    let from = packages().join("tiny-class").display().to_string();
    kinograd(folder, &["models", "add", &from, "--into", "own"]).ok();
    assert_eq!(files(&folder.join("own")), ["tiny-class"]);
    // A denoiser alone needs a name, and gets the rest from a package like it.
    let onnx = packages()
        .join("tiny-class/denoiser.onnx")
        .display()
        .to_string();
    let args = ["models", "add", &onnx, "--like", &from, "--into", "own"];
    let run = kinograd(folder, &args);
    assert!(
        run.stderr.contains("name: a denoiser's package needs one"),
        "{}",
        run.stderr
    );
    kinograd(folder, &[args.as_slice(), &["--name", "two"]].concat()).ok();
}
