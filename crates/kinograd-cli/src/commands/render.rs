//! `kinograd render`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use kinograd::render::{RenderOptions, RenderView, render};
use kinograd::{Clip, LoadOptions, Task};
use kinograd_files::{TemporaryFolder, program};

use super::convert::warn;
use super::generate::Watcher;
use crate::args::{RenderArgs, StyleArg, ViewArg};
use crate::interrupt::interrupted;
use crate::printer::Printer;

/// Draws clips.
pub fn run(args: &RenderArgs, printer: &Printer) -> anyhow::Result<()> {
    if args.style == StyleArg::Solid && solid(args, printer)? {
        return Ok(());
    }
    let task = args.task.as_deref().map(Task::read).transpose()?;
    let options = LoadOptions {
        retarget: true,
        ..args.reading.options()?
    };
    let mut clips = Vec::with_capacity(args.clips.len());
    for path in &args.clips {
        let clip = Clip::load(path, &options)?;
        warn(&clip, path, printer);
        clips.push(clip);
    }
    let options = RenderOptions {
        view: match args.view {
            ViewArg::Sheet => RenderView::Sheet,
            ViewArg::Side => RenderView::Side,
            ViewArg::Follow => RenderView::Follow,
            ViewArg::Top => RenderView::Top,
        },
        size_px: (args.size.0, args.size.1),
        fps: args.fps,
    };
    let mut watcher = Watcher::new(printer);
    let rendered = render(
        &clips,
        task.as_deref(),
        &options,
        &args.output,
        &mut watcher,
    )?;
    let frames = match rendered.fps {
        Some(fps) => format!(", {} frames at {fps} fps", rendered.frames),
        None => String::new(),
    };
    let (width, height) = rendered.size_px;
    let text = format!("{}: {width} × {height}{frames}", rendered.path.display());
    let mut document = serde_json::to_value(&rendered)?;
    document["schema"] = "kinograd.render/1".into();
    printer.document(&document, &text)?;
    Ok(())
}

/// The program that draws in 3D.
const VIEWER: &str = "kinograd-viewer";
/// Poses on a sheet of the viewer's.
const POSES: &str = "7";
/// What the viewer exits with where there is no graphics adapter.
const NO_ADAPTER: i32 = 3;

/// Has the viewer draw; false where it cannot for want of an adapter.
fn solid(args: &RenderArgs, printer: &Printer) -> anyhow::Result<bool> {
    let program = viewer();
    let at = program.as_deref().unwrap_or_else(|| Path::new(VIEWER));
    let missing = || {
        format!(
            "style solid: the program {} cannot be run; `cargo install --profile viewer --path \
             crates/kinograd-viewer` builds it",
            at.display()
        )
    };
    // Its working folder is its own, so paths are absolute.
    let own = TemporaryFolder::new_in(&std::env::temp_dir()).context("no temporary folder")?;
    let log = own.path().join("log");
    let mut command = Command::new(program.as_ref().with_context(missing)?);
    command.current_dir(own.path());
    command.arg("render");
    command.arg("--output").arg(absolute(&args.output)?);
    command
        .arg("--size")
        .arg(format!("{}x{}", args.size.0, args.size.1));
    if let Some(task) = &args.task {
        command.arg("--scene").arg(absolute(task)?);
    }
    if let Some(fps) = args.fps {
        command.arg("--fps").arg(fps.to_string());
    }
    match args.view {
        ViewArg::Sheet => command.args(["--sheet", POSES]),
        ViewArg::Side => &mut command,
        ViewArg::Follow => command.arg("--follow"),
        ViewArg::Top => command.arg("--top"),
    };
    // A clip may be called like an option.
    command.arg("--");
    for clip in &args.clips {
        command.arg(absolute(clip)?);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(File::create_new(&log).context("no temporary file")?);
    let status = ended(command.spawn().with_context(missing)?)?;
    if status.code() == Some(NO_ADAPTER) {
        printer.note("no graphics adapter: drawn by the processor");
        return Ok(false);
    }
    let words = std::fs::read(&log).unwrap_or_default();
    let words = String::from_utf8_lossy(&words);
    anyhow::ensure!(status.success(), "{}", words.trim());
    let document = serde_json::json!({
        "schema": "kinograd.render/1",
        "path": args.output.to_string_lossy(),
        "size_px": [args.size.0, args.size.1],
    });
    let (width, height) = (args.size.0, args.size.1);
    let text = format!("{}: {width} × {height}", args.output.display());
    printer.document(&document, &text)?;
    Ok(true)
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| path.display().to_string())
}

/// Waits for a program; an interrupt ends it.
fn ended(mut child: Child) -> anyhow::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupted() {
            child.kill()?;
            child.wait()?;
            return Err(kinograd::Error::Cancelled.into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// `KINOGRAD_VIEWER`, or the program beside this one, or that on the path; absolute.
fn viewer() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("KINOGRAD_VIEWER").filter(|path| !path.is_empty()) {
        return program(&path).or_else(|| std::path::absolute(path).ok());
    }
    let name = format!("{VIEWER}{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().map(|own| own.with_file_name(&name));
    beside
        .ok()
        .filter(|path| path.is_file())
        .or_else(|| program(VIEWER))
}
