//! `kinograd diagnose`.

use kinograd::diagnose::DiagnoseProtocol;
use kinograd::{check_output, save_report};

use super::generate::{Watcher, is_json};
use super::optimize::check_plot;
use crate::args::DiagnoseArgs;
use crate::engine;
use crate::printer::Printer;
use crate::task_flags::{as_option, task_of};

/// Measures, recommends and draws.
pub fn run(args: &DiagnoseArgs, printer: &Printer) -> anyhow::Result<()> {
    let task = task_of(&args.clips)?.task;
    let mut protocol = DiagnoseProtocol::new(task);
    if !args.calls.is_empty() {
        protocol.calls.clone_from(&args.calls);
    }
    protocol.judges.clone_from(&args.judges);
    protocol.check().map_err(|error| as_option(error, &[]))?;
    if let Some(plot) = &args.plot {
        check_plot(plot)?;
    }
    for output in &args.clips.outputs {
        check_output(output)?;
        anyhow::ensure!(
            is_json(output),
            "output: {} is no .json file; a diagnosis makes no clips",
            output.display()
        );
    }
    let mut generator = engine::open_for(&protocol.task, &args.clips.engine, printer)?;
    let report = generator.diagnose(&protocol, &mut Watcher::new(printer))?;
    let document = serde_json::to_value(&report)?;
    if let Some(plot) = &args.plot {
        report.save_plot(plot)?;
    }
    for output in &args.clips.outputs {
        save_report(output, &document)?;
    }
    printer.document(&document, &report.to_string())?;
    Ok(())
}
