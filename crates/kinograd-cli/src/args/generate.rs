//! Options of `generate` and of what asks for clips as it does.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{EngineArgs, MethodArg, SamplerArg};
use crate::values::{
    NetworkArg, ObstacleArg, TargetArg, ThenArg, TimestepsArg, VisitsArg, WaypointArg,
};

/// When and how much a method acts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Steering")]
pub struct SteeringArgs {
    /// Steer only the steps that start between these timesteps; 0 is clean, 999 noise.
    #[arg(long, value_name = "FROM..TO")]
    pub interval: Option<TimestepsArg>,
    /// How the strength changes over the run.
    #[arg(long, value_enum, default_value_t = ScheduleArg::Constant)]
    pub schedule: ScheduleArg,
    /// Longest move of a sample in one step, as root mean square over its normalised numbers.
    #[arg(long, allow_hyphen_values = true, value_name = "RMS")]
    pub max_move: Option<f64>,
    /// Take each step several times, noised back in between, all steps or those between two
    /// timesteps; costs as many times more.
    #[arg(long, value_name = "VISITS[@FROM..TO]")]
    pub time_travel: Option<VisitsArg>,
}

/// How a strength changes over a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScheduleArg {
    /// Not at all.
    Constant,
    /// From little to all, towards the clean sample.
    Rising,
    /// From all to little.
    Falling,
    /// As the signal's share of the noised sample.
    Signal,
    /// As the noise's share.
    Noise,
    /// As the sampler's own noise.
    Posterior,
}

/// Arguments of `generate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd generate \"a person walks forward\" --target 2,3 --obstacle 1,1.5,0.5 -o walk.glb\n  \
    kinograd generate \"a person jogs\" --n 10 --target -2,4@5 -o jog.glb -o jog.bvh\n  \
    kinograd generate \"a person walks\" --waypoint 0,1.5@2 --waypoint 1,2.5@4 --seconds 6 -o path.npz -o path.png\n  \
    kinograd generate \"a person walks forward\" --then \"a person sits down@3\" -o sit.glb\n  \
    kinograd generate --scene assets/scenes/duck_under_beam.json -o duck.glb\n  \
    kinograd generate \"a person waves\" --json > report.json\n\n\
    Positions are metres on the ground. A clip starts at 0,0 facing +z; +x is the person's left.\n\
    With --n above 1, walk.glb becomes walk-00.glb, walk-01.glb and so on.")]
pub struct GenerateArgs {
    /// What the person does, in English; the scene's prompts if not given.
    #[arg(required_unless_present = "scene")]
    pub prompt: Option<String>,
    /// What they do from a given second on, in place of what they did before; may be repeated.
    #[arg(long, value_name = "PROMPT@SECONDS", requires = "prompt")]
    pub then: Vec<ThenArg>,
    /// Length of the clip, 1 to 10; the scene's, or 6, if not given.
    #[arg(long, allow_hyphen_values = true, value_name = "SECONDS")]
    pub seconds: Option<f64>,
    /// Scene to follow: prompts, goals and obstacles as JSON, such as those in assets/scenes.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "waypoints", "obstacles"])]
    pub scene: Option<PathBuf>,
    /// Frames per second of the files; the model itself works at 20.
    #[arg(long, default_value_t = 20.0, allow_hyphen_values = true)]
    pub fps: f64,
    /// How many clips, each with a seed of its own.
    #[arg(long, short, default_value_t = 1)]
    pub n: usize,
    /// The same seed, model and provider give the same bytes.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Denoising steps.
    #[arg(long, default_value_t = 20)]
    pub steps: usize,
    /// How one noise level leads to the next; ddim if not given, ddpm for the method dsg.
    #[arg(long, value_enum)]
    pub sampler: Option<SamplerArg>,
    /// Classifier-free guidance scale; 1 is off.
    #[arg(long, allow_hyphen_values = true)]
    pub cfg: Option<f64>,
    /// How goals and obstacles steer.
    #[arg(long, value_enum)]
    pub method: Option<MethodArg>,
    /// Strength of the steering, in multiples of the method's own step; tuned for each method if
    /// not given.
    #[arg(long, allow_hyphen_values = true)]
    pub guidance_scale: Option<f64>,
    /// Steer towards the prompt too, as the model's motion embedding reads it: 0 is off, 1 strong;
    /// beside goals, projection takes 0.5 by default.
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
    /// Output file: .glb, .bvh, .npz, .png (a sheet of poses) or .json (the report); may be repeated.
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// When and how much the method acts.
    #[command(flatten)]
    pub steering: SteeringArgs,
    /// Where the model runs.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Arguments of `diagnose`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd diagnose \"a person walks\" --target 2,3 --obstacle 1,1.5,0.5 --n 4 --plot report.png\n  \
    kinograd diagnose --scene assets/scenes/duck_under_beam.json -o report.json\n  \
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
