//! `kinograd eval`.

use kinograd::eval::{self, GuidanceProtocol};

use super::generate::Watcher;
use crate::args::{EvalCommand, EvalGuidanceArgs};
use crate::engine;
use crate::printer::Printer;

/// Measures and prints.
pub fn run(command: EvalCommand, printer: &Printer) -> anyhow::Result<()> {
    match command {
        EvalCommand::Guidance(args) => guidance(&args, printer),
        _ => anyhow::bail!("not yet"),
    }
}

fn guidance(args: &EvalGuidanceArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut generator = engine::open_generator(&args.engine, printer)?;
    let mut protocol = GuidanceProtocol {
        seeds: args.seeds,
        steps: args.steps.clone(),
        guidance_scale: args.guidance_scale,
        ..GuidanceProtocol::default()
    };
    if !args.methods.is_empty() {
        protocol.methods = args.methods.iter().map(|&method| method.into()).collect();
    }
    let report = eval::guidance(&mut generator, &protocol, &mut Watcher::new(printer))?;
    printer.document(&report, &report.to_string())?;
    Ok(())
}
