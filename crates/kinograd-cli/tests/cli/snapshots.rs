//! Exit code, stdout and stderr of each command, compared with stored text. To accept changes:
//! `KINOGRAD_ACCEPT=1 cargo test -p kinograd-cli`.

use std::path::{Path, PathBuf};

use crate::support::{Run, kinograd, two_joints};

fn snapshot(name: &str, run: &Run, folder: &Path) {
    let text = format!(
        "exit code {}\n--- stdout\n{}--- stderr\n{}",
        run.code.unwrap(),
        run.stdout,
        run.stderr
    )
    .replace(&folder.display().to_string(), "[FOLDER]");
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/snapshots/{name}.txt"));
    if std::env::var_os("KINOGRAD_ACCEPT").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
        return;
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == text,
        "{} differs; now:\n{text}\nstored:\n{stored}",
        path.display()
    );
}

fn check(name: &str, args: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("take.bvh"), two_joints("hips", "spine")).unwrap();
    let run = kinograd(folder.path(), args);
    snapshot(name, &run, folder.path());
}

#[test]
fn help_of_every_command() {
    for command in [
        "generate",
        "image",
        "batch",
        "serve",
        "cache",
        "diagnose",
        "optimize",
        "render",
        "convert",
        "dataset build",
        "dataset from-batch",
        "grad",
        "models",
        "models check",
        "models add",
        "runtime install",
        "eval",
        "eval model",
        "bench guidance",
        "bench tune",
        "bench trajectory",
        "bench optimize",
        "bench image",
        "bench tune-image",
    ] {
        let mut args: Vec<&str> = command.split(' ').collect();
        args.push("--help");
        check(&format!("help-{}", command.replace(' ', "-")), &args);
    }
    check("help", &["--help"]);
    check("no-command", &[]);
}

#[test]
fn convert() {
    check("convert", &["convert", "take.bvh", "take.glb"]);
    check(
        "convert-json",
        &["convert", "take.bvh", "take.npz", "--json"],
    );
    check("convert-unknown-rig", &["convert", "take.bvh", "take.png"]);
    check(
        "convert-unknown-format",
        &["convert", "take.bvh", "take.abc"],
    );
}

#[test]
fn errors() {
    check("generate-empty-prompt", &["generate", ""]);
    check(
        "generate-unknown-option",
        &["generate", "walk", "--speed", "2"],
    );
    check(
        "generate-obstacle-on-target",
        &[
            "generate",
            "walk",
            "--target",
            "-2,3",
            "--obstacle",
            "-2,3,1",
        ],
    );
    check(
        "generate-no-folder",
        &["generate", "walk", "-o", "no/walk.glb"],
    );
    check("grad-missing", &["grad", "none.onnx", "-o", "out.onnx"]);
    check(
        "dataset-missing",
        &["dataset", "build", "none", "-o", "data"],
    );
    check("eval-unknown-list", &["eval", "model", "--prompts", "easy"]);
    check(
        "runtime-missing",
        &["runtime", "info", "--runtime", "none.so"],
    );
}
