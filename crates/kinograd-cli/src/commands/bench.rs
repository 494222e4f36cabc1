//! `kinograd bench`.

use std::path::Path;

use anyhow::Context;
use kinograd::Method;
use kinograd::image::ImageModels;
use kinograd::runtime::open_engine;
use kinograd_eval::bench::{
    self, Candidate, GuidanceProtocol, GuidanceReport, ImageBenchReport, ImageCandidate, ImageGoal,
    ImageProtocol, ImageTuneReport, TrajectoryProtocol, TuneProtocol, TuneReport,
};
use kinograd_eval::{SimulationProtocol, simulation};

use super::generate::Watcher;
use super::image::models_of;
use super::optimize::check_plot;
use crate::args::{
    BenchCommand, BenchGuidanceArgs, BenchImageArgs, BenchOptimizeArgs, BenchTrajectoryArgs,
    BenchTuneArgs, BenchTuneImageArgs, GoalArg,
};
use crate::engine;
use crate::printer::Printer;
use crate::task_flags::schedule_of;

/// Compares and prints.
pub fn run(command: BenchCommand, printer: &Printer) -> anyhow::Result<()> {
    match command {
        BenchCommand::Guidance(args) => guidance(&args, printer),
        BenchCommand::Tune(args) => tune(&args, printer),
        BenchCommand::Trajectory(args) => trajectory(&args, printer),
        BenchCommand::Optimize(args) => optimize(&args, printer),
        BenchCommand::Image(args) => image(&args, printer),
        BenchCommand::TuneImage(args) => tune_image(&args, printer),
    }
}

fn guidance(args: &BenchGuidanceArgs, printer: &Printer) -> anyhow::Result<()> {
    let report = match &args.from {
        Some(path) => GuidanceReport::read(path)?,
        None => measured(args, printer)?,
    };
    if let Some(path) = &args.markdown {
        write(path, &report.to_markdown())?;
    }
    if let Some(path) = &args.plot {
        report.save_plot(path)?;
    }
    printer.document(&report, &report.to_string())?;
    Ok(())
}

fn measured(args: &BenchGuidanceArgs, printer: &Printer) -> anyhow::Result<GuidanceReport> {
    let mut protocol = GuidanceProtocol {
        seeds: args.seeds,
        seed: args.seed,
        calls: args.calls,
        equal_time: !args.calls_only,
        ..GuidanceProtocol::default()
    };
    if !args.methods.is_empty() {
        protocol.candidates = candidates(&args.methods);
    }
    if !args.prompts.is_empty() {
        protocol.prompts.clone_from(&args.prompts);
    }
    let tuned = args.tuned.as_deref().map(TuneReport::read).transpose()?;
    for candidate in &mut protocol.candidates {
        let of_report = tuned.as_ref().and_then(|t| t.scale_of(candidate.method));
        candidate.guidance_scale = args.guidance_scale.or(of_report);
        if let Some(weight) = args.text_guidance {
            candidate.text_guidance = weight;
        }
    }
    let mut generator = engine::open_generator(&args.engine, printer)?;
    let judge = engine::open_judge(&generator, &args.judge)?;
    let watcher = &mut Watcher::new(printer);
    let report = bench::guidance(
        &mut generator,
        &protocol,
        judge,
        args.data.as_deref(),
        watcher,
    )?;
    Ok(report)
}

fn tune(args: &BenchTuneArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut protocol = TuneProtocol::default();
    protocol.on.seeds = args.seeds;
    protocol.on.seed = args.seed;
    protocol.on.calls = args.calls;
    if !args.methods.is_empty() {
        protocol.on.candidates = candidates(&args.methods);
    }
    let mut generator = engine::open_generator(&args.engine, printer)?;
    let report = bench::tune(&mut generator, &protocol, &mut Watcher::new(printer))?;
    printer.document(&report, &report.to_string())?;
    Ok(())
}

fn trajectory(args: &BenchTrajectoryArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut protocol = TrajectoryProtocol {
        seeds: args.seeds,
        calls: args.calls,
        ..TrajectoryProtocol::default()
    };
    if !args.prompts.is_empty() {
        protocol.prompts.clone_from(&args.prompts);
    }
    if !args.methods.is_empty() {
        protocol.methods = args.methods.clone();
    }
    let mut generator = engine::open_generator(&args.engine, printer)?;
    let watcher = &mut Watcher::new(printer);
    let report = bench::trajectory(&mut generator, &protocol, args.data.as_deref(), watcher)?;
    if let Some(path) = &args.markdown {
        write(path, &report.to_markdown())?;
    }
    printer.document(&report, &report.to_string())?;
    Ok(())
}

fn optimize(args: &BenchOptimizeArgs, printer: &Printer) -> anyhow::Result<()> {
    if let Some(plot) = &args.plot {
        check_plot(plot)?;
    }
    let protocol = SimulationProtocol {
        rounds: args.rounds,
        pretraining: args.pretraining,
        learning_rate: args.learning_rate,
        max_step_rms: (args.max_move != 0.0).then_some(args.max_move),
        seed: args.seed,
        ..SimulationProtocol::default()
    };
    let options = engine::cpu_options(args.runtime.as_deref(), args.threads);
    let opened = open_engine(&options)?;
    let report = simulation(&opened.engine, &protocol, &mut Watcher::new(printer))?;
    if let Some(path) = &args.plot {
        report.save_plot(path)?;
    }
    printer.document(&report, &report.to_string())?;
    Ok(())
}

fn image(args: &BenchImageArgs, printer: &Printer) -> anyhow::Result<()> {
    let report = match &args.from {
        Some(path) => ImageBenchReport::read(path)?,
        None => measured_images(args, printer)?,
    };
    if let Some(path) = &args.markdown {
        write(path, &report.to_markdown())?;
    }
    if let Some(path) = &args.plot {
        report.save_plot(path)?;
    }
    if let Some(path) = &args.grid {
        report.save_grid(path)?;
    }
    printer.document(&report, &report.to_string())?;
    Ok(())
}

fn measured_images(args: &BenchImageArgs, printer: &Printer) -> anyhow::Result<ImageBenchReport> {
    let mut protocol = ImageProtocol {
        seeds: args.seeds,
        seed: args.seed,
        calls: args.calls,
        schedule: schedule_of(&args.schedule),
        equal_time: !args.calls_only,
        cfg: Some(args.cfg).filter(|cfg| *cfg != 0.0),
        models: models_of(&args.models, ImageModels::default()),
        ..ImageProtocol::default()
    };
    if !args.goals.is_empty() {
        protocol.goals = args.goals.iter().map(|&goal| goal.into()).collect();
    }
    if !args.prompts.is_empty() {
        protocol.prompts.clone_from(&args.prompts);
    }
    if !args.methods.is_empty() {
        protocol.candidates = image_candidates(&args.methods);
        let plain = protocol.candidates.clone();
        let augmented = plain.into_iter().map(|candidate| ImageCandidate {
            augmentations: args.augment.unwrap_or(0),
            ..candidate
        });
        let augmented = augmented.filter(|candidate| candidate.augmentations > 0);
        protocol.candidates.extend(augmented);
    } else if let Some(count) = args.augment {
        protocol
            .candidates
            .retain(|c| c.augmentations == 0 || count > 0);
        for candidate in &mut protocol.candidates {
            candidate.augmentations = candidate.augmentations.min(1) * count;
        }
    }
    let options = engine::image_options(&args.models);
    let watcher = &mut Watcher::new(printer);
    if let Some(path) = &args.tuned {
        protocol.tuned = ImageTuneReport::read(path)?.scales();
    }
    for candidate in &mut protocol.candidates {
        candidate.guidance_scale = args.guidance_scale;
    }
    Ok(bench::image(&protocol, &options, watcher)?)
}

fn tune_image(args: &BenchTuneImageArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut protocol = ImageProtocol {
        seeds: args.seeds,
        seed: args.seed,
        calls: args.calls,
        models: models_of(&args.models, ImageModels::default()),
        ..ImageProtocol::tuning()
    };
    if !args.goals.is_empty() {
        protocol.goals = args.goals.iter().map(|&goal| goal.into()).collect();
    }
    if !args.methods.is_empty() {
        protocol.candidates = image_candidates(&args.methods);
    }
    let options = engine::image_options(&args.models);
    let report = bench::tune_image(&protocol, &options, &mut Watcher::new(printer))?;
    printer.document(&report, &report.to_string())?;
    Ok(())
}

fn image_candidates(methods: &[Method]) -> Vec<ImageCandidate> {
    methods
        .iter()
        .copied()
        .filter(|&method| method != Method::None)
        .map(ImageCandidate::plain)
        .collect()
}

impl From<GoalArg> for ImageGoal {
    fn from(goal: GoalArg) -> Self {
        match goal {
            GoalArg::Text => Self::Text,
            GoalArg::Seg => Self::Seg,
            GoalArg::Sketch => Self::Sketch,
        }
    }
}

fn candidates(methods: &[Method]) -> Vec<Candidate> {
    methods
        .iter()
        .copied()
        .filter(|&method| method != Method::None)
        .map(Candidate::plain)
        .collect()
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    kinograd::motion::write_atomic(path, |file| {
        std::io::Write::write_all(file, text.as_bytes())
    })
    .with_context(|| format!("cannot write {}", path.display()))
}
