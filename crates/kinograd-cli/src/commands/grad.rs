//! `kinograd grad`.

use std::fmt::Write as _;
use std::path::Path;

use kinograd::gradient::{GradientOptions, Weights, differentiate_file};
use kinograd::runtime::{
    EngineChoice, EngineOptions, OpenEngine, Provider, RuntimeError, open_engine,
};
use serde_json::json;

use crate::args::GradArgs;
use crate::printer::Printer;

/// Writes the gradient of a model.
pub fn run(args: GradArgs, printer: &Printer) -> anyhow::Result<()> {
    let engine = engine(args.runtime.as_deref())?;
    let options = GradientOptions {
        weights: weights(&args),
        inputs: args.wrt,
        outputs: args.of,
        split: args.split,
        lengths: args.dim,
    };
    let engine = engine.as_ref().map(|open| open.engine.as_ref());
    let written = differentiate_file(&args.model, &args.output, &options, engine)?;
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
    printer.note(match &written.loaded_by {
        Some(engine) => format!("loaded by {engine}"),
        None => "not loaded by an engine before it was written".to_owned(),
    });
    let mut document = serde_json::to_value(&written)?;
    document["schema"] = json!("kinograd.grad/2");
    printer.document(&document, &text)?;
    Ok(())
}

/// The ONNX Runtime that tries what is written; `None` where none is wanted or installed.
fn engine(runtime: Option<&Path>) -> Result<Option<OpenEngine>, RuntimeError> {
    if runtime.is_some_and(|path| path.as_os_str() == "none") {
        return Ok(None);
    }
    let options = EngineOptions {
        engine: EngineChoice::OnnxRuntime,
        provider: Provider::Cpu,
        library: runtime.map(Path::to_path_buf),
        threads: 1,
    };
    match open_engine(&options) {
        Ok(engine) => Ok(Some(engine)),
        Err(RuntimeError::LibraryNotFound { .. }) if runtime.is_none() => Ok(None),
        Err(error) => Err(error),
    }
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
