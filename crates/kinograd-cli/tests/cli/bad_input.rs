//! Bad input gives exit code 1, one clear error that names the thing, no panic and no file.

use std::path::Path;

use crate::support::{Run, command, files, kinograd};

/// A generate command that would work but for `change`.
fn generate(change: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut args = vec!["generate"];
    if change.first().is_none_or(|first| first.starts_with('-')) {
        args.push("a person walks");
    }
    args.extend(change);
    args.extend(["--runtime", "builtin", "-o", "walk.glb"]);
    let run = kinograd(folder.path(), &args);
    assert_eq!(files(folder.path()), Vec::<String>::new(), "{args:?}");
    run
}

fn refused(run: &Run, parts: &[&str]) {
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr.starts_with("error: "),
        "an error comes first: {}",
        run.stderr
    );
    assert_eq!(run.stderr.matches("error:").count(), 1, "{}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    for part in parts {
        assert!(run.stderr.contains(part), "no `{part}` in: {}", run.stderr);
    }
}

#[test]
fn prompts() {
    refused(&generate(&[""]), &["prompt: is empty"]);
    refused(&generate(&[" \t "]), &["prompt: is empty"]);
    let long = "walk ".repeat(2000);
    refused(&generate(&[&long]), &["prompt: has 9999 characters"]);
}

#[test]
fn draws_and_iterations() {
    refused(
        &generate(&["--best-of", "0"]),
        &["--best-of: 0 is outside 1"],
    );
    refused(
        &generate(&["--n", "100", "--best-of", "50"]),
        &["--best-of", "1000 draws"],
    );
    let target = ["--target", "1,2"];
    let with = |more: &[&str]| generate(&[&target[..], more].concat());
    refused(
        &with(&["--iterations", "5"]),
        &["--iterations: 5: projection acts step by step"],
    );
    refused(
        &with(&["--method", "dno", "--sampler", "ddpm"]),
        &["--sampler: ddpm: dno optimises through ddim"],
    );
    refused(
        &with(&["--method", "dno", "--interval", "0..500"]),
        &["dno optimises the noise of a whole run"],
    );
}

#[test]
fn methods_of_whole_runs_are_not_compared_at_equal_calls() {
    let folder = tempfile::tempdir().unwrap();
    let dno = ["--method", "dno", "--runtime", "builtin", "-q"];
    for (command, why) in [
        (&["bench", "guidance"][..], "at equal calls"),
        (&["bench", "trajectory"], "at equal calls"),
        (
            &["diagnose", "a person walks", "--target", "1,2"],
            "no steps to diagnose",
        ),
    ] {
        let run = kinograd(folder.path(), &[command, &dno].concat());
        refused(&run, &["dno takes many runs", why]);
    }
}

#[test]
fn places() {
    refused(&generate(&["--target", "here"]), &["--target", "'here'"]);
    refused(
        &generate(&["--target", "nan,1"]),
        &["--target", "not a finite number"],
    );
    refused(
        &generate(&["--target", "inf,1"]),
        &["--target", "not a finite number"],
    );
    refused(
        &generate(&["--target", "1,2@-1"]),
        &["--target: -1 must lie within the clip"],
    );
    refused(
        &generate(&["--waypoint", "1,2"]),
        &["--waypoint", "needs its time"],
    );
    refused(
        &generate(&["--obstacle", "1,1,-0.5"]),
        &["--obstacle: ", "radius_m: -0.5", "positive sizes"],
    );
    refused(
        &generate(&["--obstacle", "0.1,0.1,0.5"]),
        &["--obstacle: ", "must not cover the start"],
    );
    refused(
        &generate(&["--target", "-2,3", "--obstacle", "-2,3,0.5"]),
        &["--target: [-2, 3] must not lie within an obstacle"],
    );
}

#[test]
fn numbers() {
    refused(
        &generate(&["--text-guidance", "-1"]),
        &["text-guidance: -1 is outside"],
    );
    refused(
        &generate(&["--seconds", "0"]),
        &["seconds: 0 must be above 0"],
    );
    refused(
        &generate(&["--seconds", "1000"]),
        &["seconds: 1000 must be above 0"],
    );
    refused(
        &generate(&["--seconds", "-3"]),
        &["seconds: -3 must be above 0"],
    );
    refused(&generate(&["--steps", "0"]), &["steps: 0 is outside"]);
    refused(&generate(&["--n", "0"]), &["n: 0 is outside"]);
    refused(&generate(&["--cfg", "nan"]), &["cfg: NaN is outside"]);
    refused(&generate(&["--fps", "0"]), &["fps: 0 is outside"]);
}

#[test]
fn choices() {
    refused(
        &generate(&["--provider", "gpu"]),
        &["--provider", "'gpu'", "auto, cpu, cuda, tensorrt"],
    );
    refused(&generate(&["--method", "magic"]), &["--method", "'magic'"]);
    refused(&generate(&["--sampler", "euler"]), &["'euler'", "ddim"]);
    refused(&generate(&["--wings"]), &["--wings"]);
}

#[test]
fn models() {
    refused(
        &generate(&["--model", "nowhere"]),
        &["no model package `nowhere`", "looked in"],
    );
    refused(&generate(&["--model", "./nowhere"]), &["./nowhere"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.json"), "{ not json").unwrap();
    let path = folder.path().to_str().unwrap();
    refused(&generate(&["--model", path]), &["model.json"]);
}

#[test]
fn outputs() {
    let folder = tempfile::tempdir().unwrap();
    let generate = |output: &str| {
        kinograd(
            folder.path(),
            &[
                "generate",
                "a person walks",
                "--runtime",
                "builtin",
                "-o",
                output,
            ],
        )
    };
    refused(
        &generate("walk.abc"),
        &["walk.abc", ".glb, .fbx, .bvh, .npz, .png or .json"],
    );
    refused(&generate("walk"), &["walk", ".glb"]);
    refused(&generate("no/such/walk.glb"), &["no/such"]);
    std::fs::create_dir(folder.path().join("taken.glb")).unwrap();
    refused(&generate("taken.glb"), &["taken.glb", "folder"]);
    assert_eq!(files(folder.path()), ["taken.glb"]);
}

/// Converts the given bytes, named `take.bvh`, to a GLB.
fn convert(bytes: &[u8]) -> (Run, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("take.bvh"), bytes).unwrap();
    let run = kinograd(folder.path(), &["convert", "take.bvh", "take.glb"]);
    (run, files(folder.path()))
}

/// A rig of `joints` joints in chains of at most 50 from the root, and `frames` frames that sway.
fn bvh(joints: usize, frames: usize, newline: &str, indent: &str) -> String {
    const CHAIN: usize = 50;
    let mut lines = vec!["HIERARCHY".to_owned()];
    let mut depth = 0;
    let close = |lines: &mut Vec<String>, depth: &mut usize, down_to: usize| {
        lines.extend(["End Site", "{", "OFFSET 0 10 0", "}"].map(str::to_owned));
        lines.extend(std::iter::repeat_n("}".to_owned(), *depth - down_to));
        *depth = down_to;
    };
    for joint in 0..joints {
        if depth == CHAIN {
            close(&mut lines, &mut depth, 1);
        }
        let pad = indent.repeat(depth);
        let (kind, channels) = if joint == 0 {
            (
                "ROOT",
                "6 Xposition Yposition Zposition Zrotation Xrotation Yrotation",
            )
        } else {
            ("JOINT", "3 Zrotation Xrotation Yrotation")
        };
        lines.push(format!("{pad}{kind} Knöchel{joint}"));
        lines.push(format!("{pad}{{"));
        lines.push(format!("{pad}{indent}OFFSET 0.0 10.0 0.0"));
        lines.push(format!("{pad}{indent}CHANNELS {channels}"));
        depth += 1;
    }
    close(&mut lines, &mut depth, 0);
    lines.push("MOTION".to_owned());
    lines.push(format!("Frames: {frames}"));
    lines.push("Frame Time: 0.05".to_owned());
    for frame in 0..frames {
        let values: Vec<String> = (0..joints * 3 + 3)
            .map(|i| format!("{}", (frame + i) % 7))
            .collect();
        lines.push(values.join(" "));
    }
    lines.join(newline) + newline
}

#[test]
fn broken_bvh_files() {
    let good = bvh(4, 5, "\n", "  ");
    let cut = &good[..good.len() - 12];
    let (run, left) = convert(cut.as_bytes());
    refused(&run, &["take.bvh", "line"]);
    assert_eq!(left, ["take.bvh"]);
    let half = &good[..good.len() / 3];
    refused(&convert(half.as_bytes()).0, &["take.bvh", "line"]);
    let nan = good.replacen("Frame Time: 0.05\n0 ", "Frame Time: 0.05\nnan ", 1);
    assert_ne!(nan, good);
    refused(&convert(nan.as_bytes()).0, &["take.bvh", "line", "nan"]);
    let none = good.split("Frames: 5").next().unwrap().to_owned() + "Frames: 0\nFrame Time: 0.05\n";
    refused(&convert(none.as_bytes()).0, &["take.bvh", "frames"]);
    refused(&convert(b"").0, &["take.bvh"]);
    refused(&convert(&[0, 159, 146, 150]).0, &["take.bvh"]);
    let folder = tempfile::tempdir().unwrap();
    let run = kinograd(folder.path(), &["convert", "missing.bvh", "take.glb"]);
    refused(&run, &["missing.bvh", "No such file"]);
}

#[test]
fn odd_bvh_files_that_are_fine() {
    for text in [
        bvh(4, 5, "\r\n", "\t"),
        bvh(4, 5, "\n", "\t").replace(' ', "\t"),
        bvh(300, 3, "\n", " "),
        bvh(4, 1, "\n", "  "),
    ] {
        let (run, left) = convert(text.as_bytes());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(left, ["take.bvh", "take.glb"]);
    }
    let latin1: Vec<u8> = bvh(4, 5, "\n", "  ").chars().map(|c| c as u8).collect();
    let (run, left) = convert(&latin1);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(left, ["take.bvh", "take.glb"]);
}

#[test]
fn broken_models_have_no_gradient() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.onnx"), b"not a model").unwrap();
    let run = kinograd(folder.path(), &["grad", "bad.onnx", "-o", "out.onnx"]);
    refused(&run, &["bad.onnx", "not an ONNX model"]);
    let run = kinograd(folder.path(), &["grad", "none.onnx", "-o", "out.onnx"]);
    refused(&run, &["none.onnx", "No such file"]);
    assert_eq!(files(folder.path()), ["bad.onnx"]);
}

/// A limit on file size makes writes fail as a full disk does.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_no_half_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("take.bvh"), bvh(50, 2000, "\n", " ")).unwrap();
    for output in ["take.glb", "take.npz", "copy.bvh"] {
        let binary = command(folder.path()).get_program().to_owned();
        let script = format!(
            "trap '' XFSZ; ulimit -f 16; exec {} convert take.bvh {output}",
            Path::new(&binary).display()
        );
        let mut shell = std::process::Command::new("bash");
        shell
            .args(["-c", &script])
            .current_dir(folder.path())
            .env("NO_COLOR", "1");
        let run = Run::from(shell.output().unwrap());
        refused(&run, &[output, "File too large"]);
        assert_eq!(files(folder.path()), ["take.bvh"]);
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_fine() {
    let folder = tempfile::tempdir().unwrap();
    let binary = command(folder.path()).get_program().to_owned();
    let script = format!(
        "set -o pipefail; {} completions bash | true",
        Path::new(&binary).display()
    );
    let run = Run::from(
        std::process::Command::new("bash")
            .args(["-c", &script])
            .output()
            .unwrap(),
    );
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}
