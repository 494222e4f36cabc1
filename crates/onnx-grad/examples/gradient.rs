//! Derives the gradient of a model's outputs with respect to some of its inputs.
//!
//! `gradient MODEL.onnx OUTPUT[,OUTPUT..] INPUT[,INPUT..] FOLDER` writes `joint.onnx`,
//! `forward.onnx` and `backward.onnx` to the folder.

use std::path::Path;

use onnx_grad::{Mode, Model, Request, Seed, differentiate};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, outputs, inputs, folder] = arguments.as_slice() else {
        return Err("usage: gradient MODEL.onnx OUTPUTS INPUTS FOLDER".into());
    };
    let (model, folder) = (Model::read(model)?, Path::new(folder));
    let mut request = Request {
        outputs: outputs.split(',').map(Seed::new).collect(),
        inputs: inputs.split(',').map(str::to_owned).collect(),
        mode: Mode::Joint,
    };
    if let Some(joint) = differentiate(&model, &request)?.into_joint() {
        joint.model.write(folder.join("joint.onnx"))?;
    }
    request.mode = Mode::Split;
    if let Some(split) = differentiate(&model, &request)?.into_split() {
        split.forward.write(folder.join("forward.onnx"))?;
        split.backward.write(folder.join("backward.onnx"))?;
    }
    Ok(())
}
