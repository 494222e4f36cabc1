//! Every command, option and value the command line accepts, in one place.

mod batch;
mod bench;
mod clips;
mod engine;
mod generate;
mod image;
mod optimize;
mod output;
mod rig;
mod serve;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use kinograd::{Method, SamplerKind};
use kinograd_eval::PromptList;
use kinograd_files::Budget;

use crate::values::{bytes, method_values, prompt_list_values, sampler_values};

pub use self::batch::BatchArgs;
pub use self::bench::{
    BenchCommand, BenchGuidanceArgs, BenchImageArgs, BenchOptimizeArgs, BenchTrajectoryArgs,
    BenchTuneArgs, BenchTuneImageArgs, DEFAULT_JUDGE, GoalArg,
};
pub use self::clips::{ConvertArgs, RenderArgs, StyleArg, ViewArg};
pub use self::engine::{EngineArgs, ProviderArg};
pub use self::generate::{DiagnoseArgs, GenerateArgs, SamplingArgs, ScheduleArgs};
pub use self::image::{ImageArgs, ImageModelArgs};
pub use self::optimize::{OptimizeArgs, OptimizeGuidanceArg};
pub use self::output::OutputArgs;
pub use self::rig::{RigCommand, RigInspectArgs};
pub use self::serve::ServeArgs;

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
                  (the program kinograd-viewer), KINOGRAD_BUDGET (as --budget), KINOGRAD_CACHE, \
                  KINOGRAD_CACHE_LIMIT (as --cache-limit), NO_COLOR."
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
    /// Raise the limits of what files and tasks may ask for, such as frames, goals and bytes, by
    /// this factor; KINOGRAD_BUDGET does the same.
    #[arg(long, global = true, value_name = "FACTOR", value_parser = Budget::parse_factor)]
    pub budget: Option<f64>,
    /// The most that the cache of graphs and gradients keeps, such as 500MB or 20GB, which is the limit
    /// if none is given; what was used longest ago goes. KINOGRAD_CACHE_LIMIT does the same.
    #[arg(long, global = true, value_name = "SIZE", value_parser = bytes)]
    pub cache_limit: Option<u64>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Generate clips from a prompt, a goal and obstacles.
    Generate(Box<GenerateArgs>),
    /// Make pictures, steered by a text, masks, drawings, likenesses or measurements.
    Image(Box<ImageArgs>),
    /// Make clips in bulk, from a list of tasks or a sweep, in shards that can be resumed.
    Batch(Box<BatchArgs>),
    /// Make a reward of clips rise, round by round, while they stay natural.
    Optimize(Box<OptimizeArgs>),
    /// Measure how a model, losses and a method go together, and say what to change.
    Diagnose(Box<DiagnoseArgs>),
    /// Convert a clip from one format to another, put it on a character, or draw it as .png.
    Convert(ConvertArgs),
    /// Draw clips as a picture or a film.
    Render(RenderArgs),
    /// Show what is found in a character's file.
    #[command(subcommand)]
    Rig(RigCommand),
    /// Serve motion generation over HTTP, by the protocol MMCP 1.2.
    Serve(ServeArgs),
    /// Build training data from motion capture.
    #[command(subcommand)]
    Dataset(DatasetCommand),
    /// Write the gradient of an ONNX model as an ONNX model.
    Grad(GradArgs),
    /// List, show, check and add model packages.
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Show how much the cache of graphs and gradients holds, or clear it.
    Cache {
        /// What to do; shows it if not given.
        #[command(subcommand)]
        command: Option<CacheCommand>,
    },
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
    /// Write a manual page for each command.
    #[command(hide = true)]
    Man {
        /// Folder for the pages, such as ~/.local/share/man/man1; it is made if it is not there.
        folder: PathBuf,
    },
}

/// Commands of `cache`.
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Remove all entries; an installed ONNX Runtime stays.
    Clear,
}

/// Commands of `dataset`.
#[derive(Debug, Subcommand)]
pub enum DatasetCommand {
    /// Import motion capture as features, captions and statistics.
    #[command(after_help = "Example:\n  \
        kinograd dataset build mocap/ -o data/")]
    Build(DatasetBuildArgs),
    /// Make training data of a batch's clips, with their prompts as captions.
    #[command(after_help = "Example:\n  \
        kinograd dataset from-batch clips/ -o data/")]
    FromBatch(DatasetFromBatchArgs),
}

/// Arguments of `dataset from-batch`.
#[derive(Debug, Args)]
pub struct DatasetFromBatchArgs {
    /// Folder that `kinograd batch` wrote, with --formats npz among others; its manifests' hashes are checked.
    #[arg(value_name = "FOLDER")]
    pub batch: PathBuf,
    /// Folder to write; the batch's name and -dataset if not given.
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Leave out the mirrored copies.
    #[arg(long)]
    pub no_mirror: bool,
    /// Threads; 0 uses every core.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
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
    /// ONNX Runtime's shared library, which loads the gradient before it is written, where it loads the
    /// model; `none` loads nothing. The installed one if not given.
    #[arg(long, value_name = "FILE|none")]
    pub runtime: Option<PathBuf>,
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
    /// Make a package of a denoiser of your own or of a pipeline that Optimum or diffusers exported, or take over
    /// a folder that an export script wrote.
    #[command(after_help = "Examples:\n  \
        kinograd models add denoiser.onnx --name mine --like motion-base\n  \
        kinograd models add mdm.onnx --preset mdm --text clip/ --stats HumanML3D/ --name mdm
  \
            kinograd models add stable-diffusion-onnx --name sd --dry-run\n  \
        kinograd models add exported/my-ldm\n\n\
        Of pipelines, folders with model_index.json, those of Stable Diffusion 1, 2 and XL are taken: \
        docs/models.md says what is read of them.")]
    Add(ModelsAddArgs),
}

/// Arguments of `models add`.
#[derive(Debug, Args)]
pub struct ModelsAddArgs {
    /// The denoiser, or the folder of a package or a pipeline.
    #[arg(value_name = "ONNX|FOLDER")]
    pub source: PathBuf,
    /// Name of the new package; a folder's own if not given.
    #[arg(long)]
    pub name: Option<String>,
    /// Package whose other files a denoiser shares.
    #[arg(long, default_value = "motion-base", value_name = "NAME|FOLDER")]
    pub like: String,
    /// Family of published models that the denoiser is of, in place of --like.
    #[arg(long, value_enum, conflicts_with = "like", requires_all = ["text", "stats"])]
    pub preset: Option<PresetArg>,
    /// CLIP's text encoder with its projection (`input_ids` to `text_embeds`), an ONNX file or its
    /// folder, with tokenizer.json or vocab.json and merges.txt.
    #[arg(long, value_name = "ONNX|FOLDER", requires = "preset")]
    pub text: Option<PathBuf>,
    /// Folder of the training data's mean and standard deviation: t2m_mean.npy and t2m_std.npy, or
    /// Mean.npy and Std.npy; of gmd Mean_abs_3d.npy and Std_abs_3d.npy.
    #[arg(long, value_name = "FOLDER", requires = "preset")]
    pub stats: Option<PathBuf>,
    /// Diffusion steps of the training; those of args.json beside the denoiser, else 1000, if not given.
    #[arg(long, value_name = "N", requires = "preset")]
    pub train_steps: Option<usize>,
    /// Size of a pipeline's pictures, where its U-Net takes any.
    #[arg(long, value_name = "HEIGHTxWIDTH", value_parser = picture_size)]
    pub size: Option<[usize; 2]>,
    /// Folder of packages to write to; the user's own if not given.
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<PathBuf>,
    /// Add nothing: of a pipeline, print what model.json would say; of a denoiser, make and check the package, and
    /// say what becomes of each tensor.
    #[arg(long)]
    pub dry_run: bool,
}

/// A family of published models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PresetArg {
    /// Human Motion Diffusion Model: HumanML3D's features at 20 fps, 40 to 196 frames, x0, cosine
    /// schedule, CLIP's text.
    Mdm,
    /// Guided Motion Diffusion: the same with the root by its place (Mean_abs_3d.npy and
    /// Std_abs_3d.npy), without emphasis projection.
    Gmd,
}

fn picture_size(text: &str) -> Result<[usize; 2], String> {
    let sides = text.split_once(['x', '×']).and_then(|(height, width)| {
        Some([height.trim().parse().ok()?, width.trim().parse().ok()?])
    });
    sides
        .filter(|sides: &[usize; 2]| sides.iter().all(|side| (1..=4096).contains(side)))
        .ok_or_else(|| format!("`{text}` is not HEIGHTxWIDTH in pixels, such as 512x512"))
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
    /// Sample prompts at several lengths, and tell what share does what it says.
    #[command(after_help = "Examples:\n  \
        kinograd eval model --prompts reworded --seeds 8 -o report.json\n  \
        kinograd eval model --data DATA\n  \
        kinograd eval model --real DATA\n\n\
        With --data real clips stand beside the samples; --real says what real clips make of the tests. The prompts of the list steering were looked at while models were trained, and the words of training were widened after those of held-out; reworded ones steered nothing.")]
    Model(EvalModelArgs),
    /// Time plain and guided runs on every engine that is there.
    Speed(EvalSpeedArgs),
}

/// Arguments of `eval model`.
#[derive(Debug, Args)]
pub struct EvalModelArgs {
    /// Data set built by `dataset build`: real clips beside the samples, and what they make of the tests.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Hold the tests against the real clips of this data set, and sample nothing.
    #[arg(
        long,
        value_name = "FOLDER",
        conflicts_with_all = ["data", "seeds", "lengths", "steps", "sampler", "cfg", "text_guidance", "best_of", "judge"]
    )]
    pub real: Option<PathBuf>,
    /// Which prompts.
    #[arg(long, value_name = "LIST", default_value = "all", value_parser = prompt_list_values())]
    pub prompts: PromptList,
    /// Only prompts that contain this text.
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// Lengths at which each prompt is sampled, seconds, with commas between them.
    #[arg(long, value_name = "SECONDS", value_delimiter = ',', default_values_t = [2.0, 4.0, 6.0, 8.0])]
    pub lengths: Vec<f64>,
    /// Clips per prompt and length.
    #[arg(long, default_value_t = 16)]
    pub seeds: usize,
    /// Denoising steps; those of generate if not given.
    #[arg(long)]
    pub steps: Option<usize>,
    /// How one noise level leads to the next; as generate has it if not given.
    #[arg(long, value_parser = sampler_values())]
    pub sampler: Option<SamplerKind>,
    /// Classifier-free guidance scale; the model's own if not given.
    #[arg(long)]
    pub cfg: Option<f64>,
    /// Weight of the text loss; none if not given, as in generate without goals.
    #[arg(long, value_name = "WEIGHT")]
    pub text_guidance: Option<f64>,
    /// Draw so many for each clip and keep the best, as generate does.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub best_of: usize,
    /// Package with an embedding that steers nothing and judges the clips' text; left out where the
    /// default one is not there.
    #[arg(long, value_name = "NAME|FOLDER", default_value = DEFAULT_JUDGE)]
    pub judge: String,
    /// Write the report as JSON to this file too.
    #[arg(short, long, value_name = "FILE.json")]
    pub output: Option<PathBuf>,
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
    #[arg(long, value_parser = method_values())]
    pub method: Option<Method>,
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
