//! The `kinograd` command line, as a function: the binary calls it, and so does the Python package.

mod args;
mod commands;
#[cfg(test)]
mod documents;
mod engine;
mod interrupt;
mod invocation;
mod logging;
mod printer;
mod task_flags;
mod values;

use std::ffi::OsString;
use std::io::{self, Write as _};

use clap::Parser;
use clap::error::ErrorKind;
use kinograd_files::Budget;

use crate::args::Cli;
use crate::printer::{Printer, stderr_line};

const EXIT_SUCCESS: u8 = 0;
/// The input was at fault, or the run was interrupted.
const EXIT_INPUT: u8 = 1;
/// This program was at fault.
const EXIT_INTERNAL: u8 = 2;

/// Runs the command that the words give, the program's name first, and returns the exit code: 0, 1 where the
/// input was at fault or the run was interrupted, 2 where this program was.
///
/// It writes to stdout and stderr, takes SIGINT and SIGTERM for itself, and may end the process: a process
/// calls it once.
#[must_use]
pub fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    let words = invocation::keep(words.into_iter().collect());
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => return exit_of_usage(&error),
    };
    let printer = Printer::new(&cli.global);
    if let Err(error) = set_budget(cli.global.budget) {
        printer.error(&error);
        return EXIT_INPUT;
    }
    let cache_limit = match cache_limit(cli.global.cache_limit) {
        Ok(limit) => limit,
        Err(error) => {
            printer.error(&error);
            return EXIT_INPUT;
        }
    };
    logging::start(&cli.global);
    interrupt::listen();
    let outcome = std::panic::catch_unwind(|| {
        let outcome = commands::run(cli.command, cache_limit, &printer);
        commands::cache::keep_below(cache_limit, &printer);
        outcome
    });
    // Nothing else does where the process is another program's.
    let _ = io::stdout().flush();
    match outcome {
        Ok(Ok(())) => EXIT_SUCCESS,
        Ok(Err(error)) => exit_of_error(&error, &printer),
        Err(_) => {
            stderr_line("error: a fault of this program; please report it with the lines above");
            EXIT_INTERNAL
        }
    }
}

/// The factor of `--budget`, else that of the variable.
fn set_budget(flag: Option<f64>) -> anyhow::Result<()> {
    let factor = match (flag, std::env::var("KINOGRAD_BUDGET")) {
        (Some(factor), _) => factor,
        (None, Ok(text)) => Budget::parse_factor(&text)
            .map_err(|reason| anyhow::anyhow!("KINOGRAD_BUDGET: {reason}"))?,
        (None, Err(_)) => return Ok(()),
    };
    Budget::set_of_process(Budget::default().scaled(factor));
    Ok(())
}

/// The limit of `--cache-limit`, else that of the variable.
fn cache_limit(flag: Option<u64>) -> anyhow::Result<Option<u64>> {
    match (flag, std::env::var("KINOGRAD_CACHE_LIMIT")) {
        (None, Ok(text)) if !text.is_empty() => values::bytes(&text)
            .map(Some)
            .map_err(|reason| anyhow::anyhow!("KINOGRAD_CACHE_LIMIT: {reason}")),
        (flag, _) => Ok(flag),
    }
}

/// Help and version are results; anything else clap says is the input's fault.
fn exit_of_usage(error: &clap::Error) -> u8 {
    let printed = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => EXIT_SUCCESS,
        _ if printed.is_ok() => EXIT_INPUT,
        _ => EXIT_INTERNAL,
    }
}

fn exit_of_error(error: &anyhow::Error, printer: &Printer) -> u8 {
    if is_closed_pipe(error) {
        return EXIT_SUCCESS;
    }
    printer.error(error);
    let internal = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<kinograd::Error>())
        .is_some_and(kinograd::Error::is_internal);
    if internal { EXIT_INTERNAL } else { EXIT_INPUT }
}

/// Whoever reads our output has read enough, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
