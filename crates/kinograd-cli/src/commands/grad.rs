//! `kinograd grad`.

use std::fmt::Write as _;

use kinograd::gradient::{GradientOptions, differentiate_file};
use serde_json::json;

use crate::args::GradArgs;
use crate::printer::Printer;

/// Writes the gradient of a model.
pub fn run(args: GradArgs, printer: &Printer) -> anyhow::Result<()> {
    let options = GradientOptions {
        input: args.wrt,
        output: args.of,
        split: args.split,
    };
    let written = differentiate_file(&args.model, &args.output, &options)?;
    let mut text = String::new();
    for (file, nodes) in written.files.iter().zip(&written.nodes) {
        writeln!(text, "{} ({nodes} nodes)", file.display())?;
    }
    printer.note(format!(
        "takes `{}` shaped like `{}`, returns `{}` shaped like `{}`",
        written.cotangent, written.output, written.gradient, written.input
    ));
    let mut document = serde_json::to_value(&written)?;
    document["schema"] = json!("kinograd.grad/1");
    printer.document(&document, &text)?;
    Ok(())
}
