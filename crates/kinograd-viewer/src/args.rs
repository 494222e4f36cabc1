//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use kinograd::Method;
use kinograd::runtime::{EngineChoice, EngineOptions};
use kinograd_viewer::Quality;

/// Shows motion clips and steers them while you watch.
#[derive(Debug, Parser)]
#[command(
    name = "kinograd-viewer",
    version,
    args_conflicts_with_subcommands = true
)]
#[command(after_help = "Examples:\n  \
    kinograd-viewer                                   steer an example: drag the flag\n  \
    kinograd-viewer walk.glb jog.bvh                  two clips side by side\n  \
    kinograd-viewer --scene assets/scenes/round_the_crate.json\n  \
    kinograd-viewer render walk.glb -o walk.gif       a film, without a window")]
pub struct Args {
    /// What to do instead of opening a window.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The window's options.
    #[command(flatten)]
    pub view: ViewArgs,
}

/// What to do instead of opening a window.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Draw clips to a picture or film, without a window
    Render(RenderArgs),
    /// Make a scene's clip and draw how it forms, step by step, without a window
    Steps(StepsArgs),
}

/// The window's options.
#[derive(Debug, clap::Args)]
pub struct ViewArgs {
    /// Clips (.bvh, .glb, .npz), scenes and saved `kinograd bench guidance` runs (.json) to open.
    pub files: Vec<PathBuf>,
    /// Scene to steer: prompts, goals and obstacles as JSON.
    #[arg(long, value_name = "FILE")]
    pub scene: Option<PathBuf>,
    /// Humanoid GLB to draw in place of the mannequin.
    #[arg(long, value_name = "FILE.glb")]
    pub character: Option<PathBuf>,
    /// Which of the character's joints are which, as JSON, where their names do not tell.
    #[arg(long, value_name = "FILE", requires = "character")]
    pub mapping: Option<PathBuf>,
    /// Clips in one place as ghosts, instead of side by side.
    #[arg(long)]
    pub overlay: bool,
    /// How much work drawing is: `low` is for processors that draw; what suits the adapter by default.
    #[arg(long, value_enum, value_name = "HOW")]
    pub quality: Option<QualityArg>,
    /// Width and height of the window in pixels, such as 1024x640.
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub size: Option<(u32, u32)>,
    /// Model package, by name or folder.
    #[arg(long, default_value = "motion-base", value_name = "NAME")]
    pub model: String,
    /// ONNX Runtime's library, or `builtin` for the built-in engine.
    #[arg(long, value_name = "PATH")]
    pub runtime: Option<PathBuf>,
    /// Processor threads; 0 takes one per core.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
}

/// How much work drawing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QualityArg {
    /// What suits the adapter.
    Auto,
    /// No shadows, fewer pixels.
    Low,
    /// Shadows, light from all around, smooth edges.
    High,
}

impl From<QualityArg> for Option<Quality> {
    fn from(quality: QualityArg) -> Self {
        match quality {
            QualityArg::Auto => None,
            QualityArg::Low => Some(Quality::Low),
            QualityArg::High => Some(Quality::High),
        }
    }
}

/// The engine that options ask for.
fn engine(runtime: Option<&PathBuf>, threads: usize) -> EngineOptions {
    let built_in = runtime.is_some_and(|path| path.as_os_str() == "builtin");
    EngineOptions {
        engine: if built_in {
            EngineChoice::BuiltIn
        } else {
            EngineChoice::Auto
        },
        library: runtime.cloned().filter(|_| !built_in),
        threads,
        ..EngineOptions::default()
    }
}

impl ViewArgs {
    /// The engine that the options ask for.
    pub fn engine(&self) -> EngineOptions {
        engine(self.runtime.as_ref(), self.threads)
    }
}

impl StepsArgs {
    /// The engine that the options ask for.
    pub fn engine(&self) -> EngineOptions {
        engine(self.runtime.as_ref(), self.threads)
    }
}

/// Options of pictures and films.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    kinograd-viewer render walk.glb -o walk.png\n  \
    kinograd-viewer render walk.glb --scene assets/scenes/round_the_crate.json --sheet 7 -o sheet.png\n  \
    kinograd-viewer render walk.glb jog.glb --top -o map.png\n  \
    kinograd-viewer render walk.glb --follow --size 1280x720 -o walk.mp4\n  \
    kinograd-viewer render walk.glb -o frames/\n\n\
    Exit codes: 0 fine, 1 the input was at fault, 2 our fault, 3 no graphics adapter.")]
pub struct RenderArgs {
    /// Clips: .bvh, .glb or .npz.
    #[arg(required = true)]
    pub clips: Vec<PathBuf>,
    /// Where to: .png, .gif, .mp4 (by ffmpeg), or a folder for PNG frames.
    #[arg(short, long, value_name = "PATH")]
    pub output: PathBuf,
    /// Goals and obstacles to show; the clip's own record unless given.
    #[arg(long, value_name = "FILE")]
    pub scene: Option<PathBuf>,
    /// One picture of so many poses along the way.
    #[arg(long, value_name = "POSES")]
    pub sheet: Option<usize>,
    /// From above, as a map.
    #[arg(long)]
    pub top: bool,
    /// Direction to look from: degrees about the upright axis from +z towards +x.
    #[arg(long, value_name = "DEGREES", allow_negative_numbers = true)]
    pub yaw: Option<f32>,
    /// Height to look from: degrees over the horizon.
    #[arg(long, value_name = "DEGREES", allow_negative_numbers = true)]
    pub pitch: Option<f32>,
    /// Moment of a single picture, seconds; the middle unless given.
    #[arg(long, value_name = "SECONDS")]
    pub time: Option<f32>,
    /// The camera goes along with the first clip.
    #[arg(long)]
    pub follow: bool,
    /// Humanoid GLB to draw in place of the mannequin.
    #[arg(long, value_name = "FILE.glb")]
    pub character: Option<PathBuf>,
    /// Which of the character's joints are which, as JSON, where their names do not tell.
    #[arg(long, value_name = "FILE", requires = "character")]
    pub mapping: Option<PathBuf>,
    /// Clips in one place, the later ones as ghosts.
    #[arg(long)]
    pub overlay: bool,
    /// Width and height in pixels, such as 1280x720.
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub size: Option<(u32, u32)>,
    /// Frames per second of a film; the clip's own unless given.
    #[arg(long)]
    pub fps: Option<f64>,
    /// Draw faster, with jagged edges.
    #[arg(long)]
    pub rough: bool,
    /// No ways and footprints.
    #[arg(long)]
    pub no_trails: bool,
}

/// Options of pictures of denoising.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    kinograd-viewer steps -o steps.png\n  \
    kinograd-viewer steps --scene assets/scenes/round_the_crate.json --pictures 8 -o steps.png\n  \
    kinograd-viewer steps --method dps --seed 3 -o steps.gif")]
pub struct StepsArgs {
    /// Where to: .png for a strip, .gif, .mp4 (by ffmpeg) or a folder for one step after another.
    #[arg(short, long, value_name = "PATH")]
    pub output: PathBuf,
    /// Prompts, goals and obstacles as JSON; a walk to a flag round a pillar unless given.
    #[arg(long, value_name = "FILE")]
    pub scene: Option<PathBuf>,
    /// Pictures of a strip: steps, and the clip at the end.
    #[arg(long, default_value_t = 6, value_name = "N")]
    pub pictures: usize,
    /// Pictures in a row of a strip.
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub columns: usize,
    /// How goals and obstacles steer.
    #[arg(long, default_value_t = Method::DEFAULT, value_parser = method)]
    pub method: Method,
    /// Denoising steps.
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub steps: usize,
    /// Seed.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Width and height of one picture in pixels, such as 480x300.
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub size: Option<(u32, u32)>,
    /// Draw faster, with jagged edges.
    #[arg(long)]
    pub rough: bool,
    /// Model package, by name or folder.
    #[arg(long, default_value = "motion-base", value_name = "NAME")]
    pub model: String,
    /// ONNX Runtime's library, or `builtin` for the built-in engine.
    #[arg(long, value_name = "PATH")]
    pub runtime: Option<PathBuf>,
    /// Processor threads; 0 takes one per core.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
}

fn method(text: &str) -> Result<Method, String> {
    let mut all = Method::STEERING.into_iter().chain([Method::None]);
    let found = all.find(|method| method.name() == text);
    found.ok_or_else(|| {
        let names = Method::STEERING.map(Method::name);
        format!("one of {}, none", names.join(", "))
    })
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("`{text}` is no size; write it as 1280x720");
    let (width, height) = text.split_once('x').ok_or_else(wrong)?;
    match (width.parse(), height.parse()) {
        (Ok(width), Ok(height)) => Ok((width, height)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_and_a_picture_are_told_apart() {
        let window =
            Args::try_parse_from(["kinograd-viewer", "a.glb", "b.bvh", "--overlay"]).unwrap();
        assert!(window.command.is_none() && window.view.overlay);
        assert_eq!(window.view.files.len(), 2);
        let line = [
            "kinograd-viewer",
            "render",
            "a.glb",
            "-o",
            "a.png",
            "--size",
            "320x200",
            "--yaw",
            "-30",
        ];
        let Some(Command::Render(args)) = Args::try_parse_from(line).unwrap().command else {
            panic!("a picture");
        };
        assert_eq!((args.size, args.yaw), (Some((320, 200)), Some(-30.0)));
        let wrong = [
            "kinograd-viewer",
            "render",
            "a.glb",
            "-o",
            "a.png",
            "--size",
            "big",
        ];
        assert!(Args::try_parse_from(wrong).is_err());
    }
}
