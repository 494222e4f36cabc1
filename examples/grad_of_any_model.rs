//! The gradient of any ONNX model, as ONNX.
//!
//! `cargo run --release --example grad_of_any_model -- model.onnx gradient.onnx`

#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use std::path::Path;

use kinograd::gradient::{GradientOptions, differentiate_file};

fn main() -> Result<(), kinograd::Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(model), Some(gradient)) = (arguments.next(), arguments.next()) else {
        println!("usage: grad_of_any_model MODEL.onnx GRADIENT.onnx");
        return Ok(());
    };
    // The first float input and output; GradientOptions names others.
    let written = differentiate_file(
        Path::new(&model),
        Path::new(&gradient),
        &GradientOptions::default(),
        None,
    )?;
    println!(
        "{gradient} takes the model's inputs and `{}`, and also returns `{}`",
        written.cotangents[0].name, written.gradients[0].name
    );
    Ok(())
}
