//! `kinograd runtime`.

use crate::args::RuntimeCommand;
use crate::printer::Printer;

/// Shows or installs engines.
pub fn run(_command: &RuntimeCommand, _printer: &Printer) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
