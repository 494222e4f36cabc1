//! `kinograd man`.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;
use kinograd_files::write_atomic;

use crate::args::Cli;
use crate::printer::Printer;

/// Writes a manual page for the program and for each command, `kinograd-bench-guidance.1` and the like.
pub fn run(folder: &Path, printer: &Printer) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot write {}", folder.display()))?;
    let mut program = Cli::command().disable_help_subcommand(true);
    // Gives commands of commands their full names.
    program.build();
    let written = write(program, folder)?;
    printer.note(format!("{written} pages in {}", folder.display()));
    Ok(())
}

/// Writes the pages of a command and of those below it; returns how many there are.
fn write(command: clap::Command, folder: &Path) -> anyhow::Result<usize> {
    let mut written = 1;
    for below in command.get_subcommands() {
        if !below.is_hide_set() && below.get_name() != "help" {
            written += write(below.clone(), folder)?;
        }
    }
    let page = Man::new(command);
    let path = folder.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text)?;
    write_atomic(&path, |file| file.write_all(&text))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(written)
}
