//! `kinograd eval`.

use std::fmt::{Display, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use kinograd::runtime::{EngineChoice, EngineOptions};
use kinograd::{MotionGenerator, check_output, save_report};
use kinograd_dataset::import_folder;
use kinograd_eval::{self as eval, ModelProtocol, SpeedProtocol};
use kinograd_files::TemporaryFolder;
use serde::Serialize;
use serde_json::{Value, json};

use super::dataset::{Bar, summary};
use super::generate::{Watcher, is_json};
use crate::args::{EngineArgs, EvalCommand, EvalModelArgs, EvalSpeedArgs};
use crate::engine;
use crate::invocation;
use crate::printer::Printer;
use crate::task_flags::as_option;

/// Largest error of the round trip clip → features → joints that passes, metres.
const ROUND_TRIP_LIMIT_M: f64 = 1e-3;

/// Measures and prints.
pub fn run(command: EvalCommand, printer: &Printer) -> anyhow::Result<()> {
    match command {
        EvalCommand::Data { source, threads } => data(&source, threads, printer),
        EvalCommand::Model(args) => model(&args, printer),
        EvalCommand::Speed(args) => speed(&args, printer),
    }
}

fn data(source: &Path, threads: usize, printer: &Printer) -> anyhow::Result<()> {
    kinograd::use_threads(threads)?;
    let scratch = TemporaryFolder::new_in(&std::env::temp_dir()).context("no temporary folder")?;
    let bar = Bar::new(printer, "importing");
    let report = import_folder(source, &scratch.path().join("data"), false, &bar)?;
    let mut document = serde_json::to_value(&report)?;
    document["schema"] = json!("kinograd.eval-data/1");
    printer.document(&document, &summary(&report)?)?;
    anyhow::ensure!(
        report.round_trip_max_m <= ROUND_TRIP_LIMIT_M,
        "the round trip is {:.3} mm off, more than {} mm",
        report.round_trip_max_m * 1e3,
        ROUND_TRIP_LIMIT_M * 1e3
    );
    Ok(())
}

fn model(args: &EvalModelArgs, printer: &Printer) -> anyhow::Result<()> {
    if let Some(output) = &args.output {
        check_output(output)?;
        anyhow::ensure!(
            is_json(output),
            "{}: a report is written as .json",
            output.display()
        );
    }
    if let Some(data) = &args.real {
        let report = eval::real_tests(data, args.prompts, args.only.as_deref())?;
        return finish(&report, args.output.as_deref(), printer);
    }
    let mut generator = engine::open_generator(&args.engine, printer)?;
    let protocol = ModelProtocol {
        prompts: args.prompts,
        only: args.only.clone(),
        lengths_secs: args.lengths.clone(),
        seeds: args.seeds,
        steps: args.steps,
        sampler: args.sampler,
        cfg: args.cfg,
        text_guidance: args.text_guidance,
        best_of: args.best_of,
        ..ModelProtocol::default()
    };
    let judge = engine::open_judge(&generator, &args.judge)?;
    let data = args.data.as_deref();
    let watcher = &mut Watcher::new(printer);
    let report = eval::model(&mut generator, judge, data, &protocol, watcher)
        .map_err(|error| as_option(error, &[]))?;
    finish(&report, args.output.as_deref(), printer)
}

/// Prints a report, and writes it to a file where one is asked for.
fn finish<R: Serialize + Display>(
    report: &R,
    output: Option<&Path>,
    printer: &Printer,
) -> anyhow::Result<()> {
    if let Some(output) = output {
        save_report(output, &serde_json::to_value(report)?)?;
    }
    printer.document(report, &report.to_string())?;
    Ok(())
}

fn speed(args: &EvalSpeedArgs, printer: &Printer) -> anyhow::Result<()> {
    let asked = engine::options(&args.engine);
    let built_in = EngineOptions {
        engine: EngineChoice::BuiltIn,
        library: None,
        ..asked.clone()
    };
    let first = MotionGenerator::open(args.engine.model(), &asked)?;
    let mut generators = vec![first];
    if generators[0].engine().library.is_some() {
        generators.push(MotionGenerator::open(args.engine.model(), &built_in)?);
    }
    let mut protocol = SpeedProtocol {
        steps: args.steps,
        batch: args.batch,
        runs: args.runs,
        ..SpeedProtocol::default()
    };
    if let Some(method) = args.method {
        protocol.method = method;
    }
    let report = eval::speed(&mut generators, &protocol, &mut Watcher::new(printer))?;
    let mut text = report.to_string();
    let mut document = serde_json::to_value(&report)?;
    let mut processes = Vec::new();
    for generator in generators.iter().filter(|_| !args.in_process) {
        let process = whole_process(
            &args.engine,
            generator.engine().library.as_deref(),
            args.steps,
        )?;
        writeln!(
            text,
            "{:32} new process    first step after {:.2} s, {:.2} s in all, {:.0} MiB at most",
            generator.engine_name(),
            process["first_step_seconds"].as_f64().unwrap_or(f64::NAN),
            process["seconds"].as_f64().unwrap_or(f64::NAN),
            process["peak_memory_mb"].as_f64().unwrap_or(f64::NAN)
        )?;
        processes.push(process);
    }
    document["processes"] = json!(processes);
    printer.document(&document, &text)?;
    Ok(())
}

/// A guided run in a process of its own: start, memory and all. The second of two, so that files
/// are in the system's memory.
fn whole_process(
    engine: &EngineArgs,
    library: Option<&Path>,
    steps: usize,
) -> anyhow::Result<Value> {
    let executable = invocation::program().context("cannot find this program")?;
    let mut document = Value::Null;
    for _ in 0..2 {
        let mut command = Command::new(&executable);
        command.args([
            "generate",
            "a person walks forward",
            "--seconds",
            "4",
            "--json",
            "-q",
        ]);
        command.args(["--target", "2,3", "--obstacle", "1,1.5,0.5"]);
        command.arg("--model").arg(engine.model());
        command.arg("--steps").arg(steps.to_string());
        command.arg("--threads").arg(engine.threads.to_string());
        command.arg("--runtime");
        command.arg(library.unwrap_or_else(|| Path::new("builtin")));
        let output = command.output().context("cannot start this program")?;
        anyhow::ensure!(
            output.status.success(),
            "the measured process failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        document = serde_json::from_slice(&output.stdout)?;
    }
    let keys = [
        "engine",
        "first_step_seconds",
        "seconds",
        "timings",
        "peak_memory_mb",
    ];
    Ok(keys
        .into_iter()
        .map(|key| (key.to_owned(), document[key].take()))
        .collect())
}
