// What the fuzzer and the ordinary tests run on arbitrary bytes: no input may make it panic, hang or
// allocate far more than the input's size.

use onnx_grad::{Mode, Model, Request, Seed, Weights, differentiate};

/// Reads the bytes, and reads again what is written.
pub fn read(data: &[u8]) {
    let Ok(model) = Model::from_bytes(data) else {
        return;
    };
    let (inputs, outputs, weights) = (model.inputs(), model.outputs(), model.weights());
    for weight in weights.iter().take(8) {
        let _ = model.weight(&weight.name);
    }
    let bytes = model.to_bytes().expect("a small model is written");
    let again = Model::from_bytes(&bytes).expect("what was written is read");
    assert_eq!(inputs, again.inputs());
    assert_eq!(outputs, again.outputs());
}

/// Differentiates all float outputs by all float inputs, and by all weights.
pub fn rewrite(data: &[u8]) {
    let Ok(model) = Model::from_bytes(data) else {
        return;
    };
    let floats = |infos: Vec<onnx_grad::TensorInfo>| -> Vec<String> {
        let floats = infos.into_iter().filter(|info| info.data_type.is_float());
        floats.map(|info| info.name).take(8).collect()
    };
    // Inferred outputs may carry no type in the file.
    let outputs: Vec<Seed> = model
        .outputs()
        .into_iter()
        .take(8)
        .map(|info| Seed::new(info.name))
        .collect();
    let inputs = floats(model.inputs());
    for weights in [
        Weights::none(),
        Weights::all().in_f32(),
        Weights::all().as_inputs(),
    ] {
        for mode in [Mode::Joint, Mode::Split] {
            let request = Request {
                outputs: outputs.clone(),
                inputs: inputs.clone(),
                weights: weights.clone(),
                mode,
            };
            match differentiate(&model, &request) {
                Ok(onnx_grad::Gradient::Joint(joint)) => {
                    read(&joint.model.to_bytes().expect("written"))
                }
                Ok(onnx_grad::Gradient::Split(split)) => {
                    read(&split.forward.to_bytes().expect("written"));
                    read(&split.backward.to_bytes().expect("written"));
                    let _ = split.saved_bytes(&[("batch", 3), ("n3", 3), ("n4", i64::MAX)]);
                }
                // No model is to blame for a fault of the crate.
                Err(error @ onnx_grad::Error::Internal { .. }) => panic!("{error}"),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}
