//! `kinograd completions`.

use clap::CommandFactory;

use crate::args::Cli;
use crate::printer::Printer;

/// Prints a completion script.
pub fn run(shell: clap_complete::Shell, printer: &Printer) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kinograd", &mut script);
    printer.result(&String::from_utf8(script)?)?;
    Ok(())
}
