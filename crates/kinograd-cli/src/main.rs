//! The `kinograd` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    kinograd_cli::run(std::env::args_os()).into()
}
