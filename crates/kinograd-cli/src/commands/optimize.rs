//! `kinograd optimize`.

use std::path::Path;

use kinograd::optimize::{FineTune, Lookahead, Optimization};
use kinograd::{Error, FileFormat, Task, check_output, save_report};
use serde_json::json;

use super::generate::{Watcher, is_json, write_clips};
use super::rig::judge;
use crate::args::{OptimizeArgs, OptimizeGuidanceArg};
use crate::engine;
use crate::invocation::command_line;
use crate::printer::Printer;
use crate::task_flags::as_option;

/// Makes a reward of clips rise, writes and reports them.
pub fn run(args: &OptimizeArgs, printer: &Printer) -> anyhow::Result<()> {
    let task = task_of(args)?;
    for output in &args.outputs {
        check_output(output)?;
    }
    if let Some(plot) = &args.plot {
        check_plot(plot)?;
    }
    if !args.trade_off.is_empty() {
        return trade_off(args, &task, printer);
    }
    let mut generator = engine::open_generator(&args.engine, printer)?;
    let mut watcher = Watcher::new(printer);
    let optimized = generator.optimize(&task, &mut watcher)?;
    judge(&optimized.clips, args.rig.strict, printer)?;
    let written = write_clips(
        &optimized.clips,
        &args.outputs,
        args.writing.export(),
        printer,
    )?;
    let mut document = serde_json::to_value(&optimized.report)?;
    document["warnings"] = json!(watcher.warnings);
    document["command"] = json!(command_line());
    document["outputs"] = json!(
        written
            .iter()
            .flatten()
            .map(|path| path.to_string_lossy())
            .collect::<Vec<_>>()
    );
    document["clips"] = json!(
        optimized
            .clips
            .iter()
            .map(|clip| &clip.report)
            .collect::<Vec<_>>()
    );
    let mut text = String::new();
    if let Some(path) = &args.plot {
        optimized.report.save_plot(path)?;
        text.push_str(&format!("{}\n", path.display()));
    }
    if let (Some(name), Some(fine_tuned)) = (&args.save, &optimized.fine_tuned) {
        let into = args.into.as_deref();
        let folder = fine_tuned.save(&generator, &task, name, into)?;
        document["package"] = json!(folder.to_string_lossy());
        text.push_str(&format!("{}\n", folder.display()));
    }
    for path in written.iter().flatten() {
        text.push_str(&format!("{}\n", path.display()));
    }
    for path in args.outputs.iter().filter(|path| is_json(path)) {
        save_report(path, &document)?;
    }
    printer.document(&document, &format!("{text}{}", optimized.report))?;
    Ok(())
}

/// The same clips for several δ: a report, no clips.
fn trade_off(args: &OptimizeArgs, task: &Task, printer: &Printer) -> anyhow::Result<()> {
    if let Some(path) = args.outputs.iter().find(|path| !is_json(path)) {
        return Err(Error::Request {
            field: "trade-off",
            message: format!(
                "makes a report and no clips: {} is no .json file",
                path.display()
            ),
        }
        .into());
    }
    let mut generator = engine::open_generator(&args.engine, printer)?;
    let report = generator.trade_off(task, &args.trade_off, &mut Watcher::new(printer))?;
    let mut text = String::new();
    if let Some(path) = &args.plot {
        report.save_plot(path)?;
        text.push_str(&format!("{}\n", path.display()));
    }
    let document = serde_json::to_value(&report)?;
    for path in &args.outputs {
        save_report(path, &document)?;
        text.push_str(&format!("{}\n", path.display()));
    }
    printer.document(&document, &format!("{text}{report}"))?;
    Ok(())
}

/// A plot is a PNG; said before the work begins.
pub fn check_plot(path: &Path) -> anyhow::Result<()> {
    check_output(path)?;
    let is_png = FileFormat::of(path).is_ok_and(|format| format == FileFormat::Png);
    anyhow::ensure!(is_png, "plot: {} is no .png file", path.display());
    Ok(())
}

fn task_of(args: &OptimizeArgs) -> Result<Task, Error> {
    let mut task = Task::builder(&args.prompt)
        .duration(args.seconds)
        .fps(args.fps)
        .count(args.n)
        .seed(args.seed)
        .foot_lock(!args.no_foot_lock);
    if let Some(steps) = args.steps {
        task = task.steps(steps);
    }
    if let Some(cfg) = args.cfg {
        task = task.cfg(cfg);
    }
    if let Some(model) = &args.engine.model {
        task = task.model(model);
    }
    let mut spec = task.into_spec();
    spec.output.rig = args.rig.settings();
    let mut optimization = Optimization::new(args.reward.parse()?);
    optimization.rounds = args.rounds;
    optimization.lookahead = match args.guidance {
        OptimizeGuidanceArg::G => Lookahead::Naive,
        OptimizeGuidanceArg::GLoss => Lookahead::Loss,
        OptimizeGuidanceArg::GPosterior => Lookahead::Posterior,
    };
    optimization.delta = args.delta;
    optimization.sigma = args.sigma;
    optimization.window_secs = args.window.map(|window| [window.from_secs, window.to_secs]);
    optimization.fresh_noise = args.fresh_noise;
    optimization.max_step_rms = args.max_move;
    if args.algorithm == 2 {
        optimization.fine_tune = Some(FineTune {
            steps: args.train_steps,
            batch: args.train_batch,
            learning_rate: args.learning_rate,
            weights: args.train_weights.clone(),
            ..FineTune::default()
        });
    }
    spec.optimization = Some(optimization);
    let task = spec.check().map_err(|error| as_option(error, &[]))?;
    if let Some(name) = &args.save {
        let refuse = |message: &str| Error::Request {
            field: "save",
            message: message.to_owned(),
        };
        if args.algorithm == 1 {
            return Err(refuse("only algorithm 2 changes the model"));
        }
        kinograd::models::check_new_name(name, args.into.as_deref())?;
    }
    Ok(task)
}
