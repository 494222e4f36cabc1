//! `kinograd diagnose`.

use kinograd::diagnose::DiagnoseRequest;
use kinograd::{check_output, save_report};

use super::generate::{Watcher, is_json, request_of, scene_of};
use super::optimize::check_plot;
use crate::args::DiagnoseArgs;
use crate::engine;
use crate::printer::Printer;

/// Measures, recommends and draws.
pub fn run(args: &DiagnoseArgs, printer: &Printer) -> anyhow::Result<()> {
    let scene = scene_of(&args.clips)?;
    let mut request = DiagnoseRequest::new(request_of(&args.clips, scene.as_ref())?, scene);
    if !args.calls.is_empty() {
        request.calls.clone_from(&args.calls);
    }
    request.judges.clone_from(&args.judges);
    request.check()?;
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
    let mut generator = engine::open_generator(&args.clips.engine, printer)?;
    let report = generator.diagnose(&request, &mut Watcher::new(printer))?;
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
