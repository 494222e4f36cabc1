//! Options of `convert` and `render`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::values::SizeArg;

/// Arguments of `convert`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd convert take.bvh take.glb\n  \
    kinograd convert take.bvh take.npz --fps 30\n  \
    kinograd convert walk.npz walk.bvh\n\n\
    Reads .bvh, .glb and .npz; writes .glb, .bvh, .npz and .png. A clip keeps its own rig unless --retarget\n\
    is given or the output is a sheet (.png).")]
pub struct ConvertArgs {
    /// The clip to read.
    pub input: PathBuf,
    /// The file to write.
    pub output: PathBuf,
    /// Resample to this rate.
    #[arg(long, allow_hyphen_values = true)]
    pub fps: Option<f64>,
    /// Metres per unit of the BVH; guessed from the body's height if not given.
    #[arg(long, allow_hyphen_values = true)]
    pub unit: Option<f64>,
    /// Put the motion on the canonical 22-joint body.
    #[arg(long)]
    pub retarget: bool,
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
    /// Frames per second of a film; the first clip's own if not given.
    #[arg(long, allow_hyphen_values = true)]
    pub fps: Option<f64>,
    /// What to write: .png, .gif, .mp4, or a folder for the frames.
    #[arg(short, long, value_name = "FILE|FOLDER")]
    pub output: PathBuf,
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
