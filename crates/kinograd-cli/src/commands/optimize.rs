//! `kinograd optimize`.

use std::path::Path;

use kinograd::optimize::{FineTune, Lookahead, OptimizeRequest};
use kinograd::{Error, FileFormat, GenerateRequest, check_output, save_report};
use serde_json::json;

use super::generate::{Watcher, is_json, write_clips};
use crate::args::{OptimizeArgs, OptimizeGuidanceArg};
use crate::engine;
use crate::printer::Printer;

/// Makes a reward of clips rise, writes and reports them.
pub fn run(args: &OptimizeArgs, printer: &Printer) -> anyhow::Result<()> {
    let request = request_of(args)?;
    for output in &args.outputs {
        check_output(output)?;
    }
    if let Some(plot) = &args.plot {
        check_plot(plot)?;
    }
    if !args.trade_off.is_empty() {
        return trade_off(args, &request, printer);
    }
    let mut generator = engine::open_generator(&args.engine, printer)?;
    let optimized = generator.optimize(&request, &mut Watcher::new(printer))?;
    let written = write_clips(&optimized.clips, &args.outputs, printer)?;
    let mut document = serde_json::to_value(&optimized.report)?;
    document["outputs"] = json!(written.iter().flatten().collect::<Vec<_>>());
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
        let folder = fine_tuned.save(&generator, &request, name, into)?;
        document["package"] = json!(folder);
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
fn trade_off(
    args: &OptimizeArgs,
    request: &OptimizeRequest,
    printer: &Printer,
) -> anyhow::Result<()> {
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
    let report = generator.trade_off(request, &args.trade_off, &mut Watcher::new(printer))?;
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

fn request_of(args: &OptimizeArgs) -> Result<OptimizeRequest, Error> {
    let mut clips = GenerateRequest::builder(&args.prompt)
        .seconds(args.seconds)
        .fps(args.fps)
        .clips(args.n)
        .seed(args.seed)
        .steps(args.steps)
        .foot_lock(!args.no_foot_lock);
    if let Some(cfg) = args.cfg {
        clips = clips.cfg(cfg);
    }
    let mut request = OptimizeRequest::new(clips.build()?, args.reward.parse()?);
    request.rounds = args.rounds;
    request.lookahead = match args.guidance {
        OptimizeGuidanceArg::G => Lookahead::Naive,
        OptimizeGuidanceArg::GLoss => Lookahead::Loss,
        OptimizeGuidanceArg::GPosterior => Lookahead::Posterior,
    };
    request.delta = args.delta;
    request.deviation = args.sigma;
    request.window_secs = args.window.map(|window| [window.from_secs, window.to_secs]);
    request.fresh_noise = args.fresh_noise;
    request.max_move = args.max_move;
    if args.algorithm == 2 {
        request.fine_tune = Some(FineTune {
            steps: args.train_steps,
            batch: args.train_batch,
            learning_rate: args.learning_rate,
            weights: args.train_weights.clone(),
            ..FineTune::default()
        });
    }
    request.check()?;
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
    Ok(request)
}
