//! Where the libraries' log lines go: stderr, as many as `-q` and `-v` ask for.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::args::GlobalArgs;

/// Starts to log. `KINOGRAD_LOG` overrides the options.
pub fn start(global: &GlobalArgs) {
    let default = if global.quiet {
        "error"
    } else {
        match global.verbose {
            0 => "error,kinograd=warn,kinograd_runtime=warn,kinograd_dataset=warn,onnx_grad=warn",
            1 => "error,kinograd=info,kinograd_runtime=info,kinograd_dataset=info,onnx_grad=info",
            _ => {
                "info,kinograd=debug,kinograd_runtime=debug,kinograd_dataset=debug,onnx_grad=debug"
            }
        }
    };
    let filter =
        EnvFilter::try_from_env("KINOGRAD_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    // A second subscriber in one process is not ours to set up.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && !no_color)
        .without_time()
        .with_target(global.verbose > 1)
        .try_init();
}
