//! Every command, option and value the command line accepts, in one place.

mod bench;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::bench::{
    BenchCommand, BenchGuidanceArgs, BenchImageArgs, BenchOptimizeArgs, BenchTrajectoryArgs,
    BenchTuneArgs, BenchTuneImageArgs, GoalArg,
};
use crate::values::{
    NetworkArg, ObstacleArg, SizeArg, TargetArg, ThenArg, TimestepsArg, VisitsArg, WaypointArg,
    WindowArg,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Steerable motion generation from exported ONNX diffusion models.
#[derive(Debug, Parser)]
#[command(
    name = "kinograd",
    version,
    styles = STYLES,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 fine, 1 the input was at fault or the run was interrupted, 2 a fault of this program.\n\
                  Environment: KINOGRAD_MODELS (where packages are), ORT_DYLIB_PATH (ONNX Runtime), KINOGRAD_VIEWER\n\
                  (the program kinograd-viewer), NO_COLOR."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Options every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Print one JSON document on stdout instead of text, and no progress bar.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but results and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on stderr: -v what is done, -vv everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Generate clips from a prompt, a goal and obstacles.
    Generate(Box<GenerateArgs>),
    /// Make pictures, steered by a text, masks, drawings, likenesses or measurements.
    Image(Box<ImageArgs>),
    /// Make a reward of clips rise, round by round, while they stay natural.
    Optimize(Box<OptimizeArgs>),
    /// Measure how a model, losses and a method go together, and say what to change.
    Diagnose(Box<DiagnoseArgs>),
    /// Convert a clip between .bvh, .glb and .npz, or draw it as .png.
    Convert(ConvertArgs),
    /// Draw clips as a picture or a film.
    Render(RenderArgs),
    /// Build training data from motion capture.
    #[command(subcommand)]
    Dataset(DatasetCommand),
    /// Write the gradient of an ONNX model as an ONNX model.
    Grad(GradArgs),
    /// List, show, check and add model packages.
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Show the engines that are there, or install ONNX Runtime.
    #[command(subcommand)]
    Runtime(RuntimeCommand),
    /// Measure data, model or speed.
    #[command(subcommand)]
    Eval(EvalCommand),
    /// Compare guidance methods.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Where the model runs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Engine")]
pub struct EngineArgs {
    /// Model package: a name, or a folder with a model.json.
    #[arg(long, default_value = "motion-base", value_name = "NAME|FOLDER")]
    pub model: String,
    /// Which execution provider runs the model.
    #[arg(long, value_enum, default_value_t = ProviderArg::Auto)]
    pub provider: ProviderArg,
    /// ONNX Runtime's shared library, or `builtin` for the built-in engine.
    #[arg(long, value_name = "FILE|builtin")]
    pub runtime: Option<PathBuf>,
    /// Threads per model call; 0 lets the engine choose.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
}

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

/// Arguments of `image`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd image \"a red heart\" -o heart.png\n  \
    kinograd image \"a yellow star\" --n 16 --grid -o stars.png --augment 10 --save-steps strip.png\n  \
    kinograd image --loss text=dog,seg:2=mask.png,sketch=lines.png -o dog.png\n  \
    kinograd image --loss inpaint=hole.png,image=photo.png --method mpgd -o whole.png\n\n\
    Losses (KEY=VALUE, joined by commas; KEY:WEIGHT=VALUE weighs one):\n  \
    text=WORDS          what the picture shows, in English\n  \
    seg=FILE            foreground; white, or opaque, is foreground\n  \
    sketch=FILE         dark lines on light ground where edges shall be\n  \
    identity=FILE       likeness to a picture\n  \
    colour=FILE         a picture's colours: mean and deviation of each channel\n  \
    class=ONNX:INDEX    a class of a classifier\n  \
    reward=ONNX         a network's number, as large as can be\n  \
    inpaint=FILE,image=FILE    fill in what the mask shows white\n  \
    sr=N,image=FILE     a picture N times larger whose means are this one (bicubic=N: by that kernel)\n  \
    blur=PIXELS,image=FILE     a picture that is this one when blurred\n\n\
    Pictures are PNG of the model's shape in any size. Transparent ones stand on white, 16 bits become 8.\n\
    With --n above 1 and without --grid, heart.png becomes heart-00.png, heart-01.png and so on.")]
pub struct ImageArgs {
    /// What the picture shows, in English; the same as --loss text=PROMPT.
    pub prompt: Option<String>,
    /// What to steer towards; may be repeated.
    #[arg(long = "loss", value_name = "KEY=VALUE,...")]
    pub losses: Vec<String>,
    /// Network whose output shall be as large as can be; the same as --loss reward=FILE.
    #[arg(long, value_name = "ONNX")]
    pub reward: Option<PathBuf>,
    /// How many pictures, each with a seed of its own.
    #[arg(long, short, default_value_t = 1)]
    pub n: usize,
    /// Write all pictures side by side in one file.
    #[arg(long)]
    pub grid: bool,
    /// The same seed, models and provider give the same bytes.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Denoising steps.
    #[arg(long, default_value_t = 50)]
    pub steps: usize,
    /// How one noise level leads to the next.
    #[arg(long, value_enum, default_value_t = SamplerArg::Ddim)]
    pub sampler: SamplerArg,
    /// How the losses steer; projection is for paths only.
    #[arg(long, value_enum, default_value_t = MethodArg::Normalized)]
    pub method: MethodArg,
    /// Strength of the steering, in multiples of the method's own; what was tuned for the method and
    /// the first loss if not given.
    #[arg(long, allow_hyphen_values = true)]
    pub guidance_scale: Option<f64>,
    /// Random augmentations per step of what text, likeness, class and reward networks see; 0 is off.
    #[arg(long, default_value_t = 10)]
    pub augment: usize,
    /// Picture to write: .png, or .json for the report; may be repeated.
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// Also write how the pictures came out of noise, one row each.
    #[arg(long, value_name = "PNG")]
    pub save_steps: Option<PathBuf>,
    /// When and how much the method acts.
    #[command(flatten)]
    pub steering: SteeringArgs,
    /// What makes, steers and judges pictures.
    #[command(flatten)]
    pub models: ImageModelArgs,
}

/// What makes, steers and judges pictures, and where it runs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Engine")]
pub struct ImageModelArgs {
    /// Model package that makes pictures: a name, or a folder with a model.json.
    #[arg(long, default_value = "emoji-64", value_name = "NAME|FOLDER")]
    pub model: String,
    /// Package of image and text towers that steers.
    #[arg(long, default_value = "emoji-clip", value_name = "NAME|FOLDER")]
    pub text_model: String,
    /// Package of towers that only judges; left out where it is not there.
    #[arg(long, default_value = "emoji-judge", value_name = "NAME|FOLDER")]
    pub judge: String,
    /// Package that finds the foreground.
    #[arg(long, default_value = "emoji-seg", value_name = "NAME|FOLDER")]
    pub seg_model: String,
    /// Which execution provider runs the models.
    #[arg(long, value_enum, default_value_t = ProviderArg::Auto)]
    pub provider: ProviderArg,
    /// ONNX Runtime's shared library, or `builtin` for the built-in engine.
    #[arg(long, value_name = "FILE|builtin")]
    pub runtime: Option<PathBuf>,
    /// Threads per model call; 0 lets the engine choose.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
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
    /// The same seed, model and provider give the same bytes.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Denoising steps of each round.
    #[arg(long, default_value_t = 20)]
    pub steps: usize,
    /// Classifier-free guidance scale; 1 is off.
    #[arg(long, allow_hyphen_values = true)]
    pub cfg: Option<f64>,
    /// Leave the feet as the model made them.
    #[arg(long)]
    pub no_foot_lock: bool,
    /// Output file: .glb, .bvh, .npz, .png (a sheet of poses) or .json (the report); may be repeated.
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
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
    kinograd render a.glb b.glb --scene room.json --view follow -o both.mp4\n  \
    kinograd render walk.glb --fps 30 -o frames\n\n\
    Several clips play at once, in one scene. Goals and obstacles are the scene's, or those that the first\n\
    clip was made with. A film is a .gif, an .mp4 (by ffmpeg, where it is installed) or a folder of pictures;\n\
    a .png shows the whole way.")]
pub struct RenderArgs {
    /// Clips to draw: .bvh, .glb or .npz.
    #[arg(required = true, value_name = "CLIP")]
    pub clips: Vec<PathBuf>,
    /// Scene whose goals and obstacles are shown.
    #[arg(long, value_name = "FILE")]
    pub scene: Option<PathBuf>,
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

/// Commands of `dataset`.
#[derive(Debug, Subcommand)]
pub enum DatasetCommand {
    /// Import motion capture as features, captions and statistics.
    #[command(after_help = "Example:\n  \
        kinograd dataset build mocap/ -o data/")]
    Build(DatasetBuildArgs),
}

/// Arguments of `dataset build`.
#[derive(Debug, Args)]
pub struct DatasetBuildArgs {
    /// Folder of BVH files; its manifest.csv (file, captions, label, split, family) and
    /// skeletons.json (joint names of each family's rig) are used where they are there.
    #[arg(value_name = "FOLDER")]
    pub source: PathBuf,
    /// Folder to write.
    #[arg(short, long, value_name = "FOLDER")]
    pub output: PathBuf,
    /// Leave out the mirrored copies.
    #[arg(long)]
    pub no_mirror: bool,
    /// Threads; 0 uses every core.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
}

/// Arguments of `grad`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd grad denoiser.onnx -o denoiser-grad.onnx --wrt x_t --of x0\n  \
    kinograd grad classifier.onnx -o train.onnx --of logits --weights all --weights-as-inputs --split\n  \
    kinograd grad denoiser.onnx -o pair.onnx --split --dim batch=1 --dim frames=196 --json")]
pub struct GradArgs {
    /// The model to differentiate.
    pub model: PathBuf,
    /// The model to write.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Input to differentiate with respect to; may be given several times. Without it and without
    /// --weights, the first float input.
    #[arg(long, value_name = "NAME")]
    pub wrt: Vec<String>,
    /// Output to differentiate; may be given several times. The first float output if not given.
    #[arg(long, value_name = "NAME")]
    pub of: Vec<String>,
    /// Weight (float initializer) that gets a gradient; may be given several times. `all` takes
    /// every one that looks trained.
    #[arg(long, value_name = "NAME|all")]
    pub weights: Vec<String>,
    /// Make the chosen weights inputs of the written models, for training loops.
    #[arg(long, requires = "weights")]
    pub weights_as_inputs: bool,
    /// Hold the chosen half-precision weights, and their gradients, in 32 bits.
    #[arg(long, requires = "weights")]
    pub weights_in_f32: bool,
    /// Write two models, FILE-forward.onnx and FILE-backward.onnx, so that the cotangent can be
    /// computed from the output between them.
    #[arg(long)]
    pub split: bool,
    /// Length of a free dimension, to report the bytes of the kept activations at; may be given
    /// several times.
    #[arg(long, value_name = "NAME=LENGTH", value_parser = length, requires = "split")]
    pub dim: Vec<(String, i64)>,
}

fn length(text: &str) -> Result<(String, i64), String> {
    text.rsplit_once('=')
        .and_then(|(name, length)| Some((name.to_owned(), length.parse().ok()?)))
        .filter(|(name, length)| !name.is_empty() && *length >= 0)
        .ok_or_else(|| format!("`{text}` is not NAME=LENGTH, such as frames=196"))
}

/// Commands of `models`.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the packages that are found, and where.
    List,
    /// Show what a package says of itself.
    Show {
        /// Package name or folder.
        model: String,
    },
    /// Check hashes, run the model once and compare its gradient with finite differences.
    Check {
        /// Where the model runs.
        #[command(flatten)]
        engine: EngineArgs,
    },
    /// Make a package of a denoiser of your own.
    #[command(after_help = "Example:\n  \
        kinograd models add denoiser.onnx --name mine --like motion-base")]
    Add(ModelsAddArgs),
}

/// Arguments of `models add`.
#[derive(Debug, Args)]
pub struct ModelsAddArgs {
    /// The denoiser.
    pub onnx: PathBuf,
    /// Name of the new package.
    #[arg(long)]
    pub name: String,
    /// Package whose text encoder, embedding and constants it shares.
    #[arg(long, default_value = "motion-base", value_name = "NAME|FOLDER")]
    pub like: String,
    /// Folder of packages to write to; the user's own if not given.
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<PathBuf>,
}

/// Commands of `runtime`.
#[derive(Debug, Subcommand)]
pub enum RuntimeCommand {
    /// Show which engines are there and where they were looked for.
    Info {
        /// ONNX Runtime's shared library.
        #[arg(long, value_name = "FILE")]
        runtime: Option<PathBuf>,
    },
    /// Install the pinned ONNX Runtime into the user's cache with the user's own pip.
    Install {
        /// The GPU build (CUDA and TensorRT).
        #[arg(long)]
        gpu: bool,
    },
}

/// Commands of `eval`.
#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// Import every clip of a motion capture folder and measure the round trip.
    Data {
        /// Folder with manifest.csv, skeletons.json and bvh/.
        source: PathBuf,
        /// Threads; 0 uses every core.
        #[arg(long, default_value_t = 0)]
        threads: usize,
    },
    /// Sample 24 prompts and compare with real clips.
    Model(EvalModelArgs),
    /// Time plain and guided runs on every engine that is there.
    Speed(EvalSpeedArgs),
}

/// Arguments of `eval model`.
#[derive(Debug, Args)]
pub struct EvalModelArgs {
    /// Data set built by `dataset build`, for real clips to compare with.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Seeds per prompt.
    #[arg(long, default_value_t = 16)]
    pub seeds: usize,
    /// Denoising steps.
    #[arg(long, default_value_t = 20)]
    pub steps: usize,
    /// Classifier-free guidance scale.
    #[arg(long)]
    pub cfg: Option<f64>,
    /// Only prompts that contain this text.
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// Where the model runs.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Arguments of `eval speed`.
#[derive(Debug, Args)]
pub struct EvalSpeedArgs {
    /// Runs of each case; the median and the spread are shown.
    #[arg(long, default_value_t = 5)]
    pub runs: usize,
    /// Clips of the batched case.
    #[arg(long, default_value_t = 16)]
    pub batch: usize,
    /// Method of the guided runs, instead of the default one.
    #[arg(long, value_enum)]
    pub method: Option<MethodArg>,
    /// Denoising steps.
    #[arg(long, default_value_t = 20)]
    pub steps: usize,
    /// Leave out the runs in a process of their own, which tell start-up time and memory.
    #[arg(long)]
    pub in_process: bool,
    /// Where the model runs.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Execution providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProviderArg {
    /// The fastest that works.
    Auto,
    /// The processor.
    Cpu,
    /// NVIDIA CUDA.
    Cuda,
    /// NVIDIA TensorRT.
    Tensorrt,
}

/// Samplers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SamplerArg {
    /// Denoising diffusion implicit models, deterministic (Song et al. 2020).
    Ddim,
    /// Ancestral sampling (Ho et al. 2020).
    Ddpm,
    /// DPM-Solver++ of second order, multistep (Lu et al. 2022).
    #[value(name = "dpmpp-2m")]
    DpmSolverPp2M,
    /// Heun's method; two model calls a step (Karras et al. 2022).
    Heun,
}

/// Guidance methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MethodArg {
    /// No steering, only measured.
    None,
    /// Diffusion posterior sampling (Chung et al. 2022).
    Dps,
    /// Training-free energy guidance (Yu et al. 2023).
    Freedom,
    /// Manifold-preserving guidance, without the model's gradient (He et al. 2023).
    Mpgd,
    /// Polyak step size as printed (Shen et al. 2024).
    Polyak,
    /// Polyak step size, no longer than the sampler's own noise allows.
    PolyakCapped,
    /// A step of fixed length along the gradient (the code of Shen et al. 2024).
    Normalized,
    /// Minimum-norm projection of the root's path; the body follows through the gradient.
    Projection,
    /// Loss guidance with Monte Carlo (Song et al. 2023).
    LgdMc,
    /// Universal guidance (Bansal et al. 2023).
    Ugd,
    /// Training-free guidance (Ye et al. 2024).
    Tfg,
    /// Diffusion with spherical Gaussian constraint (Yang et al. 2024).
    Dsg,
    /// Adam over the sampling steps (Belardi et al. 2026).
    AdamDps,
    /// Guidance of the posterior mean, without the model's gradient (Xie et al. 2024).
    Mean,
}
