//! `kinograd image`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use kinograd::eval::statistics::mean;
use kinograd::image::{
    Condition, GeneratedImage, Goal, ImageGenerator, ImageOptimization, ImageReport, ImageRequest,
    ImageRounds, Keep, is_told, save_strip, save_trace, tiled,
};
use kinograd::{Error, FileFormat, check_output, save_report};
use serde_json::{Value, json};

use crate::args::ImageArgs;
use crate::commands::generate::{Watcher, is_json, numbered};
use crate::engine;
use crate::printer::Printer;

/// Makes pictures, writes and reports them.
pub fn run(args: &ImageArgs, printer: &Printer) -> anyhow::Result<()> {
    let started = Instant::now();
    let request = request_of(args)?;
    for output in &args.outputs {
        check_picture(output, FileFormat::Json)?;
    }
    if let Some(steps) = &args.save_steps {
        check_picture(steps, FileFormat::Npz)?;
    }
    let options = engine::image_options(&args.models);
    let mut generator = ImageGenerator::open(&request, &options)?;
    let mut watcher = Watcher::new(printer);
    let optimization = optimization_of(args);
    let (images, rounds) = match &optimization {
        Some(optimization) => {
            let made = generator.optimize(&request, optimization, &mut watcher)?;
            (made.images, made.rounds)
        }
        None => (generator.generate(&request, &mut watcher)?, Vec::new()),
    };
    let written = write(&images, args)?;
    let mut report = report(&request, &generator, &images, &written, started)?;
    if let Some(optimization) = &optimization {
        report["command"] = json!(optimization.to_command(&request));
        report["method"] = json!("optimize loss");
        report["guidance_scale"] = Value::Null;
        report["optimize"] = json!({ "options": optimization, "rounds": rounds });
    }
    for path in args.outputs.iter().filter(|path| is_json(path)) {
        save_report(path, &report)?;
    }
    let summary = summary(&report, &images)?;
    let rounds = match optimization {
        Some(_) => ImageRounds(&rounds).to_string(),
        None => String::new(),
    };
    printer.document(&report, &(rounds + &summary))?;
    Ok(())
}

fn request_of(args: &ImageArgs) -> Result<ImageRequest, Error> {
    let mut request = ImageRequest::builder()
        .images(args.n)
        .seed(args.seed)
        .steps(args.steps)
        .sampler(args.sampler.into())
        .method(args.method.into())
        .steering((&args.steering).into())
        .augmentations(args.augment)
        .denoiser(&args.models.model)
        .judge(&args.models.judge)
        .segmentation(&args.models.seg_model);
    if let Some(scale) = args.guidance_scale {
        request = request.guidance_scale(scale);
    }
    let mut goals = Vec::new();
    for losses in &args.losses {
        goals.extend(Goal::parse(losses)?);
    }
    if let Some(prompt) = &args.prompt {
        // A package that is not there is named when it is opened.
        let told = is_told(&args.models.model, args.cfg).unwrap_or(false);
        if told {
            request = request.text(prompt);
        }
        let steered = goals.iter().any(|goal| goal.condition.needs_towers());
        if !told || (args.models.text_model.is_some() && !steered) {
            request = request.prompt(prompt);
        }
    }
    for goal in goals {
        request = request.goal(goal);
    }
    if let Some(model) = &args.models.text_model {
        request = request.embedding(model);
    }
    if let Some(class) = &args.class {
        request = request.class(class);
    }
    if let Some(cfg) = args.cfg {
        request = request.cfg(cfg);
    }
    if let Some(negative) = &args.negative {
        request = request.negative(negative);
    }
    if let Some(noise) = &args.noise {
        request = request.noise(noise);
    }
    let steps = args.save_steps.as_deref();
    request = request.keep(Keep {
        strip: steps.is_some_and(|path| !is_npz(path)),
        trace: steps.is_some_and(is_npz),
    });
    if let Some(network) = &args.reward {
        request = request.goal(Goal {
            condition: Condition::Reward {
                network: network.clone(),
            },
            weight: 1.0,
        });
    }
    request.build()
}

fn optimization_of(args: &ImageArgs) -> Option<ImageOptimization> {
    args.rounds.map(|rounds| ImageOptimization {
        rounds,
        delta: args.delta,
        deviation: args.sigma,
        ..ImageOptimization::default()
    })
}

/// A .png or one other kind of file.
fn check_picture(path: &Path, other: FileFormat) -> Result<(), Error> {
    let format = check_output(path)?;
    if format == FileFormat::Png || format == other {
        return Ok(());
    }
    let other = if other == FileFormat::Npz {
        ".npz"
    } else {
        ".json"
    };
    Err(Error::FileFormat {
        path: path.to_path_buf(),
        message: format!("expected a name that ends in .png or {other}"),
    })
}

fn is_npz(path: &Path) -> bool {
    FileFormat::of(path).is_ok_and(|format| format == FileFormat::Npz)
}

/// Writes the pictures to every output; a .json holds the report of the whole run instead.
fn write(images: &[GeneratedImage], args: &ImageArgs) -> Result<Vec<PathBuf>, Error> {
    let mut written = Vec::new();
    for output in args.outputs.iter().filter(|path| !is_json(path)) {
        if args.grid {
            let views: Vec<_> = images.iter().map(|image| image.picture.0.view()).collect();
            let columns = (images.len() as f64).sqrt().ceil() as usize;
            let record = match images.first() {
                Some(first) => Some(first.provenance.to_json()?),
                None => None,
            };
            tiled(&views, columns).save(output, record.as_deref())?;
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

/// The run as one document; losses and scores are means over the pictures.
fn report(
    request: &ImageRequest,
    generator: &ImageGenerator,
    images: &[GeneratedImage],
    written: &[PathBuf],
    started: Instant,
) -> anyhow::Result<Value> {
    let reports: Vec<&ImageReport> = images.iter().map(|image| &image.report).collect();
    let mean_of = |value: &dyn Fn(&ImageReport) -> Option<f64>| {
        mean(&reports.iter().filter_map(|r| value(r)).collect::<Vec<_>>())
    };
    let names = reports.first().map(|report| report.losses.keys());
    let losses: serde_json::Map<String, Value> = names
        .into_iter()
        .flatten()
        .map(|name| {
            (
                name.clone(),
                json!(mean_of(&|r| r.losses.get(name).copied())),
            )
        })
        .collect();
    let (engine, manifest) = (generator.engine(), generator.manifest());
    Ok(json!({
        "schema": "kinograd.image/1",
        "version": env!("CARGO_PKG_VERSION"),
        "prompt": request.text.as_deref().or(request.prompt()),
        "class": request.class,
        "cfg": request.cfg,
        "command": request.to_command(),
        "model": format!("{} {}", manifest.name, manifest.version),
        "size": generator.size(),
        "seed": request.seed,
        "method": request.method,
        "guidance_scale": request.guidance_scale,
        "augmentations": request.augmentations,
        "steps": request.steps,
        "sampler": request.sampler,
        "engine": format!("{} {}", engine.engine, engine.version),
        "provider": engine.provider,
        "losses": losses,
        "text_score": mean_of(&|r| r.text_score),
        "judge_score": mean_of(&|r| r.judge_score),
        "seconds": started.elapsed().as_secs_f64(),
        "timings": generator.timings(),
        "peak_memory_mb": engine::peak_memory_mb(),
        "outputs": written,
        "images": reports,
    }))
}

/// A few lines for a person.
fn summary(report: &Value, images: &[GeneratedImage]) -> anyhow::Result<String> {
    let mut text = String::new();
    let several = if images.len() > 1 { " (mean)" } else { "" };
    for output in report["outputs"].as_array().into_iter().flatten() {
        writeln!(text, "{}", output.as_str().unwrap_or_default())?;
    }
    for (name, value) in report["losses"].as_object().into_iter().flatten() {
        if let Some(value) = value.as_f64() {
            writeln!(text, "{name:<20} {value:.3}{several}")?;
        }
    }
    for (key, name) in [
        ("text_score", "text score"),
        ("judge_score", "judge's score"),
    ] {
        if let Some(score) = report[key].as_f64() {
            writeln!(text, "{name:<20} {score:.3}{several}")?;
        }
    }
    if let Some(seconds) = report["seconds"].as_f64() {
        writeln!(
            text,
            "time                 {seconds:.2} s on {} ({})",
            report["engine"].as_str().unwrap_or_default(),
            report["provider"].as_str().unwrap_or_default()
        )?;
    }
    Ok(text)
}
