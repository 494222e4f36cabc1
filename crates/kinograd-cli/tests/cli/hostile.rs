//! Attacks that once worked: foreign files, folders, names and signals.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use kinograd::graph::GraphBuilder;

use crate::support::{Run, command, files, kinograd, models};

/// More than any refusal takes, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

fn corpus(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    folder.join(name).display().to_string()
}

fn tiny(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden/image_package")
        .join(name)
}

/// Runs, and expects exit code 1 soon, with these words, and no file more.
fn refused(folder: &Path, args: &[&str], words: &[&str]) -> Run {
    let (before, started) = (files(folder), Instant::now());
    let run = kinograd(folder, args);
    assert!(
        started.elapsed() < SOON,
        "{args:?}: {:?}",
        started.elapsed()
    );
    assert_eq!(run.code, Some(1), "{args:?}: {}{}", run.stdout, run.stderr);
    for word in words {
        assert!(
            run.stderr.contains(word),
            "{args:?} lacks {word}: {}",
            run.stderr
        );
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    assert_eq!(files(folder), before, "{args:?}");
    run
}

#[test]
fn clips_that_lie_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let convert = |input: &str, more: &[&str], words: &[&str]| {
        let input = corpus(input);
        let args = [&["convert", input.as_str(), "out.npz"], more].concat();
        refused(folder.path(), &args, words);
    };
    convert("stride0.glb", &[], &["accessor"]);
    convert("liehuge.npz", &[], &["bytes"]);
    let many = ["--fps", "1000"];
    convert("frames10M.glb", &many, &["joints × frames", "--budget"]);
    let sound = "frametime999.bvh";
    for (flag, value) in [
        ("--fps", "1e9"),
        ("--fps", "nan"),
        ("--fps", "0"),
        ("--fps", "-1"),
    ] {
        convert(sound, &[flag, value], &["--fps", "1000"]);
    }
    for value in ["0", "-1", "1e308", "nan"] {
        convert(sound, &["--unit", value], &["--unit"]);
    }
    let args = ["render", &corpus(sound), "-o", "out.png"];
    let started = Instant::now();
    let run = kinograd(folder.path(), &args);
    assert!(
        started.elapsed() < SOON && run.code.is_some_and(|code| code < 2),
        "{}",
        run.stderr
    );
}

#[test]
fn what_is_no_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.bvh");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.npz")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.onnx")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.png")).unwrap();
    let path = folder.path();
    refused(path, &["convert", "pipe.bvh", "out.glb"], &["a pipe"]);
    refused(path, &["convert", "zero.npz", "out.glb"], &["a device"]);
    refused(
        path,
        &["generate", "--task", "zero.json", "-o", "a.glb"],
        &["a device"],
    );
    refused(
        path,
        &["generate", "--from", "zero.png", "-o", "a.glb"],
        &["a device"],
    );
    refused(
        path,
        &["grad", "zero.onnx", "-o", "out.onnx"],
        &["a device"],
    );
    let package = path.join("package");
    std::fs::create_dir(&package).unwrap();
    std::fs::copy(tiny("tiny-64/model.json"), package.join("model.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", package.join("denoiser.onnx")).unwrap();
    refused(
        path,
        &[
            "models",
            "check",
            "--model",
            "./package",
            "--runtime",
            "builtin",
        ],
        &[],
    );
    std::fs::remove_file(package.join("denoiser.onnx")).unwrap();
    std::fs::rename(&pipe, package.join("denoiser.onnx")).unwrap();
    refused(
        path,
        &[
            "models",
            "check",
            "--model",
            "./package",
            "--runtime",
            "builtin",
        ],
        &["a pipe"],
    );
}

#[test]
fn tasks_ask_for_no_more_than_a_scene_can_mean() {
    let folder = tempfile::tempdir().unwrap();
    let task = |goals: &str, obstacles: &str| {
        let json = format!(
            r#"{{"duration_secs": 3, "prompts": [{{"text": "a person walks"}}],
                "goals": [{goals}], "obstacles": [{obstacles}]}}"#
        );
        let path = folder.path().join("task.json");
        std::fs::write(path, json).unwrap();
    };
    let run = |words: &[&str]| {
        let args = [
            "generate",
            "--task",
            "task.json",
            "--runtime",
            "builtin",
            "-o",
            "a.glb",
        ];
        refused(folder.path(), &args, words);
    };
    let obstacle = r#"{"shape": {"kind": "circle", "center_m": [9, 9], "radius_m": 0.1}}"#;
    task("", &vec![obstacle; 5000].join(","));
    run(&["obstacles", "5000", "256", "--budget"]);
    let point = r#"{"position_m": [0, 1]}"#;
    let points = vec![point; 20_000].join(",");
    task(
        &format!(r#"{{"kind": "waypoints", "points": [{points}]}}"#),
        "",
    );
    run(&["goals[0].points", "20000", "256"]);
    task(r#"{"kind": "speed", "speed_mps": 2147483648.0}"#, "");
    run(&["goals[0].speed_mps", "2147483648", "-100 to 100"]);
    std::fs::copy(corpus("weird-239.json"), folder.path().join("task.json")).unwrap();
    run(&["goals[1].speed_mps"]);
}

#[test]
fn pictures_and_noise_that_lie_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny("tiny-64").display().to_string();
    let seg = tiny("tiny-seg").display().to_string();
    let loss = format!("seg={}", corpus("min.png"));
    let base = [
        "image",
        "--runtime",
        "builtin",
        "--steps",
        "2",
        "--model",
        &model,
    ];
    let args = [
        &base[..],
        &["--seg-model", &seg, "--loss", &loss, "-o", "a.png"],
    ]
    .concat();
    refused(folder.path(), &args, &["min.png"]);
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 99999, 99999, 99999), }\n";
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    npy.extend(header.as_bytes());
    std::fs::write(folder.path().join("lie.npy"), npy).unwrap();
    let args = [&base[..], &["--noise", "lie.npy", "-o", "a.png"]].concat();
    refused(folder.path(), &args, &["lie.npy", "are there"]);
}

#[test]
fn threads_have_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    for runtime in ["builtin", "auto"] {
        let mut args = vec![
            "generate",
            "a person walks",
            "--threads",
            "100000",
            "-o",
            "a.glb",
        ];
        if runtime == "builtin" {
            args.extend(["--runtime", runtime]);
        }
        refused(folder.path(), &args, &["threads", "100000", "1024"]);
    }
}

/// A copy of a tiny package whose files can be changed.
fn copied(folder: &Path, name: &str) -> PathBuf {
    let package = folder.join("package");
    std::fs::create_dir(&package).unwrap();
    for entry in std::fs::read_dir(tiny(name)).unwrap() {
        let entry = entry.unwrap().path();
        std::fs::copy(&entry, package.join(entry.file_name().unwrap())).unwrap();
    }
    package
}

fn edited(path: &Path, edit: impl FnOnce(&mut serde_json::Value)) {
    let mut document = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    edit(&mut document);
    std::fs::write(path, serde_json::to_vec(&document).unwrap()).unwrap();
}

#[test]
fn packages_that_ask_for_too_much_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let package = copied(folder.path(), "tiny-64");
    std::fs::copy(corpus("big_latent.model.json"), package.join("model.json")).unwrap();
    std::fs::create_dir(folder.path().join("into")).unwrap();
    let add = ["models", "add", "./package", "--into", "into"];
    refused(folder.path(), &add, &["1024 × 4096 × 4096", "at most"]);
    refused(
        folder.path(),
        &["models", "show", "./package"],
        &["1024 × 4096 × 4096"],
    );
    assert!(files(&folder.path().join("into")).is_empty());
}

#[test]
fn names_are_plain_and_what_the_dead_left_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("into");
    let stale = into.join(".kinograd-0a1b2c3d4e5f.tmp");
    std::fs::create_dir_all(&stale).unwrap();
    std::fs::write(stale.join("denoiser.onnx"), "half").unwrap();
    let package = tiny("tiny-seg").display().to_string();
    let long = "n".repeat(300);
    let named = |name: &str| {
        let args = ["models", "add", &package, "--name", name, "--into", "into"];
        kinograd(folder.path(), &args)
    };
    for name in [&long, "a\u{1b}[2Jb", "../a", ".hidden"] {
        let started = Instant::now();
        let run = named(name);
        assert_eq!(run.code, Some(1));
        assert!(
            run.stderr.contains("name") && !run.stderr.contains('\u{1b}'),
            "{}",
            run.stderr
        );
        assert!(started.elapsed() < SOON);
    }
    named("mine").ok();
    assert_eq!(files(&into), ["mine"]);
    let mode = |name: &str| {
        let found = std::fs::metadata(into.join("mine").join(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    assert_eq!(mode("model.json"), mode("segmentation.onnx"));
}

#[test]
fn a_package_whose_gradient_is_wrong_is_not_added() {
    let folder = tempfile::tempdir().unwrap();
    // Steeper than the central difference can see.
    GraphBuilder::new("steep")
        .input("x_t", &["batch", "3", "16", "16"])
        .input("timestep", &["batch"])
        .output("x0", &["batch", "3", "16", "16"])
        .weights("steep", &[1], vec![3000.0])
        .node("Mul", &["x_t", "steep"], "far")
        .node("Sin", &["far"], "x0")
        .model()
        .write(folder.path().join("steep.onnx"))
        .unwrap();
    let like = tiny("tiny-64").display().to_string();
    let args = [
        "models",
        "add",
        "steep.onnx",
        "--name",
        "steep",
        "--like",
        &like,
        "--into",
        "into",
    ];
    let run = kinograd(folder.path(), &args);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("gradient"), "{}", run.stderr);
    let into = folder.path().join("into");
    assert!(!into.exists() || files(&into).is_empty());
}

#[test]
fn foreign_text_is_shown_and_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let package = copied(folder.path(), "tiny-seg");
    edited(&package.join("model.json"), |manifest| {
        manifest["licence"] = "MIT\u{1b}]0;owned\u{7}\nfolder        /elsewhere".into();
        manifest["limits"] = serde_json::json!(["\u{9b}2J", "\u{202e}txt"]);
    });
    for more in [
        &["models", "show", "./package"][..],
        &["models", "show", "./package", "--json"],
    ] {
        let run = kinograd(folder.path(), more).ok();
        let active = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!run.stdout.contains(active), "{:?}", run.stdout);
        assert!(
            !run.stdout.contains("\nfolder        /elsewhere"),
            "{}",
            run.stdout
        );
    }
    edited(&package.join("model.json"), |manifest| {
        manifest["name"] = "a\u{1b}[2Jb".into()
    });
    let run = kinograd(folder.path(), &["models", "show", "./package"]);
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
}

#[test]
fn a_tokenizer_that_panics_its_library_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let package = copied(folder.path(), "tiny-clip");
    let nested = |depth: usize| {
        let mut decoder = String::from(r#"{"type": "Fuse"}"#);
        for _ in 0..depth {
            decoder = format!(r#"{{"type": "Sequence", "decoders": [{decoder}]}}"#);
        }
        decoder
    };
    let path = package.join("tokenizer.json");
    let sound: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for depth in [40, 5_000] {
        let mut text = sound.clone();
        text["decoder"] = "here".into();
        let text = text.to_string().replace("\"here\"", &nested(depth));
        std::fs::write(&path, &text).unwrap();
        edited(&package.join("model.json"), |manifest| {
            let hash = kinograd::runtime::sha256_hex(text.as_bytes());
            manifest["files"]["tokenizer"]["sha256"] = hash.into();
        });
        let args = [
            "models",
            "check",
            "--model",
            "./package",
            "--runtime",
            "builtin",
        ];
        refused(folder.path(), &args, &["tokenizer"]);
    }
}

#[test]
fn models_of_the_current_folder_do_not_win_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("models/motion-base");
    std::fs::create_dir_all(&here).unwrap();
    std::fs::copy(tiny("tiny-seg/model.json"), here.join("model.json")).unwrap();
    std::os::unix::fs::symlink(&here, folder.path().join("motion-base")).unwrap();
    let show = |installed: bool| {
        let mut command = command(folder.path());
        if !installed {
            command.env("KINOGRAD_MODELS", folder.path().join("none"));
        }
        command
            .args(["models", "show", "motion-base"])
            .output()
            .unwrap()
            .into()
    };
    let run: Run = show(true);
    assert!(run.ok().stdout.starts_with("motion-base "));
    // The binary of a test lies below the repository, whose models it finds: another name, then.
    let other = folder.path().join("models/only-here");
    std::fs::rename(&here, other).unwrap();
    let run = kinograd(folder.path(), &["models", "show", "only-here"]).ok();
    assert!(run.stderr.contains("where you stand"), "{}", run.stderr);
}

#[test]
fn files_have_the_mode_of_the_umask_or_of_what_they_replace() {
    let folder = tempfile::tempdir().unwrap();
    let walk = corpus("empty_joint_name.glb");
    let program = env!("CARGO_BIN_EXE_kinograd");
    let run = |umask: &str, output: &str| {
        let script = format!("umask {umask}; exec {program} convert '{walk}' {output} --fps 20");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script]).current_dir(folder.path());
        let run: Run = command.output().unwrap().into();
        run.ok();
    };
    let mode = |name: &str| {
        let found = std::fs::metadata(folder.path().join(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    run("077", "a.npz");
    assert_eq!(mode("a.npz"), 0o600);
    run("022", "b.npz");
    assert_eq!(mode("b.npz"), 0o644);
    run("022", "a.npz");
    assert_eq!(mode("a.npz"), 0o600, "it keeps what it had");
}

#[test]
fn a_cache_that_cannot_be_written_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let clip = |cache: &Path| -> Run {
        let mut command = command(folder.path());
        command.env("KINOGRAD_CACHE", cache).args([
            "image",
            "--runtime",
            "builtin",
            "--steps",
            "2",
        ]);
        command
            .arg("--model")
            .arg(tiny("tiny-64"))
            .arg("--seg-model")
            .arg(tiny("tiny-seg"));
        command.args(["--loss", "bright=0.5", "-o", "a.png"]);
        command.output().unwrap().into()
    };
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let open = folder.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    for cache in [&file, &open, &PathBuf::from("/proc/none")] {
        let run = clip(cache);
        if run.stderr.contains("unknown") || run.code == Some(2) {
            panic!("{}", run.stderr);
        }
        if run.code == Some(0) {
            assert!(
                run.stderr.contains("cache"),
                "{}: {}",
                cache.display(),
                run.stderr
            );
        }
    }
    assert_eq!(files(&open), Vec::<String>::new());
}

#[test]
fn the_first_signal_ends_any_command() {
    let folder = tempfile::tempdir().unwrap();
    let base = models().join("motion-base").display().to_string();
    std::fs::create_dir(folder.path().join("into")).unwrap();
    let add = ["models", "add", &base, "--name", "mine", "--into", "into"];
    let check = ["models", "check", "--model", &base, "--runtime", "builtin"];
    let generate = [
        "generate",
        "a person walks",
        "-n",
        "50",
        "--runtime",
        "builtin",
        "-o",
        "a.glb",
    ];
    for (args, after_ms) in [
        (&add[..], 150),
        (&add, 600),
        (&check, 300),
        (&generate, 1000),
    ] {
        let mut child = command(folder.path())
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(after_ms));
        let killed = std::process::Command::new("kill")
            .arg(child.id().to_string())
            .status();
        assert!(killed.unwrap().success());
        let started = Instant::now();
        let status = child.wait().unwrap();
        assert!(
            started.elapsed() < Duration::from_secs(4),
            "{args:?}: {:?}",
            started.elapsed()
        );
        // Before it listens, a signal is the system's.
        assert!(
            matches!(status.code(), Some(0 | 1) | None),
            "{args:?}: {status}"
        );
        let left = files(&folder.path().join("into"));
        assert!(left.iter().all(|name| name == "mine"), "{left:?}");
        let _ = std::fs::remove_dir_all(folder.path().join("into/mine"));
    }
}

#[test]
fn a_clip_that_is_called_like_an_option_is_a_clip() {
    let folder = tempfile::tempdir().unwrap();
    let viewer = folder.path().join("viewer");
    let told = folder.path().join("told");
    std::fs::write(
        &viewer,
        format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{}'\n", told.display()),
    )
    .unwrap();
    std::fs::set_permissions(&viewer, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = command(folder.path());
    command.env("KINOGRAD_VIEWER", &viewer);
    command.args([
        "render",
        "--style",
        "solid",
        "-o",
        "a.png",
        "--",
        "--character",
    ]);
    let run: Run = command.output().unwrap().into();
    run.ok();
    let told = std::fs::read_to_string(told).unwrap();
    let words: Vec<&str> = told.lines().collect();
    assert_eq!(words[words.len() - 2], "--");
    assert!(words[words.len() - 1].ends_with("/--character"), "{told}");
}

#[test]
fn joints_without_a_name_are_written_as_they_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let run = kinograd(
        folder.path(),
        &["convert", &corpus("empty_joint_name.glb"), "a.bvh"],
    );
    match run.code {
        Some(0) => {
            kinograd(folder.path(), &["convert", "a.bvh", "b.npz"]).ok();
        }
        code => assert_eq!(code, Some(1), "{}", run.stderr),
    }
}
