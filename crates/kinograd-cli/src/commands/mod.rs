//! One file per command.

mod batch;
mod bench;
pub mod cache;
mod completions;
mod convert;
mod dataset;
mod diagnose;
mod eval;
mod generate;
mod grad;
mod image;
mod man;
mod models;
mod optimize;
mod render;
mod rig;
mod runtime;
mod serve;

use crate::args::{Command, DatasetCommand};
use crate::printer::Printer;

/// Runs a command.
pub fn run(command: Command, cache_limit: Option<u64>, printer: &Printer) -> anyhow::Result<()> {
    match command {
        Command::Generate(args) => generate::run(&args, printer),
        Command::Batch(args) => batch::run(&args, printer),
        Command::Image(args) => image::run(&args, printer),
        Command::Diagnose(args) => diagnose::run(&args, printer),
        Command::Optimize(args) => optimize::run(&args, printer),
        Command::Convert(args) => convert::run(&args, printer),
        Command::Render(args) => render::run(&args, printer),
        Command::Rig(command) => rig::run(&command, printer),
        Command::Serve(args) => serve::run(&args, printer),
        Command::Dataset(DatasetCommand::Build(args)) => dataset::build(&args, printer),
        Command::Dataset(DatasetCommand::FromBatch(args)) => dataset::from_batch(&args, printer),
        Command::Grad(args) => grad::run(args, printer),
        Command::Models(command) => models::run(command, printer),
        Command::Cache { command } => cache::run(command.as_ref(), cache_limit, printer),
        Command::Runtime(command) => runtime::run(&command, printer),
        Command::Eval(command) => eval::run(command, printer),
        Command::Bench(command) => bench::run(command, printer),
        Command::Completions { shell } => completions::run(shell, printer),
        Command::Man { folder } => man::run(&folder, printer),
    }
}
