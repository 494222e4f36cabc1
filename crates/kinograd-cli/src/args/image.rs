//! Options of `image`.

use std::path::PathBuf;

use clap::Args;

use super::{ProviderArg, SamplingArgs, ScheduleArgs};

/// Arguments of `image`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kinograd image \"a red heart\" -o heart.png\n  \
    kinograd image \"a yellow star\" --n 16 --grid -o stars.png --augment 10 --save-steps strip.png\n  \
    kinograd image --loss text=dog,seg:2=mask.png,sketch=lines.png -o dog.png\n  \
    kinograd image \"a red heart\" --n 4 --grid --rounds 8 --save-steps rounds.png -o hearts.png\n  \
    kinograd image --loss inpaint=hole.png,image=photo.png --method mpgd -o whole.png\n  \
    kinograd image --loss class=resnet50.onnx:779,input=imagenet -o bus.png\n  \
    kinograd image \"a red bus\" --cfg 3 -o bus.png\n  \
    kinograd image \"a red bus\" --model my-ldm --cfg 7.5 --negative \"people\" -o bus.png\n  \
    kinograd image --model my-dit --class \"golden retriever\" --loss sketch=lines.png -o dog.png\n\n\
    Losses (KEY=VALUE, joined by commas; KEY:WEIGHT=VALUE weighs one):\n  \
    text=WORDS          what the picture shows, in English\n  \
    seg=FILE            foreground; white, or opaque, is foreground\n  \
    sketch=FILE         dark lines on light ground where edges shall be\n  \
    identity=FILE       likeness to a picture\n  \
    colour=FILE         a picture's colours: mean and deviation of each channel\n  \
    class=ONNX:INDEX    a class of a classifier\n  \
    reward=ONNX         a network's number, as large as can be\n  \
    input=WORDS         how that network sees pictures, where its graph does not say it\n  \
    inpaint=FILE,image=FILE    fill in what the mask shows white\n  \
    sr=N,image=FILE     a picture N times larger whose means are this one (bicubic=N: by that kernel)\n  \
    blur=PIXELS,image=FILE     a picture that is this one when blurred\n\n\
    Words of input=, joined by +: imagenet, clip, caffe (range, mean and deviation); 0..1, 0..255,\n\
    -1..1; rgb, bgr; nchw, nhwc; 224x224; bilinear, bicubic; mean:A/B/C, std:A/B/C. Size, channels\n\
    and layout come from the graph where it fixes them. A fixed batch is run in groups.\n\n\
    Pictures are PNG of the model's shape in any size. Transparent ones stand on white, 16 bits become 8.\n\
    With --n above 1 and without --grid, heart.png becomes heart-00.png, heart-01.png and so on.")]
pub struct ImageArgs {
    /// What the picture shows, in English; the same as --loss text=PROMPT. A model that reads text is
    /// told it instead (emoji-64 with --cfg only), and steered by it too where --text-model is given.
    pub prompt: Option<String>,
    /// What to steer towards; may be repeated.
    #[arg(long = "loss", value_name = "KEY=VALUE,...")]
    pub losses: Vec<String>,
    /// Class of a model that has classes, by number or name.
    #[arg(long, value_name = "N|NAME")]
    pub class: Option<String>,
    /// What a model that reads text is guided away from; with --cfg where that is 0 by default.
    #[arg(long, value_name = "TEXT")]
    pub negative: Option<String>,
    /// Network whose output shall be as large as can be; the same as --loss reward=FILE.
    #[arg(long, value_name = "ONNX")]
    pub reward: Option<PathBuf>,
    /// How the network of --reward sees pictures: imagenet, 0..255+bgr and so on, as input= of --loss.
    #[arg(long, value_name = "WORDS", requires = "reward")]
    pub reward_input: Option<String>,
    /// Task to run, as JSON. Options that are given go before what it says; losses are added.
    #[arg(long, value_name = "FILE")]
    pub task: Option<PathBuf>,
    /// Picture of an earlier run (.png): its task is run again, for the same bytes.
    #[arg(long, value_name = "PNG", conflicts_with_all = ["task", "prompt", "losses", "n", "best_of", "seed"])]
    pub from: Option<PathBuf>,
    /// How samples are drawn and steered.
    #[command(flatten)]
    pub sampling: SamplingArgs,
    /// Write all pictures side by side in one file.
    #[arg(long)]
    pub grid: bool,
    /// The noise to start from in place of the seed's: a .npy of floats, [n, channels, height, width].
    #[arg(long, value_name = "NPY")]
    pub noise: Option<PathBuf>,
    /// Random augmentations per step of what text, likeness, class and reward networks see; 0 is off, 10 if
    /// not given.
    #[arg(long)]
    pub augment: Option<usize>,
    /// Optimise instead of steering (Guo et al. 2024): minus the loss is linearised at the pictures
    /// and they are made again, so many times. --save-steps shows a picture per round.
    #[arg(
        long,
        value_name = "ROUNDS",
        help_heading = "Optimisation",
        conflicts_with_all = ["method", "guidance_scale", "interval", "schedule", "time_travel"]
    )]
    pub rounds: Option<usize>,
    /// How far above the present reward each round aims; a network's reward is so bent that it reaches
    /// a small part of the way. 10 if not given.
    #[arg(long, requires = "rounds", help_heading = "Optimisation")]
    pub delta: Option<f64>,
    /// Deviation of that aim: the smaller, the more reward and the less natural. 0.1 if not given.
    #[arg(long, requires = "rounds", help_heading = "Optimisation")]
    pub sigma: Option<f64>,
    /// Picture to write: .png, or .json for the report; may be repeated.
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// Also write how the pictures came out of noise: .png, one row each, or .npz, every step as numbers.
    #[arg(long, value_name = "PNG|NPZ")]
    pub save_steps: Option<PathBuf>,
    /// When and how much the method acts.
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    /// What makes, steers and judges pictures.
    #[command(flatten)]
    pub models: ImageModelArgs,
}

/// What makes, steers and judges pictures, and where it runs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Engine")]
pub struct ImageModelArgs {
    /// Model package that makes pictures: a name, or a folder with a model.json; emoji-64 if not given.
    #[arg(long, value_name = "NAME|FOLDER")]
    pub model: Option<String>,
    /// Package of image and text encoders that steers; emoji-clip if not given.
    #[arg(long, value_name = "NAME|FOLDER")]
    pub text_model: Option<String>,
    /// Package of encoders that only judges; emoji-judge if not given, and left out where it is not there.
    #[arg(long, value_name = "NAME|FOLDER")]
    pub judge: Option<String>,
    /// Package that finds the foreground; emoji-seg if not given.
    #[arg(long, value_name = "NAME|FOLDER")]
    pub seg_model: Option<String>,
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
