//! Options of `convert` and `render`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kinograd::LoadOptions;
use kinograd::motion::MotionError;
use kinograd::motion::mapping::{MappingFile, Up};

use super::OutputArgs;
use super::rig::RigArgs;
use crate::values::{SizeArg, frame_rate, unit, up_values};

/// Arguments of `convert`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd convert take.bvh take.glb\n  \
    kinograd convert take.bvh take.npz --fps 30\n  \
    kinograd convert walk.npz walk.bvh --output-unit 0.01\n  \
    kinograd convert soldier.glb run.npz --animation Run --fps 60\n  \
    kinograd convert 000123.npy walk.glb\n  \
    kinograd convert take.bvh hero-take.glb --rig hero.vrm\n  \
    kinograd convert take.bvh walk.glb --retarget --root-motion extract --names ue5\n\n\
    Reads .bvh, .glb, .vrm, .npz and .npy (also HumanML3D's and AMASS's); writes .glb, .bvh, .npz and .png. A clip keeps its own rig unless --retarget\n\
    is given or the output is a sheet (.png).")]
pub struct ConvertArgs {
    /// The clip to read.
    pub input: PathBuf,
    /// The file to write.
    pub output: PathBuf,
    /// Frames per second of the output: curves are sampled, frames resampled.
    #[arg(long, allow_hyphen_values = true, value_parser = frame_rate)]
    pub fps: Option<f64>,
    /// How the input is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Metres per unit of a BVH that is written: 0.01 writes centimetres.
    #[arg(long, value_name = "METRES", default_value_t = 1.0, allow_hyphen_values = true, value_parser = unit)]
    pub output_unit: f64,
    /// Put the motion on the canonical 22-joint body.
    #[arg(long)]
    pub retarget: bool,
    /// On whom the clip is put.
    #[command(flatten)]
    pub rig: RigArgs,
    /// In which form it is written.
    #[command(flatten)]
    pub writing: OutputArgs,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd render walk.glb -o walk.gif\n  \
    kinograd render walk.glb --view top -o path.png\n  \
    kinograd render walk.npz --view sheet --size 1200x720 -o sheet.png\n  \
    kinograd render a.glb b.glb --task room.json --view follow -o both.mp4\n  \
    kinograd render walk.glb --fps 30 -o frames\n\n\
    Several clips play at once, in one scene. Goals and obstacles are the task's, or those that the first\n\
    clip was made with. A film is a .gif, an .mp4 (by ffmpeg, where it is installed) or a folder of pictures;\n\
    a .png shows the whole way.")]
pub struct RenderArgs {
    /// Clips to draw: .bvh, .glb or .npz.
    #[arg(required = true, value_name = "CLIP")]
    pub clips: Vec<PathBuf>,
    /// Task whose goals and obstacles are shown.
    #[arg(long, alias = "scene", value_name = "FILE")]
    pub task: Option<PathBuf>,
    /// From where.
    #[arg(long, value_enum, default_value_t = ViewArg::Side)]
    pub view: ViewArg,
    /// How it looks.
    #[arg(long, value_enum, default_value_t = StyleArg::Drawn)]
    pub style: StyleArg,
    /// Width and height in pixels.
    #[arg(long, default_value = "960x540", value_name = "WIDTHxHEIGHT")]
    pub size: SizeArg,
    /// How the clips are read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Frames per second of a film; the first clip's own if not given.
    #[arg(long, allow_hyphen_values = true, value_parser = frame_rate)]
    pub fps: Option<f64>,
    /// What to write: .png, .gif, .mp4, or a folder for the frames.
    #[arg(short, long, value_name = "FILE|FOLDER")]
    pub output: PathBuf,
}

/// How clips are read from files.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadingArgs {
    /// Metres per unit of the file, of any format. If not given, what the format says; a BVH's is
    /// guessed from the body.
    #[arg(long, value_name = "METRES", allow_hyphen_values = true, value_parser = unit)]
    pub unit: Option<f64>,
    /// The axis that points up in the file. If not given, what the format says; a BVH's is found by
    /// the body.
    #[arg(long, value_name = "AXIS", allow_hyphen_values = true, value_parser = up_values())]
    pub up: Option<Up>,
    /// The animation, or the clip of several, by name or number from 0; the first if not given.
    #[arg(long, value_name = "NAME|NUMBER")]
    pub animation: Option<String>,
    /// Which joints are which, where their names do not tell: JSON, see docs/characters.md.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// Frames per second of a file that does not say, as arrays of joints.
    #[arg(long, value_name = "FPS", allow_hyphen_values = true, value_parser = frame_rate)]
    pub source_fps: Option<f64>,
}

impl ReadingArgs {
    /// The options of the library.
    ///
    /// # Errors
    /// When the mapping file cannot be read.
    pub fn options(&self) -> Result<LoadOptions, MotionError> {
        let mapping = self.mapping.as_deref().map(MappingFile::read).transpose()?;
        Ok(LoadOptions {
            unit_to_metre: self.unit,
            up: self.up,
            animation: self.animation.clone(),
            source_fps: self.source_fps,
            mapping,
            ..LoadOptions::default()
        })
    }
}

/// How clips look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StyleArg {
    /// Figures on paper, drawn by the processor.
    Drawn,
    /// A lit mannequin in 3D, by the program kinograd-viewer, which is built apart; drawn where
    /// there is no graphics adapter.
    Solid,
}

/// From where clips are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ViewArg {
    /// A sheet of poses; a .png only.
    Sheet,
    /// Beside the way, so that it runs across the picture.
    Side,
    /// Beside the figure, going along.
    Follow,
    /// From above: +z is up, +x left.
    Top,
}
