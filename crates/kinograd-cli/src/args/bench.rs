use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use kinograd::Method;

use super::{EngineArgs, ImageModelArgs, ScheduleArgs};
use crate::values::method_values;

/// Judges motion's text unless told otherwise.
pub const DEFAULT_JUDGE: &str = "motion-judge";

/// Commands of `bench`.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Reach a place round an obstacle with every method, at equal calls and at equal time.
    Guidance(BenchGuidanceArgs),
    /// Choose a step size for every method by the same protocol.
    Tune(BenchTuneArgs),
    /// Follow keyframes of the pelvis and a wrist.
    Trajectory(BenchTrajectoryArgs),
    /// Diffusion as an optimiser on data whose subspace is known: reward and distance from it by round.
    Optimize(BenchOptimizeArgs),
    /// Steer pictures by texts, masks and drawings with every method, at equal calls and equal time.
    Image(Box<BenchImageArgs>),
    /// Choose a step size on pictures for every method by the same protocol.
    TuneImage(BenchTuneImageArgs),
}

/// What steers pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GoalArg {
    /// A text, by the encoders that steer.
    Text,
    /// A silhouette as a mask, by the network that finds the foreground.
    Seg,
    /// A silhouette's outline as a drawing.
    Sketch,
}

/// Arguments of `bench guidance`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd bench guidance --threads 1 --markdown guidance.md --plot guidance.png --json > guidance.json\n  \
    kinograd bench guidance --method dps --method projection --seeds 2 --calls-only\n  \
    kinograd bench guidance --from guidance.json --plot guidance.png\n\n\
    Four prompts, three directions; the target of a prompt is as far as its unguided clips get.")]
pub struct BenchGuidanceArgs {
    /// Method to measure beside no steering, every one if not given; may be repeated.
    #[arg(long = "method", value_parser = method_values())]
    pub methods: Vec<Method>,
    /// Prompt, the four of the reference if not given; may be repeated.
    #[arg(long = "prompt", value_name = "TEXT")]
    pub prompts: Vec<String>,
    /// Seeds per target.
    #[arg(long, default_value_t = 10)]
    pub seeds: usize,
    /// First seed.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Denoiser calls per clip.
    #[arg(long, default_value_t = 20)]
    pub calls: usize,
    /// Leave out the comparison at equal time.
    #[arg(long)]
    pub calls_only: bool,
    /// Strength of the steering, instead of each method's tuned one.
    #[arg(long, allow_hyphen_values = true)]
    pub guidance_scale: Option<f64>,
    /// Take each method's strength from what `bench tune --json` printed.
    #[arg(long, value_name = "FILE", conflicts_with = "guidance_scale")]
    pub tuned: Option<PathBuf>,
    /// Weight of the text loss beside the goals, for all methods; only a further row of the default
    /// method has one if not given.
    #[arg(long, allow_hyphen_values = true)]
    pub text_guidance: Option<f64>,
    /// Data set built by `dataset build`, for real clips to compare with.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Package with an embedding that steers nothing and judges the clips' text; left out where the
    /// default is not there.
    #[arg(long, default_value = DEFAULT_JUDGE, value_name = "NAME|FOLDER")]
    pub judge: String,
    /// Show a report of an earlier run (its --json) instead of a new one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["methods", "prompts", "data"])]
    pub from: Option<PathBuf>,
    /// Also write the tables as Markdown.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Also draw the means with their intervals.
    #[arg(long, value_name = "FILE.png")]
    pub plot: Option<PathBuf>,
    /// Where the model runs.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Arguments of `bench tune`.
#[derive(Debug, Args)]
pub struct BenchTuneArgs {
    /// Method to tune, every one if not given; may be repeated.
    #[arg(long = "method", value_parser = method_values())]
    pub methods: Vec<Method>,
    /// Seeds per target.
    #[arg(long, default_value_t = 1)]
    pub seeds: usize,
    /// First seed; the benchmark's are 0 to 9.
    #[arg(long, default_value_t = 100)]
    pub seed: u64,
    /// Denoiser calls per clip.
    #[arg(long, default_value_t = 20)]
    pub calls: usize,
    /// Where the model runs.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Arguments of `bench trajectory`.
#[derive(Debug, Args)]
pub struct BenchTrajectoryArgs {
    /// Method to measure beside no steering, eight of them if not given; may be repeated.
    #[arg(long = "method", value_parser = method_values())]
    pub methods: Vec<Method>,
    /// Prompt, the four of the reference if not given; may be repeated.
    #[arg(long = "prompt", value_name = "TEXT")]
    pub prompts: Vec<String>,
    /// Clips per prompt.
    #[arg(long, default_value_t = 3)]
    pub seeds: usize,
    /// Denoiser calls per clip.
    #[arg(long, default_value_t = 20)]
    pub calls: usize,
    /// Data set built by `dataset build`: keyframes come from its held-out clips, not from
    /// generated ones.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Also write the table as Markdown.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Where the model runs.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Arguments of `bench optimize`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    kinograd bench optimize --plot simulation.png --json > simulation.json\n\n\
    The simulation of Guo et al. 2024: 64 dimensions, data on 16 of them, a small network trained first;\n\
    the naive gradient, the look-ahead loss, algorithms 1 and 2, on two rewards.")]
pub struct BenchOptimizeArgs {
    /// Rounds of every method.
    #[arg(long, default_value_t = 200)]
    pub rounds: usize,
    /// Steps of Adam that train the network at first.
    #[arg(long, default_value_t = 4000)]
    pub pretraining: usize,
    /// Learning rate of algorithm 2.
    #[arg(long, default_value_t = 1e-5, allow_hyphen_values = true)]
    pub learning_rate: f64,
    /// Longest change of x̂0 in one step, root mean square; 0 is unbounded.
    #[arg(
        long,
        default_value_t = 0.1,
        allow_hyphen_values = true,
        value_name = "RMS"
    )]
    pub max_move: f64,
    /// Seed of the data, the rewards, the training and the samples.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Also draw both against the rounds.
    #[arg(long, value_name = "FILE.png")]
    pub plot: Option<PathBuf>,
    /// ONNX Runtime's shared library, or `builtin` for the built-in engine.
    #[arg(long, value_name = "FILE|builtin")]
    pub runtime: Option<PathBuf>,
    /// Threads per model call; 0 lets the engine choose.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
}

/// Arguments of `bench image`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd bench image --threads 1 --markdown image.md --plot image.png --grid grid.png --json > image.json\n  \
    kinograd bench image --goal text --method freedom --method polyak-capped --augment 10 --calls-only\n  \
    kinograd bench image --from image.json --markdown image.md\n\n\
    Twelve prompts and six silhouettes, the same seeds for every method. One picture of each takes about ten\n\
    minutes of a processor core.")]
pub struct BenchImageArgs {
    /// What to steer towards, all three if not given; may be repeated.
    #[arg(long = "goal", value_enum)]
    pub goals: Vec<GoalArg>,
    /// Method to measure beside no steering, nine of them if not given; may be repeated.
    #[arg(long = "method", value_parser = method_values())]
    pub methods: Vec<Method>,
    /// Also run methods with so many augmentations a step, those named or two of the nine; 0 is off.
    #[arg(long)]
    pub augment: Option<usize>,
    /// Scale of classifier-free guidance of the row whose denoiser is told the text, where it reads
    /// text; 0 leaves that row out.
    #[arg(long, value_name = "W", default_value_t = 3.0)]
    pub cfg: f64,
    /// Prompt, twelve of them if not given; may be repeated.
    #[arg(long = "prompt", value_name = "TEXT")]
    pub prompts: Vec<String>,
    /// Pictures per prompt or silhouette.
    #[arg(long, default_value_t = 1)]
    pub seeds: usize,
    /// First seed.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Denoiser calls per picture.
    #[arg(long, default_value_t = 20)]
    pub calls: usize,
    /// Leave out the comparison at equal time.
    #[arg(long)]
    pub calls_only: bool,
    /// Strength of the steering, instead of each method's tuned one.
    #[arg(long, allow_hyphen_values = true)]
    pub guidance_scale: Option<f64>,
    /// Take each method's strength from what `bench tune-image --json` printed.
    #[arg(long, value_name = "FILE", conflicts_with = "guidance_scale")]
    pub tuned: Option<PathBuf>,
    /// Show a report of an earlier run (its --json) instead of a new one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["methods", "prompts", "grid"])]
    pub from: Option<PathBuf>,
    /// Also write the tables as Markdown.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Also draw the means with their intervals.
    #[arg(long, value_name = "FILE.png")]
    pub plot: Option<PathBuf>,
    /// Also draw a picture of every method and target, methods as rows.
    #[arg(long, value_name = "FILE.png")]
    pub grid: Option<PathBuf>,
    /// When and how much the methods act.
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    /// What makes, steers and judges pictures.
    #[command(flatten)]
    pub models: ImageModelArgs,
}

/// Arguments of `bench tune-image`.
#[derive(Debug, Args)]
pub struct BenchTuneImageArgs {
    /// What to steer towards, all three if not given; may be repeated.
    #[arg(long = "goal", value_enum)]
    pub goals: Vec<GoalArg>,
    /// Method to tune, nine of them if not given; may be repeated.
    #[arg(long = "method", value_parser = method_values())]
    pub methods: Vec<Method>,
    /// Pictures per prompt or silhouette.
    #[arg(long, default_value_t = 1)]
    pub seeds: usize,
    /// First seed; the benchmark's begin at 0.
    #[arg(long, default_value_t = 1000)]
    pub seed: u64,
    /// Denoiser calls per picture.
    #[arg(long, default_value_t = 20)]
    pub calls: usize,
    /// What makes, steers and judges pictures.
    #[command(flatten)]
    pub models: ImageModelArgs,
}
