//! `image` end to end on tiny packages of random weights and the built-in engine.

use std::fs::File;
use std::path::{Path, PathBuf};

use kinograd::image::ReadPicture;
use png::{BitDepth, ColorType};

use crate::support::{Run, files, kinograd, package_with, record_of};

const SIDE: u32 = 16;

fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/image_package")
}

/// Two steps on the tiny packages.
fn image(folder: &Path, more: &[&str]) -> Run {
    let package = |name: &str| packages().join(name).display().to_string();
    let (model, clip) = (package("tiny-64"), package("tiny-clip"));
    let (judge, seg) = (package("tiny-judge"), package("tiny-seg"));
    let mut args = vec!["image", "--runtime", "builtin", "-q"];
    args.extend(["--model", &model, "--text-model", &clip]);
    args.extend(["--judge", &judge, "--seg-model", &seg]);
    if !more.contains(&"--steps") {
        args.extend(["--steps", "2"]);
    }
    args.extend(more);
    kinograd(folder, &args)
}

/// A PNG whose left half is black and whose right half is white.
fn picture(path: &Path, width: u32, height: u32, color: ColorType, depth: BitDepth) {
    let mut encoder = png::Encoder::new(File::create(path).unwrap(), width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    let bytes = color.samples() * if depth == BitDepth::Sixteen { 2 } else { 1 };
    let data: Vec<u8> = (0..height)
        .flat_map(|_| (0..width).flat_map(|x| vec![if 2 * x < width { 0 } else { 255 }; bytes]))
        .collect();
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&data)
        .unwrap();
}

fn halves(folder: &Path, name: &str) -> String {
    picture(
        &folder.join(name),
        SIDE,
        SIDE,
        ColorType::Rgb,
        BitDepth::Eight,
    );
    name.to_owned()
}

#[test]
fn a_packages_defaults_hold_for_pictures_too() {
    let folder = tempfile::tempdir().unwrap();
    let few = folder.path().join("few");
    package_with(&packages().join("tiny-64"), &few, |manifest| {
        manifest["defaults"]["steps"] = 3.into();
        manifest["defaults"]["sampler"] = "dpmpp-2m".into();
    });
    let made = |model: &str, more: &[&str]| {
        let args = [
            "image",
            "--runtime",
            "builtin",
            "-q",
            "--json",
            "--model",
            model,
        ];
        let report = kinograd(folder.path(), &[&args[..], more].concat())
            .ok()
            .json();
        let sampling = &report["task"]["sampling"];
        assert_eq!(report["steps"], sampling["steps"]);
        assert_eq!(report["sampler"], sampling["sampler"]);
        format!("{} {}", report["steps"], report["sampler"]).replace('"', "")
    };
    assert_eq!(made("./few", &["-o", "a.png"]), "3 dpmpp-2m");
    assert_eq!(
        made("./few", &["--steps", "2", "--sampler", "ddim"]),
        "2 ddim"
    );
    let recorded = record_of(&folder.path().join("a.png"));
    assert_eq!(recorded["task"]["sampling"]["steps"], 3);
    // Without defaults 50, also of a task that says something else of the sampling.
    let plain = folder.path().join("plain");
    package_with(&packages().join("tiny-64"), &plain, |manifest| {
        manifest.as_object_mut().unwrap().remove("defaults");
    });
    std::fs::write(
        folder.path().join("task.json"),
        r#"{"sampling": {"seed": 1}}"#,
    )
    .unwrap();
    assert_eq!(made("./plain", &["--task", "task.json"]), "50 ddim");
}

#[test]
fn a_prompt_gives_a_picture_that_carries_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let run = image(folder.path(), &["a red heart", "-o", "heart.png", "--json"]).ok();
    let report = run.json();
    assert_eq!(report["schema"], "kinograd.image/1");
    assert_eq!(report["prompt"], "a red heart");
    assert_eq!(report["size"], serde_json::json!([3, SIDE, SIDE]));
    for key in ["text_score", "judge_score"] {
        assert!(report[key].as_f64().unwrap().abs() <= 1.0, "{report}");
    }
    let text = report["losses"]["text"].as_f64().unwrap();
    let score = report["text_score"].as_f64().unwrap();
    assert!((text + score - 1.0).abs() < 1e-5, "{text}, {score}");
    let path = folder.path().join("heart.png");
    let record = record_of(&path);
    assert_eq!(record["seed"], 0);
    assert_eq!(record["method"], "normalized");
    assert_eq!(record["task"]["goals"][0]["prompt"], "a red heart");
    assert!(record["model_hashes"]["tiny-64/denoiser"].is_string());
    assert_eq!(ReadPicture::open(&path).unwrap().picture.size(), [16, 16]);
    // The same bytes again.
    let before = std::fs::read(&path).unwrap();
    image(folder.path(), &["a red heart", "-o", "heart.png"]).ok();
    assert_eq!(std::fs::read(&path).unwrap(), before);
    image(
        folder.path(),
        &["a red heart", "-o", "heart.png", "--seed", "1"],
    )
    .ok();
    assert_ne!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn optimisation_raises_the_reward_round_by_round() {
    let folder = tempfile::tempdir().unwrap();
    let goal = format!("colour={}", halves(folder.path(), "halves.png"));
    let usual = ["a red heart", "--loss", &goal, "--augment", "0"];
    let usual = [&usual[..], &["--n", "2", "--seed", "4", "--json"]].concat();
    let run = |more: &[&str]| image(folder.path(), &[&usual, more].concat()).ok().json();
    let free = run(&["--method", "none"]);
    let optimised = run(&["--rounds", "4", "--delta", "0.05", "-o", "best.png"]);
    let rounds = optimised["optimize"]["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), 5);
    for image in 0..2 {
        // The first round is what the model makes unguided.
        let first = rounds[0]["text_scores"][image].as_f64().unwrap();
        let free = free["images"][image]["text_score"].as_f64().unwrap();
        assert!((first - free).abs() < 1e-6, "{first} {free}");
        let reward = |round: usize| rounds[round]["rewards"][image].as_f64().unwrap();
        assert!(reward(4) > reward(0), "{rounds:?}");
    }
    let command = optimised["command"].as_str().unwrap();
    assert!(command.contains("--rounds 4 --delta 0.05"), "{command}");
    let record = record_of(&folder.path().join("best-00.png"));
    assert_eq!(record["optimize"]["rewards"].as_array().unwrap().len(), 5);
    for (args, said) in [
        (&["--rounds", "3"][..], "nothing to optimise"),
        (&["a heart", "--rounds", "0"], "0 is outside 1 to"),
        (
            &["a heart", "--rounds", "1", "--sigma", "nan"],
            "sigma: NaN",
        ),
        (
            &["a heart", "--rounds", "1", "--method", "dps"],
            "cannot be used with",
        ),
    ] {
        let wrong = image(folder.path(), args);
        assert_ne!(wrong.code, Some(0));
        assert!(wrong.stderr.contains(said), "{}", wrong.stderr);
    }
}

#[test]
fn the_models_of_this_repository_work_together() {
    let folder = tempfile::tempdir().unwrap();
    let run = |method: &str| {
        let args = ["image", "a red apple", "--steps", "6", "--method", method];
        let more = ["--runtime", "builtin", "-q", "--json", "-o", "apple.png"];
        kinograd(folder.path(), &[args.as_slice(), &more].concat())
            .ok()
            .json()
    };
    let (free, steered) = (run("none"), run("normalized"));
    assert_eq!(steered["size"], serde_json::json!([3, 64, 64]));
    // By the encoders that steered and by those that did not.
    for score in ["text_score", "judge_score"] {
        let (free, steered) = (
            free[score].as_f64().unwrap(),
            steered[score].as_f64().unwrap(),
        );
        assert!(
            steered > free,
            "{score}: {steered}, {free} without steering"
        );
    }
}

#[test]
fn several_pictures_grids_and_strips() {
    let folder = tempfile::tempdir().unwrap();
    let more = [
        "--n",
        "3",
        "-o",
        "a.png",
        "-o",
        "a.json",
        "--save-steps",
        "strip.png",
    ];
    image(folder.path(), &more).ok();
    let expected = ["a-00.png", "a-01.png", "a-02.png", "a.json", "strip.png"];
    assert_eq!(files(folder.path()), expected);
    let size = |name: &str| {
        ReadPicture::open(&folder.path().join(name))
            .unwrap()
            .picture
            .size()
    };
    assert_eq!(size("strip.png"), [3 * 18 - 2, 2 * 18 - 2]);
    image(folder.path(), &["--n", "3", "--grid", "-o", "grid.png"]).ok();
    assert_eq!(size("grid.png"), [2 * 18 - 2, 2 * 18 - 2]);
    // A picture does not depend on its neighbours.
    image(folder.path(), &["--seed", "2", "-o", "alone.png"]).ok();
    let pixels = |name: &str| {
        ReadPicture::open(&folder.path().join(name))
            .unwrap()
            .picture
    };
    let worst = (&pixels("alone.png").0 - &pixels("a-02.png").0)
        .iter()
        .fold(0.0_f32, |a, d| a.max(d.abs()));
    assert!(worst < 0.02, "{worst}");
}

#[test]
fn every_loss_steers() {
    let folder = tempfile::tempdir().unwrap();
    halves(folder.path(), "half.png");
    picture(
        &folder.path().join("low.png"),
        4,
        4,
        ColorType::Rgb,
        BitDepth::Eight,
    );
    let classes = packages()
        .join("tiny-clip/image.onnx")
        .display()
        .to_string();
    let class = format!("class={classes}:3");
    for loss in [
        "text=red heart",
        "seg=half.png",
        "sketch=half.png",
        "identity=half.png",
        "colour=half.png",
        &class,
        "inpaint=half.png,image=half.png",
        "sr=4,image=low.png",
        "bicubic=4,image=low.png",
        "blur=1.5,image=half.png",
        "sketch=half.png,text:0.01=heart,seg:0.5=half.png,colour:0=half.png",
    ] {
        let losses = |more: &[&str]| {
            let args = [
                &["--loss", loss, "--json", "--steps", "6", "-o", "out.png"],
                more,
            ]
            .concat();
            image(folder.path(), &args).ok().json()
        };
        let name = loss.split(['=', ':']).next().unwrap();
        // Networks of random weights are rough: a long step overshoots.
        let is_rough = ["text", "identity", "class"].contains(&name);
        let scale = if is_rough { "3" } else { "20" };
        let free = losses(&["--method", "none"]);
        let steered = losses(&["--method", "mpgd", "--guidance-scale", scale]);
        let of = |report: &serde_json::Value| report["losses"][name].as_f64().unwrap();
        assert!(
            of(&steered) < of(&free),
            "{loss}: {} from {}",
            of(&steered),
            of(&free)
        );
    }
}

#[test]
fn every_method_and_augmentation_runs() {
    let folder = tempfile::tempdir().unwrap();
    for method in [
        "dps",
        "freedom",
        "mpgd",
        "polyak",
        "polyak-capped",
        "normalized",
        "lgd-mc",
        "ugd",
        "tfg",
        "dsg",
        "adam-dps",
        "mean",
    ] {
        let args = [
            "heart",
            "--method",
            method,
            "--augment",
            "2",
            "-o",
            "out.png",
        ];
        image(folder.path(), &args).ok();
    }
}

fn refused(folder: &Path, args: &[&str], parts: &[&str]) {
    let run = image(folder, &[args, &["-o", "out.png"]].concat());
    assert_eq!(run.code, Some(1), "{args:?}: {}", run.stderr);
    assert_eq!(run.stdout, "");
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    for part in parts {
        assert!(run.stderr.contains(part), "no `{part}` in: {}", run.stderr);
    }
    assert!(!folder.join("out.png").exists(), "{args:?}");
}

#[test]
fn bad_requests_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let long = "heart ".repeat(2000);
    refused(folder, &[&long], &["prompt: has 11999 characters"]);
    refused(folder, &[" "], &["prompt: is empty"]);
    refused(folder, &["красное сердце"], &["has no Latin letter"]);
    refused(folder, &["heart", "--steps", "0"], &["steps: 0"]);
    refused(
        folder,
        &["heart", "--method", "projection"],
        &["follows paths"],
    );
    refused(folder, &["--loss", "hat=red"], &["loss:", "the keys are"]);
    refused(folder, &["--loss", "inpaint=m.png"], &["needs image="]);
    refused(folder, &["--reward", "none.onnx"], &["none.onnx"]);
    let run = kinograd(
        folder,
        &["image", "heart", "--model", "none", "-o", "out.png"],
    );
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("no model package `none`"),
        "{}",
        run.stderr
    );
    let run = image(folder, &["heart", "-o", "heart.glb"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("ends in .png or .json"),
        "{}",
        run.stderr
    );
}

#[test]
fn bad_pictures_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let with = |bytes: &[u8]| std::fs::write(folder.join("in.png"), bytes).unwrap();
    let seg = ["--loss", "seg=in.png"];
    refused(folder, &seg, &["cannot read in.png"]);
    with(b"");
    refused(folder, &seg, &["in.png", "the file is empty"]);
    with(b"not a picture");
    refused(folder, &seg, &["in.png", "no PNG"]);
    with(b"\xFF\xD8\xFF\xEE CMYK");
    refused(folder, &seg, &["in.png", "JPEG"]);
    picture(
        &folder.join("in.png"),
        20,
        10,
        ColorType::Rgb,
        BitDepth::Eight,
    );
    refused(folder, &seg, &["20 × 10 pixels", "16 × 16"]);
    let mut black = png::Encoder::new(File::create(folder.join("in.png")).unwrap(), SIDE, SIDE);
    black.set_color(ColorType::Grayscale);
    let mut writer = black.write_header().unwrap();
    writer.write_image_data(&[0; 256]).unwrap();
    writer.finish().unwrap();
    refused(folder, &seg, &["in.png", "no foreground"]);
    halves(folder, "half.png");
    refused(
        folder,
        &["--loss", "sr=5,image=half.png"],
        &["sr = 5", "divides"],
    );
    refused(folder, &["--loss", "blur=9,image=half.png"], &["blur = 9"]);
    let mut white = png::Encoder::new(File::create(folder.join("in.png")).unwrap(), SIDE, SIDE);
    white.set_color(ColorType::Grayscale);
    let mut writer = white.write_header().unwrap();
    writer.write_image_data(&[255; 256]).unwrap();
    writer.finish().unwrap();
    refused(
        folder,
        &["--loss", "inpaint=in.png,image=half.png"],
        &["nothing of the image is kept"],
    );
    refused(folder, &["--loss", "sketch=in.png"], &["no dark line"]);
}

/// What is documented to be converted is.
#[test]
fn other_kinds_of_png_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    for (color, depth, side) in [
        (ColorType::Rgba, BitDepth::Eight, SIDE),
        (ColorType::Rgb, BitDepth::Sixteen, SIDE),
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen, 64),
        (ColorType::Grayscale, BitDepth::Eight, 10),
    ] {
        picture(&folder.path().join("in.png"), side, side, color, depth);
        for loss in [
            "seg=in.png",
            "inpaint=in.png,image=in.png",
            "identity=in.png",
        ] {
            image(folder.path(), &["--loss", loss, "-o", "out.png"]).ok();
        }
    }
}
