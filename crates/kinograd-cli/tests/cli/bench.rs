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
    assert_eq!(rows[0]["contestant"]["method"], "none");
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
    let markdown = std::fs::read_to_string(folder.path().join("table.md")).unwrap();
    assert!(markdown.contains("| projection | 3 |"), "{markdown}");

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
