//! `render` on the repository's own clips.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Run, command, files, kinograd};

fn clips() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/clips")
}

fn walk() -> String {
    clips().join("walk.bvh").display().to_string()
}

fn render(folder: &Path, more: &[&str]) -> Run {
    let walk = walk();
    let mut args = vec!["render", &walk, "-q"];
    args.extend(more);
    if !more.contains(&"--size") {
        args.extend(["--size", "160x90"]);
    }
    kinograd(folder, &args)
}

/// Width and height of a PNG.
fn size(path: &Path) -> (u32, u32) {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let reader = png::Decoder::new(file).read_info().unwrap();
    (reader.info().width, reader.info().height)
}

#[test]
fn pictures_of_every_view() {
    let folder = tempfile::tempdir().unwrap();
    for view in ["sheet", "side", "follow", "top"] {
        let file = format!("{view}.png");
        let json = render(folder.path(), &["--view", view, "-o", &file, "--json"]).ok();
        assert_eq!(json.json()["schema"], "kinograd.render/1");
        assert_eq!(size(&folder.path().join(file)), (160, 90));
    }
}

#[test]
fn films_have_every_frame() {
    let folder = tempfile::tempdir().unwrap();
    let run = render(folder.path(), &["--fps", "4", "-o", "walk.gif", "--json"]).ok();
    let frames = run.json()["frames"].as_u64().unwrap();
    assert!(frames > 4, "{frames}");
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let file = std::fs::File::open(folder.path().join("walk.gif")).unwrap();
    let mut film = options.read_info(file).unwrap();
    let (mut count, mut last) = (0, Vec::new());
    while let Some(frame) = film.read_next_frame().unwrap() {
        assert_eq!((frame.width, frame.height, frame.delay), (160, 90, 25));
        assert_ne!(frame.buffer.as_ref(), &last[..], "the figure moves");
        last = frame.buffer.to_vec();
        count += 1;
    }
    assert_eq!(count, frames);

    render(folder.path(), &["--fps", "4", "-o", "frames"]).ok();
    let pictures = files(&folder.path().join("frames"));
    assert_eq!(pictures.len() as u64, frames);
    assert_eq!(pictures[0], "frame-0000.png");
    let again = render(folder.path(), &["-o", "frames"]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("not empty"), "{}", again.stderr);
}

#[test]
fn a_film_by_ffmpeg_or_a_word_that_it_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let walk = walk();
    let args = ["render", &walk, "--size", "161x91", "-q", "-o", "walk.mp4"];
    let missing: Run = command(folder.path())
        .args(args)
        .env("PATH", folder.path())
        .output()
        .unwrap()
        .into();
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("ffmpeg"), "{}", missing.stderr);
    assert!(files(folder.path()).is_empty());
    if Command::new("ffmpeg").arg("-version").output().is_ok() {
        kinograd(folder.path(), &args).ok();
        let bytes = std::fs::read(folder.path().join("walk.mp4")).unwrap();
        assert_eq!(&bytes[4..8], b"ftyp");
        assert_eq!(files(folder.path()), ["walk.mp4"]);
    }
}

#[test]
fn a_scene_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/scenes");
    let scene = scene.join("duck_under_beam.json").display().to_string();
    render(folder.path(), &["-o", "bare.png"]).ok();
    render(folder.path(), &["--scene", &scene, "-o", "beam.png"]).ok();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_ne!(read("bare.png"), read("beam.png"));
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (more, part) in [
        (&["-o", "a.webm"][..], "ends in .png, .gif or .mp4"),
        (&["-o", "a.gif", "--view", "sheet"], "view: a sheet is"),
        (&["-o", "a.gif", "--fps", "0"], "frames per second: 0;"),
        (&["-o", "no/a.gif"], "cannot write no/a.gif"),
        (&["-o", "a.png", "--size", "5"], "expected WIDTHxHEIGHT"),
        (&["-o", "a.png", "--size", "5x5"], "5 × 5 pixels"),
        (&["-o", "a.png", "--scene", "no.json"], "no.json"),
        (&["-o", "a.png", "no.glb"], "no.glb"),
    ] {
        let run = render(folder.path(), more);
        assert!(run.code.is_some_and(|code| code != 0), "{more:?}");
        assert!(run.stderr.contains(part), "{more:?}: {}", run.stderr);
    }
    assert!(files(folder.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn the_viewer_draws_what_is_solid() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("viewer");
    let solid = |script: Option<&str>, more: &[&str]| -> Run {
        if let Some(script) = script {
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&program, mode).unwrap();
        }
        let walk = walk();
        let output = command(folder.path())
            .args(["render", &walk, "--style", "solid", "--size", "160x90"])
            .args(more)
            .env("KINOGRAD_VIEWER", &program)
            .output();
        output.unwrap().into()
    };
    let missing = solid(None, &["-o", "a.png"]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.stderr.contains("cargo install"),
        "{}",
        missing.stderr
    );

    let more = ["-o", "a.png", "--view", "top"];
    // It works in a folder of its own, with absolute paths.
    let at = folder.path().join("told").display().to_string();
    let told = solid(Some(&format!("echo \"$@\" > '{at}'; pwd >> '{at}'")), &more).ok();
    assert!(told.stdout.contains("a.png"), "{}", told.stdout);
    let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
    let output = folder.path().join("a.png").display().to_string();
    let expected = format!(
        "render --output {output} --size 160x90 --top -- {}\n",
        walk()
    );
    let (told, own) = told.split_at(expected.len());
    assert_eq!(told, expected);
    let here = folder.path().canonicalize().unwrap();
    assert!(!own.contains(&here.display().to_string()), "{own}");
    assert!(!Path::new(own.trim()).exists(), "its folder is removed");

    let refused = solid(Some("echo 'no such clip' >&2; exit 1"), &more);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("no such clip"),
        "{}",
        refused.stderr
    );

    let drawn = solid(Some("exit 3"), &more).ok();
    assert!(
        drawn.stderr.contains("no graphics adapter"),
        "{}",
        drawn.stderr
    );
    assert_eq!(size(&folder.path().join("a.png")), (160, 90));
}
