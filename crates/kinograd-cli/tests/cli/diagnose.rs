//! `diagnose` end to end on the repository's model and the built-in engine.

use crate::support::{files, kinograd};

const SHORT: [&str; 10] = [
    "diagnose",
    "a person walks forward",
    "--seconds",
    "1",
    "--steps",
    "2",
    "--runtime",
    "builtin",
    "-q",
    "--json",
];

#[test]
fn every_quantity_is_measured_and_something_follows() {
    let folder = tempfile::tempdir().unwrap();
    let mut args = SHORT.to_vec();
    args.extend(["--target", "-0.5,0.8", "--text-guidance", "0.5"]);
    args.extend(["--calls", "1,3", "--plot", "a.png", "-o", "a.json"]);
    let run = kinograd(folder.path(), &args).ok();
    assert_eq!(files(folder.path()), ["a.json", "a.png"]);
    let report = run.json();
    assert_eq!(report["schema"], "kinograd.diagnose/1");
    let steps = report["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2);
    for step in steps {
        assert!(step["loss"].as_f64().unwrap() >= 0.0);
        assert!(step["pl_ratio"].as_f64().unwrap() > 0.0);
    }
    let terms = report["terms"].as_array().unwrap();
    assert_eq!(terms[0]["name"], "goals");
    assert!(terms[0]["adversarial_share"].is_null());
    assert!(terms[0]["smoothness"]["augmented"].is_null());
    assert!(terms[0]["guided"].as_f64().unwrap() < terms[0]["unguided"].as_f64().unwrap());
    assert_eq!(terms[1]["name"], "text");
    for key in ["plain", "augmented"] {
        assert!(terms[1]["smoothness"][key].as_f64().unwrap() > 0.0, "{key}");
    }
    let calls = report["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|row| row["loss"].is_f64()));
    let advice = &report["recommendation"];
    assert!([1, 3].contains(&advice["steps"].as_u64().unwrap()));
    assert_eq!(advice["evidence"].as_array().unwrap().len(), 5);
}

#[test]
fn what_cannot_be_diagnosed_is_named() {
    for (more, part) in [
        (vec![], "goals: nothing steers"),
        (
            vec!["--target", "0,1", "--calls", "0"],
            "calls: 0 is outside",
        ),
        (vec!["--target", "0,1", "--n", "9"], "n: 9 clips"),
        (
            vec!["--target", "0,1", "-o", "a.glb"],
            "a.glb is no .json file",
        ),
        (
            vec!["--target", "0,1", "--plot", "a.glb"],
            "a.glb is no .png file",
        ),
        (vec!["--loss-onnx", "none.onnx"], "none.onnx"),
        (vec!["--loss-onnx", "none.onnx,-1"], "--loss-onnx: -1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut args = SHORT.to_vec();
        args.extend(&more);
        let run = kinograd(folder.path(), &args);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(run.stderr.contains(part), "no `{part}` in: {}", run.stderr);
        assert_eq!(files(folder.path()), Vec::<String>::new(), "{more:?}");
    }
}

#[test]
fn a_second_network_judges() {
    let folder = tempfile::tempdir().unwrap();
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let network = |name: &str| {
        let path = golden.join("score_network").join(name);
        path.display().to_string()
    };
    let (steers, judges) = (network("low_hands.onnx"), network("low_left_hand.onnx"));
    let mut args = SHORT
        .map(|word| if word == "2" { "5" } else { word })
        .to_vec();
    args.extend(["--loss-onnx", &steers, "--method", "normalized"]);
    args.extend(["--calls", "2"]);
    let share = |args: &[&str]| {
        let report = kinograd(folder.path(), args).ok().json();
        let term = report["terms"][0].clone();
        assert!(
            term["guided"].as_f64() < term["unguided"].as_f64(),
            "{term}"
        );
        (
            term["adversarial_share"].as_f64().unwrap(),
            term["judge"].clone(),
        )
    };
    let (by_itself, judge) = share(&args);
    assert!(
        by_itself.abs() < 0.1,
        "the mean of noisy copies: {by_itself}"
    );
    assert!(judge.is_null());
    let twice = ["--judge-onnx", &judges, "--judge-onnx", &judges];
    let (by_another, judge) = share(&[&args[..], &twice[..2]].concat());
    assert!(
        by_another.abs() < 0.9 && by_another != by_itself,
        "{by_another}"
    );
    assert!(judge.as_str().unwrap().contains("low_left_hand"), "{judge}");

    let run = kinograd(folder.path(), &[&args[..], &twice].concat());
    assert_eq!(run.code, Some(1));
    let part = "judge: 2 networks judge, but 1 steer";
    assert!(run.stderr.contains(part), "{}", run.stderr);
}
