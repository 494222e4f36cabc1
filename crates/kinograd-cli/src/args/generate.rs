//! Options of `generate` and of what asks for clips as it does.

use std::path::PathBuf;

use clap::Args;
use kinograd::guidance::StepSchedule;
use kinograd::{Method, SamplerKind};

use super::rig::RigArgs;
use super::{EngineArgs, OutputArgs};
use crate::values::{
    NetworkArg, ObstacleArg, ResamplingArg, TargetArg, ThenArg, TimestepsArg, WaypointArg,
    method_values, sampler_values, strength_values,
};

/// How samples of every modality are drawn and steered.
#[derive(Debug, Clone, Default, Args)]
pub struct SamplingArgs {
    /// How many clips or pictures, each with a seed of its own; 1 if not given.
    #[arg(long, short)]
    pub n: Option<usize>,
    /// Draw so many for each and keep the best: by its score for the prompt, less what slides, rushes
    /// or misses a goal; 1 if not given.
    #[arg(long, value_name = "N")]
    pub best_of: Option<usize>,
    /// The same task (its seed and number of samples), model, engine, provider and number of threads
    /// give the same bytes on one machine; 0 if not given. Sample 2 of three has this seed + 1; drawn
    /// alone with that seed it is the same up to rounding, about a micrometre.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Denoising steps; the model's own if not given, or else 20 for clips and 50 for pictures.
    #[arg(long)]
    pub steps: Option<usize>,
    /// How one noise level leads to the next; ddpm for the method dsg if not given, the model's own for
    /// other methods, or else ddim.
    #[arg(long, value_parser = sampler_values())]
    pub sampler: Option<SamplerKind>,
    /// Scale of classifier-free guidance, away from no prompt, text or class; 1 is off, the model's own
    /// if not given.
    #[arg(long, value_name = "SCALE", allow_hyphen_values = true)]
    pub cfg: Option<f64>,
    /// How goals steer; projection for clips and normalized for pictures if not given. projection is
    /// for paths only.
    #[arg(long, value_parser = method_values())]
    pub method: Option<Method>,
    /// Strength of the steering, in multiples of the method's own step; what was tuned for the method, and
    /// for a picture's first loss, if not given.
    #[arg(long, allow_hyphen_values = true)]
    pub guidance_scale: Option<f64>,
}

/// When and how much a method acts.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Steering")]
pub struct ScheduleArgs {
    /// Steer only the steps that start between these timesteps; 0 is clean, 999 noise.
    #[arg(long, value_name = "FROM..TO")]
    pub interval: Option<TimestepsArg>,
    /// How the strength changes over the run; constant if not given.
    #[arg(long, value_parser = strength_values())]
    pub schedule: Option<StepSchedule>,
    /// Longest move of a sample in one step, as root mean square over its normalised numbers.
    #[arg(
        long,
        alias = "max-step-rms",
        allow_hyphen_values = true,
        value_name = "RMS"
    )]
    pub max_move: Option<f64>,
    /// Take each step several times, noised back in between, all steps or those between two
    /// timesteps; costs as many times more.
    #[arg(long, alias = "resampling", value_name = "COUNT[@FROM..TO]")]
    pub time_travel: Option<ResamplingArg>,
    /// Steps of dno, which optimises the noise; each costs two runs and their gradient. 50 if not given.
    #[arg(long, value_name = "N")]
    pub iterations: Option<usize>,
}

/// Arguments of `generate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd generate \"a person walks forward\" --target 2,3 --obstacle 1,1.5,0.5 -o walk.glb\n  \
    kinograd generate \"a person jogs\" --n 10 --target -2,4@5 -o jog.glb -o jog.bvh\n  \
    kinograd generate \"a person walks\" --waypoint 0,1.5@2 --waypoint 1,2.5@4 --seconds 6 -o path.npz -o path.png\n  \
    kinograd generate \"a person walks forward\" --then \"a person sits down@3\" -o sit.glb\n  \
    kinograd generate --task assets/scenes/duck_under_beam.json -o duck.glb\n  \
    kinograd generate --from walk.glb -o again.bvh\n  \
    kinograd generate \"a person waves\" --json > report.json\n\n\
    Positions are metres on the ground. A clip starts at 0,0 facing +z; +x is the person's left.\n\
    With --n above 1, walk.glb becomes walk-00.glb, walk-01.glb and so on.")]
pub struct GenerateArgs {
    /// What the person does, in English; the task's prompts if not given.
    #[arg(required_unless_present_any = ["task", "from"])]
    pub prompt: Option<String>,
    /// What they do from a given second on, in place of what they did before; may be repeated.
    #[arg(long, value_name = "PROMPT@SECONDS", requires = "prompt")]
    pub then: Vec<ThenArg>,
    /// Length of the clip, 1 to 10; the task's, or if not given 6, of some actions without goals 2 or 4:
    /// a kick, a wave.
    #[arg(long, allow_hyphen_values = true, value_name = "SECONDS")]
    pub seconds: Option<f64>,
    /// Task to run, as JSON: prompts, goals, obstacles and all that options say, such as those in
    /// assets/scenes. Options that are given go before what it says.
    #[arg(
        long,
        alias = "scene",
        value_name = "FILE",
        conflicts_with_all = ["target", "waypoints", "obstacles"]
    )]
    pub task: Option<PathBuf>,
    /// File of an earlier run, a .glb, .npz, .png, or .bvh with its .json: its task is run again, for the
    /// same bytes.
    #[arg(
        long,
        value_name = "CLIP",
        conflicts_with_all = ["task", "prompt", "n", "best_of", "seed", "target", "waypoints", "obstacles"]
    )]
    pub from: Option<PathBuf>,
    /// Frames per second of the files; the model itself works at 20, which is taken if not given.
    #[arg(long, allow_hyphen_values = true)]
    pub fps: Option<f64>,
    /// How samples are drawn and steered.
    #[command(flatten)]
    pub sampling: SamplingArgs,
    /// Steer towards the prompt too, with goals or without, as the model's motion embedding reads it: 0
    /// is off, 1 strong. If not given, projection takes 0.5 beside places on the ground; else it is off.
    #[arg(long, allow_hyphen_values = true)]
    pub text_guidance: Option<f64>,
    /// ONNX network to steer by: takes joints [batch, frames, 22, 3] in metres or normalised features
    /// [batch, frames, 263], gives one number per clip, which is made small; weight 1 if not given;
    /// may be repeated.
    #[arg(long = "loss-onnx", value_name = "FILE[,WEIGHT]")]
    pub networks: Vec<NetworkArg>,
    /// Where the person is at the end, or at a given second.
    #[arg(long, allow_hyphen_values = true, value_name = "X,Z[@SECONDS]")]
    pub target: Option<TargetArg>,
    /// Stand at the target from its second on, or for the last half second, instead of passing through.
    #[arg(long, requires = "target")]
    pub arrive: bool,
    /// Where the person is at a given second; may be repeated.
    #[arg(
        long = "waypoint",
        allow_hyphen_values = true,
        value_name = "X,Z@SECONDS"
    )]
    pub waypoints: Vec<WaypointArg>,
    /// A circle to keep out of; may be repeated.
    #[arg(
        long = "obstacle",
        allow_hyphen_values = true,
        value_name = "X,Z,RADIUS"
    )]
    pub obstacles: Vec<ObstacleArg>,
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
    /// When and how much the method acts.
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    /// Where the model runs.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Arguments of `diagnose`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd diagnose \"a person walks\" --target 2,3 --obstacle 1,1.5,0.5 --n 4 --plot report.png\n  \
    kinograd diagnose --task assets/scenes/duck_under_beam.json -o report.json\n  \
    kinograd diagnose \"a person walks\" --loss-onnx score.onnx,0.5 --method dps --calls 10,20\n\n\
    Options are those of generate; the method and steps are what is diagnosed.")]
pub struct DiagnoseArgs {
    /// What is asked of the clips.
    #[command(flatten)]
    pub clips: GenerateArgs,
    /// Numbers of denoiser calls to compare; 5, 10, 20 and 50 if not given.
    #[arg(long, value_delimiter = ',', value_name = "N,N,…")]
    pub calls: Vec<usize>,
    /// Network that judges whether the clips got better or the --loss-onnx of the same place was only
    /// deceived: it takes the same and means the same, but was trained apart; may be repeated.
    #[arg(long = "judge-onnx", value_name = "FILE", requires = "networks")]
    pub judges: Vec<PathBuf>,
    /// Draw loss, PL ratio, error against calls and smoothness.
    #[arg(long, value_name = "FILE.png")]
    pub plot: Option<PathBuf>,
}
