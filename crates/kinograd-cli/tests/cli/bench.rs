//! `kinograd bench`, with few clips of few steps.

use crate::support::{files, kinograd};

const SMALL: [&str; 8] = [
    "--prompt",
    "a person walks",
    "--seeds",
    "1",
    "--calls",
    "3",
    "--runtime",
    "builtin",
];

#[test]
fn guidance_is_compared_and_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut args = vec![
        "bench",
        "guidance",
        "--method",
        "projection",
        "--calls-only",
    ];
    args.extend(SMALL);
    args.extend(["--json", "--markdown", "table.md", "--plot", "plot.png"]);
    let run = kinograd(folder.path(), &args).ok();
    let report = run.json();
    assert_eq!(report["schema"], "kinograd.bench-guidance/1");
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["candidate"]["method"], "none");
    let error_m = |row: usize| {
        let interval = &rows[row]["summary"]["target_error_m"];
        assert_eq!(interval["count"], 3);
        interval["mean"].as_f64().unwrap()
    };
    assert!(
        error_m(1) < 0.05 && error_m(0) > 0.3,
        "{} {}",
        error_m(1),
        error_m(0)
    );
    let judged = |row: usize| {
        let score = rows[row]["summary"]["judge_score"]["mean"]
            .as_f64()
            .unwrap();
        assert!(score.abs() <= 1.0, "{score}");
        score
    };
    assert_ne!(judged(0), judged(1));
    let own = rows[0]["summary"]["text_score"]["mean"].as_f64().unwrap();
    assert_ne!(judged(0), own);
    assert_eq!(report["judge"], "motion-judge 0.1.0");
    let markdown = std::fs::read_to_string(folder.path().join("table.md")).unwrap();
    assert!(markdown.contains("| projection | 3 |"), "{markdown}");
    let mut args = vec!["bench", "guidance", "--judge", "nobody"];
    args.extend(SMALL);
    let wrong = kinograd(folder.path(), &args);
    assert_eq!(wrong.code, Some(1), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("nobody"), "{}", wrong.stderr);

    std::fs::write(folder.path().join("report.json"), &run.stdout).unwrap();
    let shown = kinograd(
        folder.path(),
        &[
            "bench",
            "guidance",
            "--from",
            "report.json",
            "--json",
            "--markdown",
            "again.md",
        ],
    )
    .ok();
    assert_eq!(shown.json()["rows"].as_array().unwrap().len(), 2);
    let again = std::fs::read_to_string(folder.path().join("again.md")).unwrap();
    assert_eq!(again, markdown);
    std::fs::write(folder.path().join("other.json"), "{}").unwrap();
    let wrong = kinograd(
        folder.path(),
        &["bench", "guidance", "--from", "other.json"],
    );
    assert_eq!(wrong.code, Some(1), "{}", wrong.stderr);
    assert_eq!(
        files(folder.path()),
        [
            "again.md",
            "other.json",
            "plot.png",
            "report.json",
            "table.md"
        ]
    );
}

#[test]
fn keyframes_of_the_pelvis_are_met_by_projection() {
    let folder = tempfile::tempdir().unwrap();
    let mut args = vec!["bench", "trajectory", "--method", "projection"];
    args.extend(SMALL);
    args.push("--json");
    let report = kinograd(folder.path(), &args).ok().json();
    assert_eq!(report["source"], "generated");
    let rows = report["rows"].as_array().unwrap();
    // Two joints, five numbers of keyframes, with and without steering.
    assert_eq!(rows.len(), 20);
    let average_m = |row: usize| rows[row]["average_m"]["mean"].as_f64().unwrap();
    assert_eq!(rows[1]["joint"], "pelvis");
    assert!(average_m(1) < 0.3 && average_m(1) < average_m(0));
}

#[test]
fn optimisation_of_the_simulation() {
    let folder = tempfile::tempdir().unwrap();
    let short = ["bench", "optimize", "--rounds", "1", "--pretraining", "20"];
    let engine = ["--runtime", "builtin", "--plot", "a.png", "--json", "-q"];
    let args = [&short[..], &engine].concat();
    let report = kinograd(folder.path(), &args).ok().json();
    assert_eq!(report["schema"], "kinograd.simulation/1");
    assert_eq!(report["runs"].as_array().unwrap().len(), 8);
    assert_eq!(files(folder.path()), ["a.png"]);
    for (option, part) in [
        (["--rounds", "0"], "rounds: 0 is outside"),
        (["--learning-rate", "-1"], "learning rate: -1; it must"),
        (["--max-move", "-1"], "max move: -1; it must"),
    ] {
        let run = kinograd(
            folder.path(),
            &[&["bench", "optimize"], &option[..]].concat(),
        );
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
}

/// `bench image` or `tune-image` on tiny packages, with little to do.
fn images(folder: &std::path::Path, command: &str, more: &[&str]) -> crate::support::Run {
    let packages = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/image_package/"
    );
    let package = |name: &str| format!("{packages}{name}");
    let (model, clip) = (package("tiny-64"), package("tiny-clip"));
    let (judge, seg) = (package("tiny-judge"), package("tiny-seg"));
    let mut args = vec![
        "bench",
        command,
        "--runtime",
        "builtin",
        "-q",
        "--calls",
        "3",
    ];
    args.extend(["--model", &model, "--text-model", &clip]);
    args.extend(["--judge", &judge, "--seg-model", &seg]);
    args.extend(more);
    kinograd(folder, &args)
}

#[test]
fn pictures_are_compared_and_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let few = [
        "--prompt",
        "a red heart",
        "--prompt",
        "a blue star",
        "--seeds",
        "1",
    ];
    let mut args = few.to_vec();
    args.extend([
        "--method",
        "mpgd",
        "--guidance-scale",
        "200",
        "--augment",
        "2",
    ]);
    args.extend(["--json", "--markdown", "table.md", "--plot", "plot.png"]);
    args.extend(["--grid", "grid.png"]);
    let run = images(folder.path(), "image", &args).ok();
    let report = run.json();
    assert_eq!(report["schema"], "kinograd.bench-image/1");
    let rows = report["rows"].as_array().unwrap();
    // None, MPGD and, for texts, MPGD with augmentations; each at both budgets.
    assert_eq!(rows.len(), 2 * (3 + 2 + 2));
    for row in rows {
        let pictures = row["pictures"].as_array().unwrap();
        let targets = if row["goal"] == "text" { 2 } else { 6 };
        assert_eq!(pictures.len(), targets, "{row}");
        assert!(row["frechet"].as_f64().unwrap() > 0.0);
        assert_eq!(row["summary"]["overlap"].is_null(), row["goal"] != "seg");
        assert_eq!(row["summary"]["gap"].is_null(), row["goal"] != "text");
    }
    // A seed of its own for each target, the same for each method.
    let seeds = |row: usize| {
        let pictures = rows[row]["pictures"].as_array().unwrap();
        let seeds = pictures.iter().map(|picture| picture["seed"].as_u64());
        seeds.collect::<Option<Vec<_>>>().unwrap()
    };
    assert_eq!((seeds(0), seeds(1)), (vec![0, 1], vec![0, 1]));
    // The drawing's loss needs no network: its gradient leads to it.
    let distance = |method: &str| {
        let mut found = rows.iter().filter(|row| {
            row["goal"] == "sketch"
                && row["budget"] == "calls"
                && row["candidate"]["method"] == method
        });
        found.next().unwrap()["summary"]["distance"]["mean"]
            .as_f64()
            .unwrap()
    };
    assert!(distance("mpgd") < distance("none"));
    let markdown = std::fs::read_to_string(folder.path().join("table.md")).unwrap();
    assert!(
        markdown.contains("| mpgd + RA 2 | 3 | 200.000 |"),
        "{markdown}"
    );

    std::fs::write(folder.path().join("report.json"), &run.stdout).unwrap();
    let again = ["--from", "report.json", "--json", "--markdown", "again.md"];
    let shown = kinograd(
        folder.path(),
        &[&["bench", "image"], again.as_slice()].concat(),
    )
    .ok();
    assert_eq!(shown.json(), report);
    let again = std::fs::read_to_string(folder.path().join("again.md")).unwrap();
    assert_eq!(again, markdown);
    assert_eq!(
        files(folder.path()),
        [
            "again.md",
            "grid.png",
            "plot.png",
            "report.json",
            "table.md"
        ]
    );
}

#[test]
fn strengths_of_pictures_are_tuned_by_one_protocol_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let run = images(
        folder.path(),
        "tune-image",
        &["--method", "mpgd", "--goal", "sketch", "--json"],
    )
    .ok();
    let report = run.json();
    assert_eq!(report["schema"], "kinograd.bench-tune-image/1");
    let tuned = &report["methods"][0];
    let tried = tuned["tried"].as_array().unwrap();
    assert_eq!(tried.len(), 7);
    let least = tried
        .iter()
        .map(|trial| trial["objective"].as_f64().unwrap());
    assert_eq!(tuned["objective"], least.fold(f64::INFINITY, f64::min));
    std::fs::write(folder.path().join("tuned.json"), &run.stdout).unwrap();
    let args = ["--goal", "sketch", "--method", "mpgd", "--calls-only"];
    let more = ["--seeds", "1", "--tuned", "tuned.json", "--json"];
    let used = images(folder.path(), "image", &[args.as_slice(), &more].concat()).ok();
    assert_eq!(used.json()["rows"][1]["guidance_scale"], tuned["scale"]);
}
