//! Every rule against PyTorch's gradient, in both modes, run by the built-in engine.

mod common;

use std::collections::BTreeMap;

use common::{Case, Data, cases, golden_folders, relative_difference, run};
use onnx_grad::{Gradient, Mode, Model, Request, Seed, differentiate};

const TOLERANCE: f32 = 2e-5;

/// Cases whose own forward, or a node of their gradient, the engine cannot run.
const ENGINE_LACKS: &[&str] = &[];

fn request(case: &Case, mode: Mode) -> Request {
    Request {
        outputs: case.cotangents.keys().map(Seed::new).collect(),
        inputs: case.gradients.keys().cloned().collect(),
        mode,
    }
}

fn gradients(case: &Case, mode: Mode) -> Result<BTreeMap<String, Data>, String> {
    let text = |error: &dyn std::fmt::Display| format!("{}: {error:#}", case.name);
    let model = Model::from_bytes(&case.model).map_err(|e| text(&e))?;
    let derived = differentiate(&model, &request(case, mode)).map_err(|e| text(&e))?;
    let mut feeds = case.inputs.clone();
    for (output, cotangent) in &case.cotangents {
        feeds.insert(format!("{output}_cotangent"), Data::Float(cotangent.clone()));
    }
    match derived {
        Gradient::Joint(joint) => run(&joint.model, &feeds).map_err(|e| text(&e)),
        Gradient::Split(split) => {
            let kept = run(&split.forward, &feeds).map_err(|e| text(&e))?;
            feeds.extend(kept);
            run(&split.backward, &feeds).map_err(|e| text(&e))
        }
    }
}

#[test]
fn rules_agree_with_pytorch() {
    let mut failures = Vec::new();
    let mut count = 0;
    for case in golden_folders().iter().flat_map(|folder| cases(folder)) {
        if ENGINE_LACKS.contains(&case.name.as_str()) {
            continue;
        }
        for mode in [Mode::Joint, Mode::Split] {
            count += 1;
            match gradients(&case, mode) {
                Err(error) => failures.push(format!("{mode:?} {error}")),
                Ok(results) => {
                    for (input, expected) in &case.gradients {
                        let got = results[&format!("{input}_gradient")].float();
                        let difference = relative_difference(got, expected);
                        if difference > TOLERANCE {
                            failures.push(format!("{mode:?} {}: {input} off by {difference}", case.name));
                        }
                    }
                }
            }
        }
    }
    assert!(count > 200, "only {count} cases were found");
    assert!(failures.is_empty(), "{} of {count} failed:\n{}", failures.len(), failures.join("\n"));
}
