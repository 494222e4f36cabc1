//! `kinograd render`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;
use kinograd::render::{RenderOptions, RenderView, render};
use kinograd::{Clip, LoadOptions, Task};

use super::convert::warn;
use super::generate::Watcher;
use crate::args::{RenderArgs, StyleArg, ViewArg};
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

/// Poses on a sheet of the viewer's.
const POSES: &str = "7";
/// What the viewer exits with where there is no graphics adapter.
const NO_ADAPTER: i32 = 3;

/// Has the viewer draw; false where it cannot for want of an adapter.
fn solid(args: &RenderArgs, printer: &Printer) -> anyhow::Result<bool> {
    let program = viewer();
    let mut command = Command::new(&program);
    command.arg("render").args(&args.clips);
    command.arg("--output").arg(&args.output);
    command
        .arg("--size")
        .arg(format!("{}x{}", args.size.0, args.size.1));
    if let Some(task) = &args.task {
        command.arg("--scene").arg(task);
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
    let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).output();
    let ended = ended.with_context(|| {
        format!(
            "style solid: the program {} cannot be run; `cargo install --profile viewer --path \
             crates/kinograd-viewer` builds it",
            program.display()
        )
    })?;
    if ended.status.code() == Some(NO_ADAPTER) {
        printer.note("no graphics adapter: drawn by the processor");
        return Ok(false);
    }
    let words = String::from_utf8_lossy(&ended.stderr);
    anyhow::ensure!(ended.status.success(), "{}", words.trim());
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

/// `KINOGRAD_VIEWER`, or the program beside this one, or that on the path.
fn viewer() -> PathBuf {
    if let Some(path) = std::env::var_os("KINOGRAD_VIEWER") {
        return path.into();
    }
    let name = format!("kinograd-viewer{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().map(|own| own.with_file_name(&name));
    beside
        .ok()
        .filter(|path| path.is_file())
        .unwrap_or_else(|| name.into())
}
