//! `kinograd grad`.

use std::fmt::Write as _;

use kinograd::gradient::{GradientOptions, Weights, differentiate_file};
use serde_json::json;

use crate::args::GradArgs;
use crate::printer::Printer;

/// Writes the gradient of a model.
pub fn run(args: GradArgs, printer: &Printer) -> anyhow::Result<()> {
    let options = GradientOptions {
        weights: weights(&args),
        inputs: args.wrt,
        outputs: args.of,
        split: args.split,
        lengths: args.dim,
    };
    let written = differentiate_file(&args.model, &args.output, &options)?;
    let mut text = String::new();
    for (file, nodes) in written.files.iter().zip(&written.nodes) {
        writeln!(text, "{} ({nodes} nodes)", file.display())?;
    }
    for cotangent in &written.cotangents {
        printer.note(format!(
            "takes `{}` shaped like `{}`",
            cotangent.name, cotangent.output
        ));
    }
    if !written.weight_inputs.is_empty() {
        printer.note(format!("takes {} weights", written.weight_inputs.len()));
    }
    if options.split {
        let bytes = written.saved_bytes.map_or_else(
            || "size unknown: give the lengths of free dimensions with --dim".to_owned(),
            |bytes| format!("{bytes} bytes"),
        );
        printer.note(format!("keeps {} activations ({bytes})", written.saved));
    }
    for gradient in &written.gradients {
        printer.note(format!(
            "returns `{}` shaped like `{}`",
            gradient.name, gradient.of
        ));
    }
    let mut document = serde_json::to_value(&written)?;
    document["schema"] = json!("kinograd.grad/2");
    printer.document(&document, &text)?;
    Ok(())
}

fn weights(args: &GradArgs) -> Weights {
    let mut weights = if args.weights.is_empty() {
        Weights::none()
    } else if args.weights.iter().any(|name| name == "all") {
        Weights::all()
    } else {
        Weights::named(&args.weights)
    };
    if args.weights_as_inputs {
        weights = weights.as_inputs();
    }
    if args.weights_in_f32 {
        weights = weights.in_f32();
    }
    weights
}
