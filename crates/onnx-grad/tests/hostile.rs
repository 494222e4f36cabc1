//! Broken and hostile files give errors: no panic, no hang, no huge allocation.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may; the lint only sees functions marked as tests"
)]

#[path = "common/files.rs"]
mod files;

use std::fs;

use files::{attribute, ints, list, model, node, value};
use onnx_grad::proto::{
    AttributeProto, AttributeType, DataLocation, FunctionProto, GraphProto, ModelProto, NodeProto,
    StringStringEntryProto, TensorProto, ValueInfoProto,
};
use onnx_grad::{DataType, Error, Gradient, Mode, Model, Request, Seed, differentiate};

fn request(mode: Mode) -> Request {
    Request {
        outputs: vec![Seed::new("y")],
        inputs: vec!["x".into()],
        mode,
        ..Request::default()
    }
}

fn derive(proto: ModelProto) -> Result<Gradient, Error> {
    let model = Model::from_proto(proto);
    let joint = differentiate(&model, &request(Mode::Joint));
    let split = differentiate(&model, &request(Mode::Split));
    assert_eq!(joint.is_ok(), split.is_ok());
    joint
}

fn message(proto: ModelProto) -> String {
    derive(proto).unwrap_err().to_string()
}

/// A valid model with weights, shapes and several ops.
fn valid() -> ModelProto {
    let mut soft = node("Softmax", &["r"], "s");
    soft.attribute.push(attribute("axis", -1));
    model(
        vec![
            node("Reshape", &["x", "shape"], "r"),
            soft,
            node("Slice", &["s", "start", "end", "axes"], "c"),
            node("Expand", &["c", "wide"], "e"),
            node("Mul", &["e", "e"], "y"),
        ],
        &[4, 6],
        vec![
            ints("shape", &[2, -1]),
            ints("start", &[1]),
            ints("end", &[5]),
            ints("axes", &[1]),
            ints("wide", &[3, 2, 4]),
        ],
    )
}

#[test]
fn the_valid_model_is_differentiated() {
    derive(valid()).unwrap();
}

#[test]
fn truncated_files_are_refused() {
    let bytes = Model::from_proto(valid()).to_bytes().unwrap();
    for length in 0..bytes.len() {
        if let Ok(model) = Model::from_bytes(&bytes[..length]) {
            // A cut between two fields leaves a message that can be read; it must not panic.
            let _ = differentiate(&model, &request(Mode::Split));
        }
    }
    assert!(matches!(Model::from_bytes(b""), Err(Error::Decode { .. })));
    assert!(matches!(
        Model::from_bytes(&[0xff; 64]),
        Err(Error::Decode { .. })
    ));
}

#[test]
fn damaged_files_never_panic() {
    let bytes = Model::from_proto(valid()).to_bytes().unwrap();
    let mut state = 1u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    let mut read = 0;
    for _ in 0..4000 {
        let mut damaged = bytes.clone();
        for _ in 0..=random() % 3 {
            let at = random() % damaged.len();
            damaged[at] = u8::try_from(random() % 256).unwrap();
        }
        if let Ok(model) = Model::from_bytes(&damaged) {
            read += 1;
            let _ = differentiate(&model, &request(Mode::Joint));
            let _ = differentiate(&model, &request(Mode::Split));
        }
    }
    assert!(read > 500, "only {read} damaged files could be read");
}

#[test]
fn cycles_and_missing_values_are_named() {
    let cycle = model(
        vec![
            node("Add", &["x", "b"], "a"),
            node("Neg", &["a"], "b"),
            node("Neg", &["b"], "y"),
        ],
        &[2],
        vec![],
    );
    assert!(message(cycle).contains("cycle"));
    let missing = model(vec![node("Add", &["x", "nowhere"], "y")], &[2], vec![]);
    assert!(message(missing).contains("`nowhere`"));
    let twice = model(
        vec![node("Neg", &["x"], "y"), node("Abs", &["x"], "y")],
        &[2],
        vec![],
    );
    assert!(message(twice).contains("two values are called `y`"));
    let own_input = model(vec![node("Neg", &["y"], "y")], &[2], vec![]);
    assert!(message(own_input).contains("cycle"));
    let no_output = model(vec![node("Neg", &["x"], "z")], &[2], vec![]);
    assert!(message(no_output).contains("output `y`"));
}

/// Shapes that no tensor has, or only one without elements.
fn absurd_shapes() -> [Vec<i64>; 5] {
    let big = i64::MAX;
    let longer = 1 << 40;
    [
        vec![big, big],
        vec![-5, 3],
        vec![0, 0],
        vec![big],
        vec![longer, longer],
    ]
}

#[test]
fn absurd_sizes_are_survived() {
    let big = i64::MAX;
    for dims in absurd_shapes() {
        for op in [
            "Neg",
            "Softmax",
            "Relu",
            "GlobalAveragePool",
            "Flatten",
            "ReduceMean",
            "Transpose",
        ] {
            let _ = derive(model(vec![node(op, &["x"], "y")], &dims, vec![]));
        }
        for (op, values) in [
            ("Reshape", vec![big, big, -1]),
            ("Expand", vec![big, big, big]),
            ("Tile", vec![big, big]),
            ("Pad", vec![big, big, big, big]),
            ("Pad", vec![i64::MIN, i64::MIN, 0, 0]),
            ("Squeeze", vec![big]),
            ("Unsqueeze", vec![i64::MIN]),
            ("ReduceSum", vec![big]),
            ("Split", vec![big]),
        ] {
            let nodes = vec![node(op, &["x", "w"], "y")];
            let _ = derive(model(nodes, &dims, vec![ints("w", &values)]));
        }
    }
}

#[test]
fn absurd_bounds_are_survived() {
    let big = i64::MAX;
    for dims in absurd_shapes() {
        for (start, end, step) in [
            (big, i64::MIN, -1),
            (i64::MIN, big, i64::MIN),
            (0, big, 0),
            (big, 0, 1),
        ] {
            let weights = vec![
                ints("s", &[start]),
                ints("e", &[end]),
                ints("a", &[0]),
                ints("p", &[step]),
            ];
            let nodes = vec![node("Slice", &["x", "s", "e", "a", "p"], "y")];
            let _ = derive(model(nodes, &dims, weights));
        }
    }
}

#[test]
fn weights_that_lie_about_their_size_are_named() {
    let big = i64::MAX;
    for (dims, values, part) in [
        (vec![big, big], vec![], "`w`"),
        (vec![1000], vec![1.0], "1000"),
    ] {
        let liar = TensorProto {
            name: "w".into(),
            dims,
            data_type: Some(DataType::Float32.code()),
            float_data: values,
            ..TensorProto::default()
        };
        let text = message(model(vec![node("Add", &["x", "w"], "y")], &[2], vec![liar]));
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn windows_of_absurd_sizes_are_refused() {
    for op in ["AveragePool", "MaxPool", "LpPool"] {
        let mut pool = node(op, &["x"], "y");
        pool.attribute
            .push(list("kernel_shape", &[1 << 30, 3 << 20]));
        pool.attribute.push(list("pads", &[1, 1, 1, 1]));
        let _ = derive(model(vec![pool], &[1, 1, 1 << 40, 1 << 40], vec![]));
    }
}

#[test]
fn quantised_arithmetic_is_refused_by_name() {
    let scale = TensorProto {
        name: "scale".into(),
        data_type: Some(DataType::Float32.code()),
        float_data: vec![0.1],
        ..TensorProto::default()
    };
    let text = message(model(
        vec![
            node("QuantizeLinear", &["x", "scale"], "q"),
            node("DequantizeLinear", &["q", "scale"], "r"),
            node("Add", &["r", "x"], "y"),
        ],
        &[2],
        vec![scale],
    ));
    for part in ["node_q", "QuantizeLinear", "opset 20", "float model"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn deep_chains_do_not_exhaust_the_stack() {
    let depth = 20_000;
    let mut nodes: Vec<NodeProto> = (0..depth)
        .map(|at| {
            let input = if at == 0 {
                "x".to_owned()
            } else {
                format!("v{at}")
            };
            node("Tanh", &[&input], &format!("v{}", at + 1))
        })
        .collect();
    nodes.push(node("Neg", &[&format!("v{depth}")], "y"));
    derive(model(nodes, &[2, 2], vec![])).unwrap();
}

#[test]
fn functions_that_call_themselves_are_refused() {
    let call = |input: &str, output: &str| NodeProto {
        domain: "local".into(),
        ..node("F", &[input], output)
    };
    let mut proto = model(vec![call("x", "y")], &[2], vec![]);
    proto.functions.push(FunctionProto {
        name: "F".into(),
        domain: "local".into(),
        input: vec!["a".into()],
        output: vec!["b".into()],
        node: vec![call("a", "m"), call("m", "b")],
        ..FunctionProto::default()
    });
    assert!(message(proto).contains("calls itself"));
}

#[test]
fn unsupported_opsets_and_ops_say_what_to_do() {
    let mut old = valid();
    old.opset_import[0].version = Some(11);
    assert!(message(old).contains("opset 11"));
    let unknown = model(vec![node("NoSuchOp", &["x"], "y")], &[2], vec![]);
    let text = message(unknown);
    for part in ["node_y", "NoSuchOp", "opset 20", "export the model"] {
        assert!(text.contains(part), "{text}");
    }
    let unreached = model(vec![node("Floor", &["x"], "y")], &[2], vec![]);
    assert!(matches!(derive(unreached), Err(Error::NoPath { .. })));
}

#[test]
fn requests_that_do_not_fit_are_refused() {
    let model = Model::from_proto(valid());
    let ask = |output: &str, input: &str| {
        let request = Request {
            outputs: vec![Seed::new(output)],
            inputs: vec![input.into()],
            mode: Mode::Joint,
            ..Request::default()
        };
        differentiate(&model, &request).unwrap_err()
    };
    assert!(matches!(ask("z", "x"), Error::UnknownOutput { .. }));
    assert!(matches!(ask("y", "z"), Error::UnknownInput { .. }));
    let empty = Request {
        outputs: vec![],
        inputs: vec![],
        mode: Mode::Joint,
        ..Request::default()
    };
    assert!(matches!(
        differentiate(&model, &empty),
        Err(Error::Request { .. })
    ));
}

fn external(location: &str, length: &str) -> ModelProto {
    let entry = |key: &str, value: &str| StringStringEntryProto {
        key: key.into(),
        value: value.into(),
    };
    let weight = TensorProto {
        name: "w".into(),
        dims: vec![2],
        data_type: Some(DataType::Float32.code()),
        data_location: Some(DataLocation::External.into()),
        external_data: vec![entry("location", location), entry("length", length)],
        ..TensorProto::default()
    };
    model(vec![node("Mul", &["x", "w"], "y")], &[2], vec![weight])
}

#[test]
fn external_data_stays_in_the_folder() {
    let root = std::env::temp_dir().join(format!("onnx-grad-{}", std::process::id()));
    let folder = root.join("model");
    fs::create_dir_all(&folder).unwrap();
    fs::write(root.join("secret"), [0u8; 8]).unwrap();
    fs::write(folder.join("data"), [0u8; 8]).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(root.join("secret"), folder.join("link")).unwrap();
    let path = folder.join("model.onnx");
    let read = |location: &str, length: &str| {
        Model::from_proto(external(location, length))
            .write(&path)
            .unwrap();
        Model::read(&path)
    };
    let inside = read("data", "8").unwrap();
    differentiate(&inside, &request(Mode::Joint)).unwrap();
    let absolute = root.join("secret").display().to_string();
    let mut outside = vec!["../secret", "a/../../secret", "", absolute.as_str()];
    if cfg!(unix) {
        outside.push("link");
    }
    for location in outside {
        let error = read(location, "8").unwrap_err();
        assert!(
            matches!(error, Error::ExternalData { .. }),
            "{location}: {error}"
        );
    }
    for length in ["9", "18446744073709551615", "many", "-1"] {
        assert!(read("data", length).is_err(), "length {length}");
    }
    assert!(read("missing", "8").is_err());
    let bytes = Model::from_proto(external("data", "8")).to_bytes().unwrap();
    assert!(matches!(
        Model::from_bytes(&bytes),
        Err(Error::ExternalData { .. })
    ));
    fs::remove_dir_all(root).unwrap();
}

/// An If whose branches compute `y` from `x` through a value of their own, in the wrong order.
fn unsorted_branches() -> ModelProto {
    let branch = |op: &str| GraphProto {
        name: format!("body_{op}"),
        node: vec![node("Neg", &["inner"], "result"), node(op, &["x"], "inner")],
        output: vec![value("result", &[2])],
        ..GraphProto::default()
    };
    let mut choice = node("If", &["flag"], "y");
    for (name, op) in [("then_branch", "Exp"), ("else_branch", "Tanh")] {
        choice.attribute.push(AttributeProto {
            name: name.into(),
            r#type: Some(AttributeType::Graph.into()),
            g: Some(Box::new(branch(op))),
            ..AttributeProto::default()
        });
    }
    let flag = TensorProto {
        name: "flag".into(),
        data_type: Some(DataType::Bool.code()),
        int32_data: vec![1],
        ..TensorProto::default()
    };
    model(vec![choice], &[2], vec![flag])
}

#[test]
fn bodies_are_sorted_and_their_faults_are_the_models() {
    let Ok(Gradient::Joint(joint)) = derive(unsorted_branches()) else {
        panic!("a body may come in any order");
    };
    let forward = &joint.model.proto().graph.as_ref().unwrap().node[0];
    for attribute in &forward.attribute {
        let nodes = &attribute.g.as_ref().unwrap().node;
        assert_eq!(nodes[0].output, ["inner"]);
    }
    let broken = |change: fn(&mut GraphProto)| {
        let mut proto = unsorted_branches();
        let choice = &mut proto.graph.as_mut().unwrap().node[0];
        change(choice.attribute[0].g.as_mut().unwrap());
        message(proto)
    };
    let cycle = broken(|body| body.node[1].input[0] = "result".into());
    assert!(cycle.contains("cycle"), "{cycle}");
    let twice = broken(|body| body.node.push(body.node[1].clone()));
    assert!(twice.contains("two values are called `inner`"), "{twice}");
}

#[test]
fn outputs_without_a_type_are_named() {
    let unknown = NodeProto {
        domain: "local".into(),
        ..node("Custom", &["x"], "z")
    };
    let mut proto = model(vec![node("Neg", &["x"], "y"), unknown], &[2], vec![]);
    let graph = proto.graph.as_mut().unwrap();
    graph.output.push(ValueInfoProto {
        name: "z".into(),
        ..ValueInfoProto::default()
    });
    let text = message(proto);
    assert!(
        text.contains("`z`") && text.contains("shape inference"),
        "{text}"
    );
}
