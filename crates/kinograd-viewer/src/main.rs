//! `kinograd-viewer`: the window, and pictures without one.

mod args;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bevy::app::AppExit;
use clap::Parser;
use clap::error::ErrorKind;
use kinograd::motion::mapping::MappingFile;
use kinograd_bevy::{Generation, Job, MakeSettings, MotionClip, Rig, words};
use kinograd_viewer::{
    NoAdapter, NoWindow, OffscreenOptions, RenderError, StudioError, ViewerOptions, camera,
    example, load_scene, render, render_steps, view,
};

use crate::args::{Args, Command, RenderArgs, StepsArgs, ViewArgs};

/// The input was at fault.
const EXIT_INPUT: u8 = 1;
/// This program was at fault.
const EXIT_INTERNAL: u8 = 2;
/// There is nothing to draw with.
const EXIT_NO_ADAPTER: u8 = 3;

/// Why the program ends early.
enum Fault {
    Input(String),
    NoAdapter(NoAdapter),
    Internal(String),
}

impl From<NoAdapter> for Fault {
    fn from(none: NoAdapter) -> Self {
        Self::NoAdapter(none)
    }
}

impl From<NoWindow> for Fault {
    fn from(why: NoWindow) -> Self {
        match why {
            NoWindow::NoAdapter(none) => Self::NoAdapter(none),
            other => Self::Input(other.to_string()),
        }
    }
}

impl From<RenderError> for Fault {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Studio(StudioError::NoAdapter(none)) => Self::NoAdapter(none),
            RenderError::Studio(StudioError::NoPicture) => Self::Internal(words(&error)),
            other => Self::Input(words(&other)),
        }
    }
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let printed = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
                _ if printed.is_ok() => ExitCode::from(EXIT_INPUT),
                _ => ExitCode::from(EXIT_INTERNAL),
            };
        }
    };
    let outcome = match args.command {
        Some(Command::Render(args)) => draw(args),
        Some(Command::Steps(args)) => draw_steps(args),
        None => open(args.view),
    };
    let (text, code) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Fault::Input(text)) => (text, EXIT_INPUT),
        Err(Fault::Internal(text)) => (text, EXIT_INTERNAL),
        Err(Fault::NoAdapter(none)) => (none.to_string(), EXIT_NO_ADAPTER),
    };
    // Nobody reads what cannot be written.
    let _ = writeln!(std::io::stderr(), "error: {text}");
    ExitCode::from(code)
}

/// The rig of `--character`.
fn rig(character: Option<PathBuf>, mapping: Option<&Path>) -> Result<Option<Rig>, Fault> {
    let Some(path) = character else {
        return Ok(None);
    };
    if !path.is_file() {
        return Err(Fault::Input(format!("{}: no such file", path.display())));
    }
    let fail = |error: &dyn std::error::Error| Fault::Input(words(error));
    let mapping =
        match mapping {
            Some(file) => {
                let read = MappingFile::read(file).map_err(|error| fail(&error))?;
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                let found = read.get(&name).cloned();
                Some(found.ok_or_else(|| {
                    Fault::Input(format!("{}: nothing for `{name}`", file.display()))
                })?)
            }
            None => None,
        };
    Ok(Some(Rig { path, mapping }))
}

fn open(args: ViewArgs) -> Result<(), Fault> {
    let scene = args.scene.as_deref().map(load_scene).transpose();
    let options = ViewerOptions {
        scene: scene.map_err(Fault::Input)?,
        engine: args.engine(),
        character: rig(args.character, args.mapping.as_deref())?,
        files: args.files,
        model: args.model,
        overlays: args.overlay,
        quality: args.quality.and_then(Into::into),
        size_px: args.size,
    };
    match view(options)? {
        AppExit::Success => Ok(()),
        AppExit::Error(code) => Err(Fault::Internal(format!("the window ended with {code}"))),
    }
}

fn draw(args: RenderArgs) -> Result<(), Fault> {
    let load = |path: &std::path::PathBuf| {
        MotionClip::load(path).map_err(|error| Fault::Input(words(&error)))
    };
    let clips = args.clips.iter().map(load).collect::<Result<Vec<_>, _>>()?;
    let scene = args.scene.as_deref().map(load_scene).transpose();
    let scene = scene.map_err(Fault::Input)?;
    let is_film = args
        .output
        .extension()
        .is_none_or(|end| !end.eq_ignore_ascii_case("png"));
    let size_px = args
        .size
        .unwrap_or(if is_film { (720, 480) } else { (1280, 720) });
    let mut seen_from = if args.top {
        camera::View::TOP
    } else {
        camera::VIEW
    };
    if let Some(degrees) = args.yaw {
        seen_from.yaw_rad = degrees.to_radians();
    }
    if let Some(degrees) = args.pitch {
        seen_from.pitch_rad = degrees.to_radians().clamp(-1.5, 1.5697);
    }
    let options = OffscreenOptions {
        size_px,
        smooth: !args.rough,
        view: seen_from,
        time_secs: args.time,
        poses: args.sheet,
        follows: args.follow,
        overlays: args.overlay,
        fps: args.fps,
        shows_trails: !args.no_trails,
        character: rig(args.character, args.mapping.as_deref())?,
    };
    let drawn = render(clips, scene, &args.output, &options)?;
    tell(&args.output, drawn, size_px);
    Ok(())
}

fn draw_steps(args: StepsArgs) -> Result<(), Fault> {
    let scene = args.scene.as_deref().map(load_scene).transpose();
    let scene = scene.map_err(Fault::Input)?.unwrap_or_else(example);
    let options = OffscreenOptions {
        size_px: args.size.unwrap_or((480, 300)),
        smooth: !args.rough,
        ..OffscreenOptions::default()
    };
    let job = Job {
        scene: scene.clone(),
        settings: MakeSettings {
            method: args.method,
            steps: args.steps,
            seed: args.seed,
            ..MakeSettings::default()
        },
        streams: true,
    };
    let made = Generation::start(&args.model, args.engine()).make(job);
    let (steps, made) = made.map_err(Fault::Input)?;
    let grid = (args.pictures, args.columns);
    let drawn = render_steps(&steps, &made.motion, &scene, &args.output, grid, &options)?;
    tell(&args.output, drawn, options.size_px);
    Ok(())
}

/// Says what was drawn.
fn tell(output: &Path, drawn: usize, (width, height): (u32, u32)) {
    let noun = if drawn == 1 { "picture" } else { "pictures" };
    // Nobody reads what cannot be written.
    let _ = writeln!(
        std::io::stdout(),
        "{}: {drawn} {noun}, {width} x {height}",
        output.display()
    );
}
