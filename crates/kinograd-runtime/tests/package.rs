//! Model packages: what is read, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking"
)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::package::{MAX_TOKENS, WORDS, clips, manifest, projection, write};
use common::{engines, max_difference, noise};
use kinograd_runtime::{
    Manifest, MotionEmbedding, Package, Role, RuntimeError, SessionOptions, TextEncoder,
    TrainedText, find_package, inspect,
};
use ndarray::{Array2, Axis};

#[test]
fn a_written_package_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let package = write(folder.path(), manifest());
    package.check().unwrap();
    let again = Package::open(folder.path().join("model.json")).unwrap();
    assert_eq!(again.manifest(), package.manifest());
    assert_eq!(again.constants().unwrap().std.len(), 6);
    let found = find_package(folder.path().to_str().unwrap()).unwrap();
    assert_eq!(found.manifest().name, "tiny");
}

#[test]
fn model_json_has_the_documented_keys() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), manifest());
    let text = std::fs::read_to_string(folder.path().join("model.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["kind"], "motion");
    assert_eq!(
        json["files"]["motion_embedding"]["path"],
        "motion_embedding.onnx"
    );
    assert_eq!(
        json["files"]["denoiser"]["sha256"].as_str().unwrap().len(),
        64
    );
    assert_eq!(json["prediction"], "x0");
    assert_eq!(json["schedule"]["kind"], "cosine");
    assert_eq!(json["representation"]["patch_frames"], 4);
    assert_eq!(json["conditioning"]["max_tokens"], 5);
    assert_eq!(json["defaults"]["cfg"], 1.5);
}

#[test]
fn the_words_of_the_training_and_the_defaults_are_read_or_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut own = manifest();
    own.text = Some(TrainedText {
        words: vec!["kicks".into(), "walks".into()],
        counts: [("kicks".to_owned(), vec![2])].into(),
        negations: vec!["moving the feet".into()],
    });
    own.defaults.least_text_score = Some(0.7);
    own.defaults.least_known_score = Some(0.8);
    let written = write(folder.path(), own);
    let path = folder.path().join("model.json");
    let read = || Package::open(folder.path());
    assert_eq!(read().unwrap().manifest(), written.manifest());
    let text = std::fs::read_to_string(&path).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (pointer, value, says) in [
        ("/text/words", "[]", "text.words is empty"),
        ("/text/words/0", "\"Kicks\"", "text.words: `Kicks`"),
        (
            "/text/words/0",
            "\"side-steps\"",
            "text.words: `side-steps`",
        ),
        ("/text/negations/0", "\"moving  it\"", "text.negations: ``"),
        ("/text/counts", "{\"a b\": [2]}", "text.counts: `a b`"),
        ("/text", "{\"wordss\": []}", "wordss"),
        ("/kind", "\"reward\"", "text: only motion"),
        (
            "/defaults/sampler",
            "\"euler\"",
            "`euler`, expected one of `ddim`",
        ),
        ("/defaults/steps", "0", "defaults.steps: 0 is outside 1 to"),
        ("/defaults/steps", "1001", "defaults.steps: 1001 is outside"),
        (
            "/defaults/least_known_score",
            "1.5",
            "defaults.least_known_score: 1.5 is no cosine",
        ),
        (
            "/defaults/least_text_score",
            "-2",
            "defaults.least_text_score: -2 is no cosine",
        ),
    ] {
        let mut edited = whole.clone();
        *edited.pointer_mut(pointer).unwrap() = serde_json::from_str(value).unwrap();
        std::fs::write(&path, edited.to_string()).unwrap();
        let error = read().unwrap_err().to_string();
        assert!(error.contains(says), "{pointer} {value}: {error}");
    }
}

#[test]
fn changed_missing_and_truncated_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let package = write(folder.path(), manifest());
    let path = folder.path().join("denoiser.onnx");
    let whole = std::fs::read(&path).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    for bytes in [&changed[..], &whole[..whole.len() / 2], b""] {
        std::fs::write(&path, bytes).unwrap();
        let error = package.model(Role::Denoiser).unwrap_err();
        assert!(matches!(error, RuntimeError::WrongHash { .. }), "{error}");
        assert!(error.to_string().contains("denoiser.onnx"), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    let error = package.model(Role::Denoiser).unwrap_err().to_string();
    assert!(error.contains("denoiser.onnx"), "{error}");
    assert!(package.check().is_err());
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("package");
    std::fs::create_dir(&inside).unwrap();
    let package = write(&inside, manifest());
    let text = std::fs::read_to_string(inside.join("model.json")).unwrap();
    let outside = folder.path().join("outside.onnx");
    std::fs::copy(inside.join("denoiser.onnx"), &outside).unwrap();
    for path in [
        "../outside.onnx",
        outside.to_str().unwrap(),
        "sub/../../outside.onnx",
        "",
        "..",
    ] {
        let edited = text.replace("\"denoiser.onnx\"", &format!("\"{path}\""));
        std::fs::write(inside.join("model.json"), edited).unwrap();
        let error = Package::open(&inside).unwrap_err();
        assert!(
            matches!(error, RuntimeError::PackagePath { .. }),
            "{path}: {error}"
        );
    }
    #[cfg(unix)]
    {
        std::fs::write(inside.join("model.json"), &text).unwrap();
        std::fs::remove_file(inside.join("denoiser.onnx")).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("denoiser.onnx")).unwrap();
        let error = package.model(Role::Denoiser).unwrap_err();
        assert!(matches!(error, RuntimeError::PackagePath { .. }), "{error}");
    }
}

#[test]
fn bad_descriptions_are_refused_with_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), manifest());
    let path = folder.path().join("model.json");
    let text = std::fs::read_to_string(&path).unwrap();
    for (from, to, reason) in [
        (
            "\"schema\": 1",
            "\"schema\": 2",
            "schema 2: this version reads schema 1",
        ),
        (
            "\"kind\": \"motion\"",
            "\"kind\": \"opera\"",
            "unknown variant `opera`",
        ),
        (
            "\"prediction\": \"x0\"",
            "\"prediction\": \"score\"",
            "unknown variant `score`",
        ),
        (
            "\"train_steps\": 1000",
            "\"train_steps\": 0",
            "train_steps must be 1 to",
        ),
        (
            "\"prediction\": \"x0\"",
            "\"prediction\": \"flow\"",
            "`flow` and schedule.kind `flow` go together",
        ),
        (
            "\"kind\": \"cosine\"",
            "\"kind\": \"linear\", \"beta_end\": 1.5",
            "schedule: beta",
        ),
        (
            "\"patch_frames\": 4",
            "\"patch_frames\": 0",
            "must be positive",
        ),
        (
            "\"name\": \"tiny\"",
            "\"name\": \"\"",
            "must be a plain, non-empty word",
        ),
        ("\"version\":", "\"release\":", "missing field `version`"),
        ("{", "", "model.json: "),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = Package::open(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains(reason) && error.contains("model.json"),
            "{error}"
        );
    }
    let error = Package::open(folder.path().join("nowhere"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("nowhere"), "{error}");
    assert!(matches!(
        find_package("no-such-model"),
        Err(RuntimeError::PackageNotFound { .. })
    ));
    assert!(matches!(
        find_package("../x"),
        Err(RuntimeError::PackageNotFound { .. })
    ));
    assert!(matches!(
        find_package(""),
        Err(RuntimeError::PackageNotFound { .. })
    ));
}

#[test]
fn constants_of_the_wrong_size_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong: Manifest = manifest();
    wrong.representation.as_mut().unwrap().features = 7;
    let package = write(folder.path(), wrong);
    let error = package.constants().unwrap_err().to_string();
    assert!(
        error.contains("array `mean` has shape [6], not [7]"),
        "{error}"
    );
}

#[test]
fn a_package_says_what_its_training_data_is_like() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/image_package");
    let package = Package::open(path.join("tiny-judge")).unwrap();
    let reference = package.reference().unwrap();
    assert_eq!(reference.mean.len(), 12);
    assert_eq!(reference.covariance.dim(), (12, 12));
    // Unit vectors: the trace of the covariance and the mean's square sum to 1, but for n − 1.
    let square = reference.mean.dot(&reference.mean);
    let trace = reference.covariance.diag().sum() * 59.0 / 60.0;
    assert!((square + trace - 1.0).abs() < 1e-5, "{square} + {trace}");
    let without = Package::open(path.join("tiny-clip")).unwrap();
    assert!(matches!(
        without.reference(),
        Err(RuntimeError::PackageRole { .. })
    ));
}

#[test]
fn texts_are_encoded_once_and_alone() {
    let folder = tempfile::tempdir().unwrap();
    let package = write(folder.path(), manifest());
    let table = Array2::from_shape_vec((WORDS.len(), 4), noise(WORDS.len() * 4, 21)).unwrap();
    for engine in engines() {
        let mut encoder = TextEncoder::open(&engine, &package, &SessionOptions::default()).unwrap();
        let texts = encoder
            .encode(&["walk forward", " JUMP ", "walk", "walk forward"])
            .unwrap();
        assert_eq!(texts.condition.dim(), (4, 4));
        assert_eq!(texts.embedding.dim(), (4, 3));
        let expected = ndarray::stack![
            Axis(0),
            &table.row(1) + &table.row(2),
            table.row(3),
            table.row(1),
            &table.row(1) + &table.row(2)
        ];
        let difference = max_difference(&texts.condition.clone().into_dyn(), &expected.into_dyn());
        assert!(difference < 1e-6, "{}: {difference}", engine.name());
        assert_eq!(texts.condition.row(0), texts.condition.row(3));

        // Cut at the limit: the sixth word changes nothing.
        let long = ["walk"; MAX_TOKENS].join(" ");
        let longer = format!("{long} jump");
        let cut = encoder.encode(&[&long, &longer]).unwrap();
        assert_eq!(cut.condition.row(0), cut.condition.row(1));
        assert_eq!(encoder.count_tokens(&longer).unwrap(), MAX_TOKENS + 1);

        for (bad, reason) in [
            ("  ", "prompt 1: it is empty"),
            (&"a".repeat(10_000), "prompt 1: it has 10000 characters"),
        ] {
            let error = encoder.encode(&["walk", bad]).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{error}");
        }
    }
}

#[test]
fn a_damaged_tokenizer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), manifest());
    std::fs::write(folder.path().join("tokenizer.json"), "{\"version\": 1}").unwrap();
    let package = kinograd_runtime::write_package(folder.path(), manifest()).unwrap();
    let engine = engines().remove(0);
    let result = TextEncoder::open(&engine, &package, &SessionOptions::default());
    let Err(error) = result else {
        panic!("it loaded")
    };
    assert!(matches!(error, RuntimeError::Tokenizer { .. }), "{error}");
}

#[test]
fn motion_embeddings_and_their_gradient_match_the_closed_form() {
    let folder = tempfile::tempdir().unwrap();
    let package = write(folder.path(), manifest());
    let features = clips(2, 9, 81);
    let lengths = [6, 9];
    let text = Array2::from_shape_vec((2, 3), noise(6, 82)).unwrap();
    let sums = Array2::from_shape_fn((2, 6), |(b, f)| {
        (0..lengths[b])
            .map(|frame| features[[b, frame, f]])
            .sum::<f32>()
    });
    let expected = sums.dot(&projection());
    for engine in engines() {
        let options = SessionOptions::default();
        let mut embedding = MotionEmbedding::open(engine.clone(), &package, options).unwrap();
        let rows = embedding.embed(&features, &lengths).unwrap();
        assert!(max_difference(&rows.into_dyn(), &expected.clone().into_dyn()) < 1e-5);
        let (values, gradient) = embedding
            .cosine_distance_and_grad(&features, &lengths, text.view())
            .unwrap();
        for clip in 0..2 {
            let value = 1.0 - expected.row(clip).dot(&text.row(clip));
            assert!((values[clip] - f64::from(value)).abs() < 1e-5);
            let row = -projection().dot(&text.row(clip));
            for frame in 0..9 {
                for feature in 0..6 {
                    let expected = if frame < lengths[clip] {
                        row[feature]
                    } else {
                        0.0
                    };
                    let got = gradient[[clip, frame, feature]];
                    assert!((got - expected).abs() < 1e-6, "{}", engine.name());
                }
            }
        }
    }
}

#[test]
fn inspecting_lists_what_a_graph_holds() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), manifest());
    let summary = inspect(&folder.path().join("motion_embedding.onnx")).unwrap();
    assert_eq!(summary.opset, 17);
    assert_eq!(summary.inputs[0].name, "features");
    assert_eq!(
        summary.inputs[0].shape.as_ref().unwrap(),
        &["batch", "frames", "6"]
    );
    assert_eq!(summary.outputs[0].name, "embedding");
    let ops = ["MatMul", "Mul", "ReduceSum", "Unsqueeze"];
    assert_eq!(
        summary.ops,
        BTreeMap::from(ops.map(|op| (op.to_owned(), 1)))
    );
    assert_eq!(summary.parameters, 18 + 2);
    assert!(inspect(&folder.path().join("tokenizer.json")).is_err());
}
