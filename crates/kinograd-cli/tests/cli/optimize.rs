//! `optimize` end to end on the repository's model and the built-in engine.

use std::path::Path;

use crate::support::{Run, files, kinograd};

fn optimize(folder: &Path, more: &[&str]) -> Run {
    let mut args = vec!["optimize", "a person jumps"];
    args.extend(more);
    args.extend(["--seconds", "1", "--steps", "2", "--rounds", "1"]);
    args.extend(["--runtime", "builtin", "-q"]);
    kinograd(folder, &args)
}

#[test]
fn a_reward_rises_and_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let more = [
        "--reward",
        "hand-raise",
        "--window",
        "0.2,0.8",
        "-o",
        "a.glb",
        "-o",
        "a.json",
        "--plot",
        "a.png",
        "--json",
    ];
    let run = optimize(folder.path(), &more).ok();
    assert_eq!(files(folder.path()), ["a.glb", "a.json", "a.png"]);
    let report = run.json();
    assert_eq!(report["schema"], "kinograd.optimize/1");
    assert_eq!(report["unit"], "m");
    let rounds = report["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), 2);
    let reward = |round: usize| rounds[round]["rewards"][0].as_f64().unwrap();
    assert!(reward(1) > reward(0), "{} {}", reward(0), reward(1));
    for key in ["text_scores", "jerks_m_s3", "residuals", "bone_stds_m"] {
        assert!(rounds[1][key][0].as_f64().unwrap().is_finite(), "{key}");
    }
    let clip = kinograd::Clip::load(
        &folder.path().join("a.glb"),
        &kinograd::LoadOptions::default(),
    )
    .unwrap();
    let record = &clip.provenance.extra["optimize"];
    assert_eq!(record["rewards"].as_array().unwrap().len(), 2);
    let optimization = clip.task().unwrap().optimization.clone().unwrap();
    assert_eq!(optimization.window_secs, Some([0.2, 0.8]));
    // The record makes the same again.
    let args = [
        "generate",
        "--from",
        "a.glb",
        "-o",
        "b.glb",
        "--runtime",
        "builtin",
        "-q",
    ];
    kinograd(folder.path(), &args).ok();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert!(read("a.glb") == read("b.glb"));
}

#[test]
fn several_deltas_make_a_curve() {
    let folder = tempfile::tempdir().unwrap();
    let reward = ["--reward", "hand-raise", "--trade-off", "0.05,0.2"];
    let files_of = ["-o", "curve.json", "--plot", "curve.png", "--json"];
    let run = optimize(folder.path(), &[&reward[..], &files_of[..]].concat()).ok();
    assert_eq!(files(folder.path()), ["curve.json", "curve.png"]);
    let report = run.json();
    assert_eq!(report["schema"], "kinograd.trade-off/1");
    let rows = report["rows"].as_array().unwrap();
    let end = |row: usize| rows[row]["rounds"][1]["rewards"][0].as_f64().unwrap();
    assert_eq!(
        rows[0]["rounds"][0]["rewards"],
        rows[1]["rounds"][0]["rewards"]
    );
    assert!(end(1) > end(0), "{} {}", end(0), end(1));
    assert_eq!(rows[1]["delta"], 0.2);

    let clip = optimize(folder.path(), &[&reward[..], &["-o", "a.glb"]].concat());
    assert_eq!(clip.code, Some(1));
    assert!(clip.stderr.contains("a.glb is no .json"), "{}", clip.stderr);
    let negative = ["--reward", "hand-raise", "--trade-off", "0.1,-1"];
    let negative = optimize(folder.path(), &negative);
    assert_eq!(negative.code, Some(1));
    assert!(negative.stderr.contains("delta: -1"), "{}", negative.stderr);
}

#[test]
fn algorithm_2_saves_a_package_with_its_lineage() {
    let folder = tempfile::tempdir().unwrap();
    let more = [
        "--reward",
        "jump-height",
        "--algorithm",
        "2",
        "--train-steps",
        "1",
        "--train-batch",
        "1",
        "--train-weights",
        "head/out",
        "--learning-rate",
        "0.01",
        "--save",
        "higher",
        "--into",
        "packages",
    ];
    optimize(folder.path(), &more).ok();
    let saved = folder.path().join("packages/higher");
    assert_eq!(files(&folder.path().join("packages")), ["higher"]);
    let package = kinograd::runtime::Package::open(&saved).unwrap();
    package.check().unwrap();
    let manifest = package.manifest();
    let lineage = manifest.lineage.as_ref().unwrap();
    assert_eq!(lineage.parent, "motion-base");
    assert_eq!(lineage.weights, ["head/out.weight", "head/out.bias"]);
    assert_eq!((lineage.rounds, lineage.training_steps), (1, 1));
    let parent = kinograd::runtime::find_package("motion-base").unwrap();
    parent.check().unwrap();
    let role = kinograd::runtime::Role::Denoiser;
    assert_eq!(lineage.parent_sha256, parent.manifest().files[&role].sha256);
    let differs = |role| manifest.files[&role].sha256 != parent.manifest().files[&role].sha256;
    assert!(differs(role));
    assert!(!differs(kinograd::runtime::Role::TextEncoder));
    // The name is taken now, which is said before any work.
    let again = optimize(folder.path(), &more);
    assert_eq!(again.code, Some(1));
    assert!(
        again.stderr.contains("is there already"),
        "{}",
        again.stderr
    );
}

#[test]
fn bad_input_is_named_and_leaves_nothing() {
    for (more, part) in [
        (vec!["--reward", "jump-hight"], "did you mean `jump-height`"),
        (vec!["--reward", "none.onnx"], "none.onnx"),
        (
            vec!["--reward", "jump-height", "--delta", "-1"],
            "delta: -1",
        ),
        (
            vec!["--reward", "jump-height", "--save", "mine"],
            "save: only algorithm 2",
        ),
        (
            vec![
                "--reward",
                "jump-height",
                "--algorithm",
                "2",
                "--train-weights",
                "nowhere",
            ],
            "no weight's name contains nowhere",
        ),
        (
            vec!["--reward", "jump-height", "--plot", "plot.glb"],
            "plot: plot.glb is no .png file",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut more = more;
        more.extend(["-o", "a.glb"]);
        let run = optimize(folder.path(), &more);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(run.stderr.contains(part), "no `{part}` in: {}", run.stderr);
        assert_eq!(files(folder.path()), Vec::<String>::new(), "{more:?}");
    }
}
