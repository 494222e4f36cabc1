//! `kinograd image`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use kinograd::image::{
    GeneratedImage, ImageGenerator, ImageModels, ImageOptimization, ImageReport, Keep, PictureGoal,
    PictureGoalKind, PictureSpec, PictureTask, is_text_conditioned, save_strip, save_trace, tiled,
};
use kinograd::motion::Provenance;
use kinograd::optimize::{RoundReport, RoundTable};
use kinograd::task::Spec as _;
use kinograd::{Error, FileFormat, SamplerKind, Timings, check_output, save_report};
use kinograd_eval::statistics::mean;
use serde::Serialize;

use crate::args::{ImageArgs, ImageModelArgs};
use crate::commands::generate::{Watcher, is_json, numbered};
use crate::engine;
use crate::invocation::command_line;
use crate::printer::Printer;
use crate::task_flags::{Asked, add_sampling, asked};

/// Makes pictures, writes and reports them.
pub fn run(args: &ImageArgs, printer: &Printer) -> anyhow::Result<()> {
    let started = Instant::now();
    let Asked { task, only_seed } = task_of(args)?;
    for output in &args.outputs {
        check_picture(output, "json")?;
    }
    if let Some(steps) = &args.save_steps {
        check_picture(steps, "npz")?;
    }
    let options = engine::image_options(&args.models);
    let mut generator = ImageGenerator::open(&task, &options)?;
    let steps = args.save_steps.as_deref();
    generator.keep(Keep {
        strip: steps.is_some_and(|path| !is_npz(path)),
        trace: steps.is_some_and(is_npz),
    });
    let task = generator.resolved(&task)?;
    let mut watcher = Watcher::new(printer);
    let (images, rounds) = if task.optimization.is_some() {
        let mut made = generator.optimize(&task, &mut watcher)?;
        made.images
            .retain(|image| only_seed.is_none_or(|seed| image.report.seed == seed));
        (made.images, Some(made.rounds))
    } else if let Some(seed) = only_seed {
        let image = generator.generate_one(&task, seed, &mut watcher)?;
        (vec![image], None)
    } else {
        (generator.generate(&task, &mut watcher)?, None)
    };
    let written = write(&images, args)?;
    let mut report = report(&task, &generator, &images, &rounds, written, started);
    report.warnings = watcher.warnings;
    let document = serde_json::to_value(&report)?;
    for path in args.outputs.iter().filter(|path| is_json(path)) {
        save_report(path, &document)?;
    }
    let rounds = rounds.map_or_else(String::new, |rounds| {
        let rows = rounds.iter().map(|round| (round.round.to_string(), round));
        let table = RoundTable {
            head: "round",
            rows: rows.collect(),
            real: None,
        };
        table.to_string()
    });
    printer.document(&document, &(rounds + &summary(&report)?))?;
    Ok(())
}

/// The task that options ask for: what a file says, with the options that are given.
fn task_of(args: &ImageArgs) -> anyhow::Result<Asked<PictureSpec>> {
    let files = (args.task.as_deref(), args.from.as_deref());
    asked(
        files,
        PictureTask::read,
        PictureSpec::default(),
        |spec| Ok(with_options(spec, args)?),
        |_| &[],
    )
}

fn with_options(mut spec: PictureSpec, args: &ImageArgs) -> Result<PictureSpec, Error> {
    spec.models = models_of(&args.models, spec.models);
    spec.guidance.augmentations = args.augment.unwrap_or(spec.guidance.augmentations);
    add_sampling(&mut spec, &args.sampling, &args.schedule);
    let mut goals = Vec::new();
    for losses in &args.losses {
        goals.extend(PictureGoal::parse(losses)?);
    }
    if let Some(prompt) = &args.prompt {
        // A package that is not there is named when it is opened.
        let told = is_text_conditioned(&spec.models.denoiser, spec.sampling.cfg).unwrap_or(false);
        if told {
            spec.conditioning.text = Some(prompt.clone());
        }
        let steered = goals.iter().any(|goal| goal.kind.needs_encoders());
        if !told || (args.models.text_model.is_some() && !steered) {
            let prompt = prompt.clone();
            let kind = PictureGoalKind::Text { prompt };
            spec.goals.push(PictureGoal { kind, weight: 1.0 });
        }
    }
    spec.goals.extend(goals);
    if let Some(network) = args.reward.clone() {
        let input = args.reward_input.as_deref().map(str::parse).transpose()?;
        let input = input.unwrap_or_default();
        let kind = PictureGoalKind::Reward { network, input };
        spec.goals.push(PictureGoal { kind, weight: 1.0 });
    }
    let conditioning = &mut spec.conditioning;
    conditioning.class = args.class.clone().or(conditioning.class.take());
    conditioning.negative = args.negative.clone().or(conditioning.negative.take());
    spec.noise = args.noise.clone().or(spec.noise);
    if let Some(rounds) = args.rounds {
        let default = ImageOptimization::default();
        spec.optimization = Some(ImageOptimization {
            rounds,
            delta: args.delta.unwrap_or(default.delta),
            sigma: args.sigma.unwrap_or(default.sigma),
            ..default
        });
    }
    Ok(spec)
}

/// The packages that options name, and else those that are named already.
pub fn models_of(args: &ImageModelArgs, mut models: ImageModels) -> ImageModels {
    for (model, given) in [
        (&mut models.denoiser, &args.model),
        (&mut models.embedding, &args.text_model),
        (&mut models.judge, &args.judge),
        (&mut models.segmentation, &args.seg_model),
    ] {
        if let Some(given) = given {
            model.clone_from(given);
        }
    }
    models
}

/// A .png or one other kind of file.
fn check_picture(path: &Path, other: &str) -> Result<(), Error> {
    let format = check_output(path)?;
    if format == FileFormat::Png || format.has_extension(other) {
        return Ok(());
    }
    Err(Error::FileFormat {
        path: path.to_path_buf(),
        message: format!("expected a name that ends in .png or .{other}"),
    })
}

fn is_npz(path: &Path) -> bool {
    FileFormat::of(path).is_ok_and(|format| format.has_extension("npz"))
}

/// Writes the pictures to every output; a .json holds the report of the whole run instead.
fn write(images: &[GeneratedImage], args: &ImageArgs) -> Result<Vec<PathBuf>, Error> {
    let mut written = Vec::new();
    for output in args.outputs.iter().filter(|path| !is_json(path)) {
        if args.grid {
            let views: Vec<_> = images.iter().map(|image| image.picture.0.view()).collect();
            let columns = (images.len() as f64).sqrt().ceil() as usize;
            // The task of all of them: a seed would name one.
            let record = images.first().map(|first| Provenance {
                seed: None,
                ..first.provenance.clone()
            });
            tiled(&views, columns).save(output, record.as_ref())?;
            written.push(output.clone());
            continue;
        }
        for (index, image) in images.iter().enumerate() {
            let path = numbered(output, index, images.len());
            image.save(&path)?;
            written.push(path);
        }
    }
    if let Some(strip) = &args.save_steps {
        if is_npz(strip) {
            save_trace(images, strip)?;
        } else {
            save_strip(images, strip)?;
        }
        written.push(strip.clone());
    }
    Ok(written)
}

/// A run as one document; losses and scores are means over the pictures.
#[derive(Debug, Serialize)]
struct PictureReport {
    schema: &'static str,
    version: &'static str,
    prompt: Option<String>,
    class: Option<String>,
    cfg: Option<f64>,
    command: Option<String>,
    task: PictureTask,
    model: String,
    size: [usize; 3],
    seed: u64,
    method: String,
    guidance_scale: Option<f64>,
    augmentations: usize,
    steps: usize,
    sampler: SamplerKind,
    engine: String,
    provider: String,
    losses: BTreeMap<String, f64>,
    text_score: Option<f64>,
    judge_score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    optimize: Option<OptimizeEntry>,
    warnings: Vec<String>,
    seconds: f64,
    timings: Timings,
    peak_memory_mb: Option<f64>,
    #[serde(serialize_with = "kinograd::serialize_paths")]
    outputs: Vec<PathBuf>,
    images: Vec<ImageReport>,
}

#[derive(Debug, Serialize)]
struct OptimizeEntry {
    options: Option<ImageOptimization>,
    rounds: Vec<RoundReport>,
}

fn report(
    task: &PictureTask,
    generator: &ImageGenerator,
    images: &[GeneratedImage],
    rounds: &Option<Vec<RoundReport>>,
    written: Vec<PathBuf>,
    started: Instant,
) -> PictureReport {
    let reports: Vec<ImageReport> = images.iter().map(|image| image.report.clone()).collect();
    let mean_of = |value: &dyn Fn(&ImageReport) -> Option<f64>| {
        mean(&reports.iter().filter_map(value).collect::<Vec<_>>())
    };
    let names = reports.first().map(|report| report.losses.keys());
    let names = names.into_iter().flatten();
    let losses = names.filter_map(|name| {
        let loss = mean_of(&|r| r.losses.get(name).copied())?;
        Some((name.clone(), loss))
    });
    let (engine, manifest) = (generator.engine(), generator.manifest());
    let prompt = task.conditioning.text.as_deref().or(task.prompt());
    let method = task.guidance.method;
    PictureReport {
        schema: "kinograd.image/1",
        version: env!("CARGO_PKG_VERSION"),
        prompt: prompt.map(str::to_owned),
        class: task.conditioning.class.clone(),
        cfg: task.sampling.cfg,
        command: command_line(),
        model: format!("{} {}", manifest.name, manifest.version),
        size: generator.size(),
        seed: task.sampling.seed,
        method: match rounds {
            Some(_) => "optimize loss".to_owned(),
            None => method.name().to_owned(),
        },
        guidance_scale: rounds.is_none().then(|| task.guidance_scale()),
        augmentations: task.guidance.augmentations,
        steps: task.sampling.steps_or_usual(),
        sampler: task.sampling.sampler_for(method),
        engine: format!("{} {}", engine.engine, engine.version),
        provider: engine.provider.to_string(),
        losses: losses.collect(),
        text_score: mean_of(&|r| r.text_score),
        judge_score: mean_of(&|r| r.judge_score),
        optimize: rounds.as_ref().map(|rounds| OptimizeEntry {
            options: task.optimization,
            rounds: rounds.clone(),
        }),
        warnings: Vec::new(),
        seconds: started.elapsed().as_secs_f64(),
        timings: generator.timings(),
        peak_memory_mb: engine::peak_memory_mb(),
        outputs: written,
        task: task.clone(),
        images: reports,
    }
}

/// A few lines for a person.
fn summary(report: &PictureReport) -> anyhow::Result<String> {
    let mut text = String::new();
    let several = if report.images.len() > 1 {
        " (mean)"
    } else {
        ""
    };
    for output in &report.outputs {
        writeln!(text, "{}", output.display())?;
    }
    for (name, value) in &report.losses {
        writeln!(text, "{name:<20} {value:.3}{several}")?;
    }
    for (score, name) in [
        (report.text_score, "text score"),
        (report.judge_score, "judge's score"),
    ] {
        if let Some(score) = score {
            writeln!(text, "{name:<20} {score:.3}{several}")?;
        }
    }
    writeln!(
        text,
        "time                 {:.2} s on {} ({})",
        report.seconds, report.engine, report.provider
    )?;
    Ok(text)
}
