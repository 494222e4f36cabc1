//! `models add --preset` and what its packages generate.

use std::path::Path;

use crate::support::{Run, files, kinograd};

fn golden(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/mdm");
    folder.join(path).display().to_string()
}

fn add(folder: &Path, preset: &str, source: &str, more: &[&str]) -> Run {
    let (source, text, stats) = (golden(source), golden("clip"), golden("stats"));
    let mut args = vec![
        "models", "add", &source, "--preset", preset, "--text", &text,
    ];
    args.extend(["--stats", &stats, "--name", "own", "--into", "models"]);
    args.extend(more);
    kinograd(folder, &args)
}

/// Generates towards a place and returns how far the clip is from it, metres.
fn guided(folder: &Path, method: &[&str]) -> f64 {
    let fixed = [
        "generate",
        "a person walks",
        "--model",
        "models/own",
        "--runtime",
        "builtin",
    ];
    let goal = ["--target", "1,2", "--seconds", "2", "--seed", "3", "--json"];
    let run = kinograd(
        folder,
        &[fixed.as_slice(), &goal, method, &["-o", "clip.npz"]].concat(),
    );
    let report = run.ok().json();
    report["clips"][0]["goals"][0]["off"].as_f64().unwrap()
}

#[test]
fn a_guided_clip_of_an_added_mdm_reaches_its_target() {
    let folder = tempfile::tempdir().unwrap();
    let dry = add(folder.path(), "mdm", "torchscript.onnx", &["--dry-run"]).ok();
    assert!(
        dry.stdout
            .contains("timestep as `timesteps` (int64 [1]): cast to int64"),
        "{}",
        dry.stdout
    );
    assert!(files(&folder.path().join("models")).is_empty());
    add(folder.path(), "mdm", "torchscript.onnx", &[]).ok();
    let off = guided(folder.path(), &[]);
    assert!(off < 0.05, "{off} m");
}

#[test]
fn a_guided_clip_of_an_added_gmd_reaches_its_target() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "gmd", "torchscript.onnx", &[]).ok();
    let off = guided(folder.path(), &[]);
    assert!(off < 0.05, "{off} m");
    // Tiny as it is, the network's own gradient brings a clip nearer.
    let off = ["none", "normalized"].map(|method| guided(folder.path(), &["--method", method]));
    assert!(off[1] < 0.8 * off[0], "{off:?} m");
}

#[test]
fn a_preset_needs_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let args = [
        "models", "add", "x.onnx", "--preset", "mdm", "--name", "own",
    ];
    let run = kinograd(folder.path(), &args);
    assert!(
        run.stderr.contains("--text <ONNX|FOLDER>"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("--stats <FOLDER>"), "{}", run.stderr);
}
