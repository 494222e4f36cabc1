//! Derives the gradient of a model's outputs with respect to some of its inputs.
//!
//! `gradient MODEL.onnx OUTPUT[,OUTPUT..] INPUT[,INPUT..] FOLDER` writes `joint.onnx`,
//! `forward.onnx` and `backward.onnx` to the folder, and prints what each took and what the pair
//! passes from one graph to the other.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use onnx_grad::{Mode, Model, Request, Seed, differentiate};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, outputs, inputs, folder] = arguments.as_slice() else {
        return Err("usage: gradient MODEL.onnx OUTPUTS INPUTS FOLDER".into());
    };
    let mut log = std::io::stdout().lock();
    let started = Instant::now();
    let (model, folder) = (Model::read(model)?, Path::new(folder));
    writeln!(log, "read {:.4} s", started.elapsed().as_secs_f64())?;
    let mut request = Request {
        outputs: outputs.split(',').map(Seed::new).collect(),
        inputs: inputs.split(',').map(str::to_owned).collect(),
        mode: Mode::Joint,
        ..Request::default()
    };
    let started = Instant::now();
    let joint = differentiate(&model, &request).map_err(|e| e.to_string())?;
    writeln!(log, "joint {:.4} s", started.elapsed().as_secs_f64())?;
    if let Some(joint) = joint.into_joint() {
        joint.model.write(folder.join("joint.onnx"))?;
    }
    request.mode = Mode::Split;
    let started = Instant::now();
    let split = differentiate(&model, &request).map_err(|e| e.to_string())?;
    writeln!(log, "split {:.4} s", started.elapsed().as_secs_f64())?;
    if let Some(split) = split.into_split() {
        split.forward.write(folder.join("forward.onnx"))?;
        split.backward.write(folder.join("backward.onnx"))?;
        for saved in &split.saved {
            let tensor = &saved.tensor;
            writeln!(log, "saved {} {} {:?}", saved.op, tensor.name, tensor.shape)?;
        }
    }
    Ok(())
}
