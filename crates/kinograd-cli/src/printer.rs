//! What is shown, and where: results on stdout, everything else on stderr.

use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kinograd_files::{escape_json, escape_lines};
use serde::Serialize;

use crate::args::GlobalArgs;

/// Decides what is shown.
#[derive(Debug, Clone)]
pub struct Printer {
    json: bool,
    quiet: bool,
    color: bool,
}

impl Printer {
    /// From the options every command takes and the environment.
    pub fn new(global: &GlobalArgs) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            json: global.json,
            quiet: global.quiet,
            color: io::stderr().is_terminal() && !no_color,
        }
    }

    /// Prints a result on stdout. What comes of files is not obeyed by a terminal: control
    /// characters other than line ends and tabs are shown as their codes.
    ///
    /// # Errors
    /// What stdout reports; a closed pipe among it.
    pub fn result(&self, text: &str) -> io::Result<()> {
        self.print(&escape_lines(text))
    }

    fn print(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        stdout.flush()
    }

    /// Prints `document` on stdout if JSON is wanted, `text` otherwise.
    ///
    /// # Errors
    /// What stdout reports.
    pub fn document<T: Serialize>(&self, document: &T, text: &str) -> io::Result<()> {
        if self.json {
            self.print(&escape_json(&serde_json::to_string_pretty(document)?))
        } else {
            self.result(text)
        }
    }

    /// Tells what happens, on stderr; not with `--quiet`.
    pub fn note(&self, text: impl Display) {
        if !self.quiet {
            stderr_line(&escape_lines(&text.to_string()));
        }
    }

    /// Warns, on stderr; not with `--quiet`.
    pub fn warning(&self, text: impl Display) {
        if !self.quiet {
            let label = self.paint("warning", "33;1");
            let text = text.to_string();
            stderr_line(&format!("{label}: {}", escape_lines(&text)));
        }
    }

    /// Prints an error and all its sources, on stderr.
    pub fn error(&self, error: &anyhow::Error) {
        let mut text = error.to_string();
        let mut last = error.to_string();
        for source in error.chain().skip(1) {
            let message = source.to_string();
            // Some libraries repeat their source's message in their own.
            if !last.ends_with(&message) {
                let _ = write!(text, "\n  caused by: {message}");
            }
            last = message;
        }
        let label = self.paint("error", "31;1");
        stderr_line(&format!("{label}: {}", escape_lines(&text)));
    }

    /// A bar on stderr for `total` units of work; hidden with `--json`, `--quiet` and where stderr
    /// is no terminal.
    pub fn progress(&self, total: u64, unit: &'static str) -> ProgressBar {
        let target = if self.json || self.quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let template = "{msg:>12} {bar:32} {pos}/{len} {unit} {eta:>4}";
        if let Ok(style) = ProgressStyle::with_template(&template.replace("{unit}", unit)) {
            bar.set_style(style.progress_chars("━━ "));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Writes a line on stderr; a closed stderr is nobody's problem.
pub fn stderr_line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
