//! Options of `optimize`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::rig::RigArgs;
use super::{EngineArgs, OutputArgs};
use crate::values::WindowArg;

/// Arguments of `optimize`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd optimize \"a person jumps\" --reward jump-height --seconds 3 -o jump.glb\n  \
    kinograd optimize \"a person walks\" --reward hand-raise --window 1,2 --n 4 --rounds 5 -o raise.png\n  \
    kinograd optimize \"a person walks\" --reward score.onnx --delta 0.5 --json\n  \
    kinograd optimize \"a person jumps\" --reward jump-height --algorithm 2 --n 4 --save high-jump\n\n\
    Rewards: jump-height (m), hand-raise, left-hand-raise, right-hand-raise (mean height of the\n\
    wrists, m), energy-saved (minus the mean squared acceleration of the joints, (m/s²)²),\n\
    forward-distance (m); or an ONNX file that takes joints [batch, frames, 22, 3] in metres or\n\
    features [batch, frames, 263], normalised, and gives one number per clip.")]
pub struct OptimizeArgs {
    /// What the person does, in English.
    pub prompt: String,
    /// What is made large: a reward's name or an ONNX file.
    #[arg(long, value_name = "NAME|FILE.onnx")]
    pub reward: String,
    /// Rounds: times that the reward is linearised and the clips are generated again.
    #[arg(long, default_value_t = 10)]
    pub rounds: usize,
    /// 1 leaves the model as it is; 2 also fits a copy of it to the clips of every round.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub algorithm: u8,
    /// How the reward's gradient enters the score.
    #[arg(long, value_enum, default_value_t = OptimizeGuidanceArg::GLoss)]
    pub guidance: OptimizeGuidanceArg,
    /// How far above the present reward each round aims, in the reward's unit.
    #[arg(long, allow_hyphen_values = true)]
    pub delta: Option<f64>,
    /// Run the same clips for several deltas, to see what more reward costs; --plot draws the curves.
    #[arg(
        long,
        value_delimiter = ',',
        allow_hyphen_values = true,
        value_name = "DELTA,...",
        conflicts_with_all = ["delta", "save"]
    )]
    pub trade_off: Vec<f64>,
    /// Deviation of that aim, in the reward's unit: the smaller, the more reward and the less natural.
    #[arg(long, allow_hyphen_values = true)]
    pub sigma: Option<f64>,
    /// Seconds during which hands are raised; the whole clip if not given.
    #[arg(long, allow_hyphen_values = true, value_name = "FROM,TO")]
    pub window: Option<WindowArg>,
    /// Longest change of the clean clip in one step, in deviations of the features.
    #[arg(long, allow_hyphen_values = true, value_name = "RMS")]
    pub max_move: Option<f64>,
    /// Draw new noise in every round, as the algorithm is stated, instead of keeping each clip's own.
    #[arg(long)]
    pub fresh_noise: bool,
    /// Length of the clips, 1 to 10.
    #[arg(
        long,
        default_value_t = 4.0,
        allow_hyphen_values = true,
        value_name = "SECONDS"
    )]
    pub seconds: f64,
    /// Frames per second of the files; the model itself works at 20.
    #[arg(long, default_value_t = 20.0, allow_hyphen_values = true)]
    pub fps: f64,
    /// How many clips, each with a seed of its own; at most 16.
    #[arg(long, short, default_value_t = 1)]
    pub n: usize,
    /// The same task, model, engine, provider and number of threads give the same bytes on one machine.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Denoising steps of each round; the model's own if not given, or else 20.
    #[arg(long)]
    pub steps: Option<usize>,
    /// Classifier-free guidance scale; 1 is off.
    #[arg(long, allow_hyphen_values = true)]
    pub cfg: Option<f64>,
    /// Leave the feet as the model made them.
    #[arg(long)]
    pub no_foot_lock: bool,
    /// On whom the clips are.
    #[command(flatten)]
    pub rig: RigArgs,
    /// Output file: .glb, .fbx, .bvh, .npz, .png (a sheet of poses) or .json (the report); may be repeated.
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// In which form clips are written.
    #[command(flatten)]
    pub writing: OutputArgs,
    /// Steps of Adam after each round of algorithm 2.
    #[arg(long, default_value_t = 4, help_heading = "Algorithm 2")]
    pub train_steps: usize,
    /// Clips of each of those steps.
    #[arg(long, default_value_t = 8, help_heading = "Algorithm 2")]
    pub train_batch: usize,
    /// Adam's learning rate.
    #[arg(
        long,
        default_value_t = 2e-5,
        allow_hyphen_values = true,
        help_heading = "Algorithm 2"
    )]
    pub learning_rate: f64,
    /// Train only weights whose names contain this text; may be repeated.
    #[arg(long, value_name = "TEXT", help_heading = "Algorithm 2")]
    pub train_weights: Vec<String>,
    /// Save the fine-tuned model as a package of this name, with its lineage.
    #[arg(long, value_name = "NAME", help_heading = "Algorithm 2")]
    pub save: Option<String>,
    /// Folder of packages to save to; the user's own if not given.
    #[arg(
        long,
        value_name = "FOLDER",
        requires = "save",
        help_heading = "Algorithm 2"
    )]
    pub into: Option<PathBuf>,
    /// Draw reward and naturalness against the rounds.
    #[arg(long, value_name = "FILE.png")]
    pub plot: Option<PathBuf>,
    /// Where the model runs.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// How a reward's gradient enters the score (Guo et al. 2024).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OptimizeGuidanceArg {
    /// The look-ahead loss, through the model: stays on the data.
    GLoss,
    /// The naive gradient, without the model's: leaves the data.
    G,
    /// As g-loss, with the exact variance of the target for Gaussian data.
    GPosterior,
}
