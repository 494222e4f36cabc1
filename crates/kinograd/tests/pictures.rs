//! Pictures of 1, 3 and 4 channels, and networks that see them in their own way.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use kinograd::graph::GraphBuilder;
use kinograd::image::{
    GeneratedImage, ImageGenerator, Picture, PictureGoal, PictureTask, ReadPicture, save_strip,
};
use kinograd::runtime::{EngineChoice, EngineOptions, sha256_of_file};
use kinograd::{Error, Method};
use ndarray::Array3;

const SIDE: usize = 16;

fn clip() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/image_package");
    root.join("tiny-clip").display().to_string()
}

/// A package of a denoiser that halves what it gets, in so many channels.
fn package(folder: &Path, channels: usize) -> String {
    let folder = folder.join(format!("halves-{channels}"));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("denoiser.onnx");
    let dims = ["batch", &channels.to_string(), "16", "16"];
    GraphBuilder::new("halves")
        .input("x_t", &dims)
        .input("timestep", &["batch"])
        .output("x0", &dims)
        .weights("half", &[1], vec![0.5])
        .weights("none", &[1], vec![0.0])
        .ints("row", &[-1, 1, 1, 1])
        .node("Mul", &["x_t", "half"], "halved")
        .node("Mul", &["timestep", "none"], "zero")
        .node("Reshape", &["zero", "row"], "zeros")
        .node("Add", &["halved", "zeros"], "x0")
        .model()
        .write(&path)
        .unwrap();
    let manifest = serde_json::json!({
        "schema": 1, "name": format!("halves-{channels}"), "version": "0.1.0", "kind": "image",
        "files": {"denoiser": {"path": "denoiser.onnx", "sha256": sha256_of_file(&path).unwrap()}},
        "prediction": "x0",
        "schedule": {"kind": "cosine", "train_steps": 1000},
        "image": {"channels": channels, "height": SIDE, "width": SIDE},
        "licence": "MIT", "data": "none", "limits": [],
    });
    std::fs::write(folder.join("model.json"), manifest.to_string()).unwrap();
    folder.display().to_string()
}

/// The mean of a network's input less `shift`, per picture, as a reward.
fn reward(path: &Path, dims: [&str; 4], shift: f32) {
    GraphBuilder::new("mean")
        .input("images", &dims)
        .output("reward", &[dims[0]])
        .weights("shift", &[1], vec![shift])
        .ints("flat", &[0, -1])
        .ints("last", &[1])
        .ints("one", &[-1])
        .node("Sub", &["images", "shift"], "shifted")
        .node("Reshape", &["shifted", "flat"], "rows")
        .node("ReduceMean", &["rows", "last"], "mean")
        .node("Reshape", &["mean", "one"], "reward")
        .model()
        .write(path)
        .unwrap();
}

fn run(model: &str, losses: &[String], augmentations: usize) -> Result<Vec<GeneratedImage>, Error> {
    let mut task = PictureTask::builder()
        .denoiser(model)
        .embedding(clip())
        .judge("none")
        .steps(2)
        .count(3)
        .seed(5)
        .method(Method::Dps)
        .augmentations(augmentations);
    for loss in losses {
        for goal in PictureGoal::parse(loss)? {
            task = task.goal(goal);
        }
    }
    let task = task.build()?;
    let options = EngineOptions {
        engine: EngineChoice::BuiltIn,
        ..EngineOptions::default()
    };
    ImageGenerator::open(&task, &options)?.generate(&task, &mut ())
}

/// A disc, half of it transparent.
fn disc(folder: &Path) -> PathBuf {
    let path = folder.join("disc.png");
    let pixels = Array3::from_shape_fn((4, SIDE, SIDE), |(channel, y, x)| {
        let off = |at: usize| at as f32 + 0.5 - SIDE as f32 / 2.0;
        let is_inside = off(y).hypot(off(x)) < 5.0;
        match channel {
            3 if x < SIDE / 2 => 0.0,
            3 => 1.0,
            _ if is_inside => -1.0 + 0.4 * channel as f32,
            _ => 1.0,
        }
    });
    Picture(pixels).save(&path, None).unwrap();
    path
}

#[test]
fn pictures_of_every_number_of_channels_are_made_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let disc = disc(folder.path()).display().to_string();
    let score = folder.path().join("score.onnx");
    reward(&score, ["1", "3", "12", "20"], 127.5);
    for channels in [1, 3, 4] {
        let model = package(folder.path(), channels);
        for (loss, augmentations) in [
            (format!("sketch={disc}"), 0),
            (format!("colour={disc}"), 0),
            (format!("sr=2,image={disc}"), 0),
            (format!("blur=1.5,image={disc}"), 0),
            ("text=a red heart".to_owned(), 2),
            (format!("identity={disc}"), 0),
            (format!("reward={}", score.display()), 3),
        ] {
            let images = run(&model, std::slice::from_ref(&loss), augmentations).unwrap();
            assert_eq!(images.len(), 3, "{loss}");
            for image in &images {
                assert_eq!(image.picture.0.dim(), (channels, SIDE, SIDE));
                assert!(image.report.losses.values().all(|loss| loss.is_finite()));
                let path = folder.path().join("out.png");
                image.save(&path).unwrap();
                let read = ReadPicture::open(&path).unwrap();
                let back = read.with_channels(channels).unwrap();
                let opaque = |y, x| channels != 4 || image.picture.0[[3, y, x]] > -0.9;
                for ((channel, y, x), value) in image.picture.0.indexed_iter() {
                    let off = (back.0[[channel, y, x]] - value).abs();
                    assert!(!opaque(y, x) || off < 0.5 / 127.5 + 1e-5, "{loss}: {off}");
                }
            }
            save_strip(&images, &folder.path().join("strip.png")).unwrap();
        }
    }
}

#[test]
fn a_reward_with_a_size_and_a_batch_of_its_own_rises() {
    let folder = tempfile::tempdir().unwrap();
    let model = package(folder.path(), 3);
    let network = |name: &str, dims: [&str; 4], shift: f32| {
        let path = folder.path().join(name);
        reward(&path, dims, shift);
        path.display().to_string()
    };
    let free = network("free.onnx", ["n", "3", "16", "16"], 0.0);
    let rewarded = |loss: String, augmentations: usize| {
        let images = run(&model, &[loss], augmentations).unwrap();
        let pixels = |image: &GeneratedImage| f64::from(image.picture.0.mean().unwrap());
        let losses = images
            .iter()
            .flat_map(|image| image.report.losses.values().copied());
        (
            images.iter().map(pixels).collect::<Vec<_>>(),
            losses.collect::<Vec<_>>(),
        )
    };
    let (expected, _) = rewarded(format!("reward:40={free}"), 4);
    // The same reward, in other numbers: bytes, channels last, a batch of two, another size.
    let bytes = network("bytes.onnx", ["2", "32", "16", "3"], 127.5);
    for (loss, scale) in [
        (format!("reward:0.3137254901960784={bytes}"), 127.5),
        (format!("reward:40={free},input=bgr+-1..1"), 1.0),
    ] {
        let (got, losses) = rewarded(loss.clone(), 4);
        for ((got, expected), loss_value) in got.iter().zip(&expected).zip(&losses) {
            assert!((got - expected).abs() < 1e-4, "{loss}: {got} {expected}");
            assert!(
                (loss_value + scale * got).abs() < 1e-3 * scale,
                "{loss}: {loss_value}"
            );
        }
    }
}

#[test]
fn what_a_network_cannot_see_is_said_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let model = package(folder.path(), 3);
    let network = |dims: [&str; 4], shift: f32| {
        let path = folder.path().join("net.onnx");
        reward(&path, dims, shift);
        path.display().to_string()
    };
    let refused = |loss: String| {
        let error = run(&model, &[loss], 0).unwrap_err();
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        text
    };
    let fixed = ["1", "3", "224", "224"];
    let message = refused(format!("reward={}", network(fixed, 0.0)));
    for part in [
        "net.onnx",
        "`images` float32 [1, 3, 224, 224]",
        "input=imagenet",
    ] {
        assert!(message.contains(part), "{message} lacks {part}");
    }
    let loss = format!("reward={},input=0..1+64x64", network(fixed, 0.0));
    assert!(refused(loss).contains("the graph fixes 224x224"));
    let loss = format!("class={}:3", network(["n", "3", "16", "16"], 0.0));
    assert!(refused(loss).contains("class 3 is none of the 1"));
    let loss = format!("reward={}", network(["n", "5", "16", "16"], 0.0));
    assert!(refused(loss).contains("it takes 5 channels"));
}
