//! Gradients of weights: the cases of the rules with their inputs stored in the model, and a training
//! loop that never rebuilds its sessions.

use std::collections::{BTreeMap, BTreeSet};

use half::f16;
use kinograd_runtime::Tensor;
use onnx_grad::proto::{ModelProto, TensorProto};
use onnx_grad::{DataType, Gradient, Mode, Model, Request, Seed, Weights, differentiate};

use crate::common::{FLOAT, Graph, engines};
use crate::rules::{Case, TOLERANCE, cases, golden_folders};
use crate::{Data, relative_difference, run};

/// The case with every differentiated input but the first stored in the model.
fn stored(case: &Case) -> Option<(Model, Vec<String>)> {
    let names: Vec<String> = case.gradients.keys().skip(1).cloned().collect();
    let mut proto: ModelProto = Model::from_bytes(&case.model).unwrap().proto().clone();
    let graph = proto.graph.as_mut()?;
    graph.input.retain(|info| !names.contains(&info.name));
    for name in &names {
        let Data::Float(array) = &case.inputs[name] else {
            return None;
        };
        graph.initializer.push(TensorProto {
            name: name.clone(),
            dims: array
                .shape()
                .iter()
                .map(|&n| i64::try_from(n).unwrap())
                .collect(),
            data_type: Some(DataType::Float32.code()),
            float_data: array.iter().copied().collect(),
            ..TensorProto::default()
        });
    }
    (!names.is_empty()).then(|| (Model::from_proto(proto), names))
}

#[test]
fn weights_get_the_gradients_that_inputs_get() {
    let (engines, mut failures, mut count) = (engines(), Vec::new(), 0);
    for case in golden_folders().iter().flat_map(|folder| cases(folder)) {
        let Some((model, names)) = stored(&case) else {
            continue;
        };
        for (mode, as_inputs) in [
            (Mode::Joint, true),
            (Mode::Joint, false),
            (Mode::Split, false),
            (Mode::Split, true),
        ] {
            let weights = Weights::named(&names);
            let request = Request {
                outputs: case.cotangents.keys().map(Seed::new).collect(),
                inputs: case.gradients.keys().take(1).cloned().collect(),
                weights: if as_inputs {
                    weights.as_inputs()
                } else {
                    weights
                },
                mode,
            };
            let gradient = differentiate(&model, &request);
            for engine in &engines {
                if !case.runs_on(engine) {
                    continue;
                }
                count += 1;
                let mut feeds: BTreeMap<String, Tensor> = case
                    .inputs
                    .iter()
                    .map(|(name, data)| (name.clone(), data.tensor()))
                    .collect();
                for (output, cotangent) in &case.cotangents {
                    feeds.insert(format!("{output}_cotangent"), cotangent.clone().into());
                }
                let results = match &gradient {
                    Err(error) => Err(error.to_string()),
                    Ok(Gradient::Joint(joint)) => run(engine, &joint.model, &feeds),
                    Ok(Gradient::Split(split)) => {
                        run(engine, &split.forward, &feeds).and_then(|kept| {
                            feeds.extend(kept);
                            run(engine, &split.backward, &feeds)
                        })
                    }
                };
                let label = format!(
                    "{} {} {mode:?} as_inputs={as_inputs}",
                    case.name,
                    engine.name()
                );
                match results {
                    Err(error) => failures.push(format!("{label}: {error}")),
                    Ok(mut results) => {
                        for (name, expected) in &case.gradients {
                            let got = results.remove(&format!("{name}_gradient")).unwrap();
                            let off = relative_difference(&got.into_f32().unwrap(), expected);
                            if off > TOLERANCE {
                                failures.push(format!("{label}: {name} is off by {off}"));
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(count > 100, "only {count} runs");
    assert!(
        failures.is_empty(),
        "{} of {count} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// y = ½ tanh(x w₁) w₂ + b, w₁ in half precision, and factors that are no parameters.
fn network() -> Model {
    let values =
        |n: i16| -> Vec<f32> { (0..n).map(|i| (f32::from(i) * 1.7).sin() * 0.8).collect() };
    let bytes = Graph::new()
        .input("x", FLOAT, &["batch", "2"])
        .output("y", FLOAT, &["batch", "1"])
        .half_weights("w1", &[2, 6], &values(12))
        .weights("w2", &[6, 1], &values(6))
        .weights("b", &[1], &[0.0])
        .weights("scale", &[], &[1.0])
        .weights("half", &[1], &[0.5])
        .node("MatMul", &["x", "w1"], &["h"])
        .node("Tanh", &["h"], &["t"])
        .node("Mul", &["t", "scale"], &["u"])
        .node("Mul", &["u", "half"], &["s"])
        .node("MatMul", &["s", "w2"], &["p"])
        .node("Add", &["p", "b"], &["y"])
        .bytes();
    Model::from_bytes(&bytes).unwrap()
}

#[test]
fn all_weights_are_those_that_are_trained() {
    let model = network();
    let request = |weights: Weights| Request {
        outputs: vec![Seed::new("y")],
        weights,
        ..Request::default()
    };
    let types = |weights: Weights| -> BTreeMap<String, DataType> {
        let joint = differentiate(&model, &request(weights))
            .unwrap()
            .into_joint()
            .unwrap();
        joint
            .gradients
            .into_iter()
            .map(|g| (g.input, g.tensor.data_type))
            .collect()
    };
    let names: BTreeSet<String> = types(Weights::all()).into_keys().collect();
    assert_eq!(names, ["b", "w1_f16", "w2"].map(str::to_owned).into());
    assert_eq!(types(Weights::all())["w1_f16"], DataType::Float16);
    assert_eq!(types(Weights::all().in_f32())["w1_f16"], DataType::Float32);
    assert!(differentiate(&model, &request(Weights::named(["nowhere"]))).is_err());
}

#[test]
fn a_model_is_fine_tuned_without_rebuilding_its_sessions() {
    let mut model = network();
    let request = Request {
        outputs: vec![Seed::new("y")],
        weights: Weights::all().as_inputs().in_f32(),
        mode: Mode::Split,
        ..Request::default()
    };
    let split = differentiate(&model, &request)
        .unwrap()
        .into_split()
        .unwrap();
    let mut weights: BTreeMap<String, ndarray::ArrayD<f32>> = split
        .weights
        .iter()
        .map(|info| {
            let stored = model
                .weights()
                .into_iter()
                .find(|w| w.name == info.name)
                .unwrap();
            let dims: Vec<usize> = stored.shape.unwrap().iter().map(length).collect();
            let values = model.weight(&info.name).unwrap();
            (
                info.name.clone(),
                ndarray::ArrayD::from_shape_vec(dims, values).unwrap(),
            )
        })
        .collect();
    let x =
        ndarray::Array2::from_shape_fn((8, 2), |(i, j)| (i as f32 - 3.5) * 0.3 + j as f32 * 0.5);
    let target = x
        .map_axis(ndarray::Axis(1), |row| row[0] * row[1])
        .insert_axis(ndarray::Axis(1));
    let engine = engines().pop().unwrap();
    let mut losses = Vec::new();
    for _ in 0..200 {
        let mut feeds: BTreeMap<String, Tensor> = weights
            .iter()
            .map(|(name, w)| (name.clone(), w.clone().into()))
            .collect();
        feeds.insert("x".into(), x.clone().into_dyn().into());
        feeds.extend(run(&engine, &split.forward, &feeds).unwrap());
        let y = feeds["y"].to_f32().unwrap().into_owned();
        let residual = y - target.clone().into_dyn();
        losses.push(residual.mapv(|r| r * r).mean().unwrap());
        feeds.insert("y_cotangent".into(), (residual * (2.0 / 8.0)).into());
        let gradients = run(&engine, &split.backward, &feeds).unwrap();
        for gradient in &split.gradients {
            let g = gradients[&gradient.tensor.name].to_f32().unwrap();
            weights
                .get_mut(&gradient.input)
                .unwrap()
                .scaled_add(-0.1, &g);
        }
    }
    assert!(
        losses[199] < 0.2 * losses[0],
        "{} to {}",
        losses[0],
        losses[199]
    );
    // Stored again, the model itself gives what the loop gave.
    for (name, w) in &weights {
        model.set_weight(name, w.as_slice().unwrap()).unwrap();
    }
    let feeds = BTreeMap::from([("x".to_owned(), x.into_dyn().into())]);
    let y = run(&engine, &model, &feeds).unwrap()["y"]
        .to_f32()
        .unwrap()
        .into_owned();
    let loss = (y - target.into_dyn()).mapv(|r| r * r).mean().unwrap();
    assert!((loss - losses[199]).abs() < 0.1 * losses[0], "{loss}");
    let rounded = model.weight("w1_f16").unwrap();
    assert!(rounded.iter().all(|&w| f16::from_f32(w).to_f32() == w));
    assert!(model.set_weight("w1_f16", &[1.0]).is_err());
}

fn length(dim: &onnx_grad::Dimension) -> usize {
    match dim {
        onnx_grad::Dimension::Fixed(n) => usize::try_from(*n).unwrap(),
        other => unreachable!("{other:?}"),
    }
}
