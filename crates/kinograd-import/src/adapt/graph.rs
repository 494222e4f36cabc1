//! A graph that gets other inputs and outputs than it has, by nodes before and behind it.

use std::collections::HashSet;

use onnx_grad::proto::{
    AttributeProto, AttributeType, DimensionValue, GraphProto, ModelProto, NodeProto, TensorProto,
    ValueInfoProto,
};
use onnx_grad::{DataType, Dimension, Model, TensorInfo};

use super::axes::described;
use super::step::Step;

/// A model and what is put before and behind it.
pub(super) struct AdaptedGraph {
    proto: ModelProto,
    graph: GraphProto,
    opset: i64,
    names: HashSet<String>,
    before: Vec<NodeProto>,
    behind: Vec<NodeProto>,
    is_changed: bool,
    /// What became of which tensor, in words.
    notes: Vec<String>,
}

impl AdaptedGraph {
    pub(super) fn of(model: Model) -> Self {
        let opset = model.opset();
        let mut proto = model.into_proto();
        let graph = proto.graph.take().unwrap_or_default();
        let mut names = HashSet::new();
        collect_names(&graph, &mut names);
        Self {
            proto,
            graph,
            opset,
            names,
            before: Vec::new(),
            behind: Vec::new(),
            is_changed: false,
            notes: Vec::new(),
        }
    }

    /// What became of which tensor so far, in words.
    pub(super) fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn note(&mut self, canonical: &str, own: &TensorInfo, steps: &[Step]) {
        let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
        let own = described(own);
        self.notes
            .push(format!("{canonical} as {own}: {}", steps.join(", ")));
    }

    /// Feeds the input `own` from a new one of floats, by these steps; returns the name to feed.
    pub(super) fn input(
        &mut self,
        own: &TensorInfo,
        canonical: &str,
        dims: &[Dimension],
        steps: &[Step],
    ) -> String {
        if steps.is_empty() {
            return own.name.clone();
        }
        self.note(canonical, own, steps);
        let name = self.free_name(canonical);
        let port = port(&name, dims);
        self.replace_input(&own.name, &port);
        let mut nodes = self.chain(&name, &own.name, steps);
        self.before.append(&mut nodes);
        name
    }

    /// Feeds the input `own` from a new one of 64-bit whole numbers.
    pub(super) fn whole_input(
        &mut self,
        own: &TensorInfo,
        canonical: &str,
        dims: &[Dimension],
    ) -> String {
        let cast = [Step::Cast(own.data_type)];
        let name = self.input(own, canonical, dims, &cast);
        // Rounding is for floats; whole numbers are cast as they are.
        self.before
            .retain(|node| node.op_type != "Round" || node.input.first() != Some(&name));
        for node in &mut self.before {
            if node.op_type == "Cast" && node.output.first() == Some(&own.name) {
                node.input = vec![name.clone()];
            }
        }
        let port = port_of(&name, DataType::Int64, dims);
        self.replace_input(&name, &port);
        name
    }

    /// Gives the output `own` to a new one of floats, by these steps; returns the name to read.
    pub(super) fn output(
        &mut self,
        own: &TensorInfo,
        canonical: &str,
        dims: &[Dimension],
        steps: &[Step],
    ) -> String {
        if steps.is_empty() {
            return own.name.clone();
        }
        self.note(canonical, own, steps);
        let name = self.free_name(canonical);
        self.replace_output(&own.name, port(&name, dims));
        let mut nodes = self.chain(&own.name, &name, steps);
        self.behind.append(&mut nodes);
        name
    }

    /// Feeds the input `own` with the same values in every row of the batch, which is that of the input
    /// `rows`.
    pub(super) fn constant_rows(&mut self, own: &TensorInfo, values: &[f32], rows: &str) {
        let (width, name) = (values.len() as i64, own.name.as_str());
        self.graph.input.retain(|info| info.name != own.name);
        let [value, shape, batch, wide] = ["value", "shape", "batch", "wide"]
            .map(|part| self.free_name(&format!("{name}/{part}")));
        self.graph.initializer.push(TensorProto {
            name: value.clone(),
            dims: vec![1, width],
            data_type: Some(DataType::Float32.code()),
            float_data: values.to_vec(),
            ..TensorProto::default()
        });
        let first = self.whole_numbers(&shape, vec![1], vec![0]);
        let width = self.whole_numbers(&wide, vec![1], vec![width]);
        let full = self.free_name(&format!("{name}/full"));
        let nodes = [
            self.node("Shape", vec![rows.to_owned()], &shape, Vec::new()),
            self.node("Gather", vec![shape, first], &batch, vec![int("axis", 0)]),
            self.node("Concat", vec![batch, width], &wide, vec![int("axis", 0)]),
            self.node("Expand", vec![value, wide], &full, Vec::new()),
        ];
        self.before.extend(nodes);
        let to = int("to", i64::from(own.data_type.code()));
        let cast = self.node("Cast", vec![full], name, vec![to]);
        self.before.push(cast);
        self.is_changed = true;
    }

    /// A new input `[batch, frames]` that the output, `[batch, frames, features]`, is multiplied by: a
    /// graph without a mask of frames takes one then. Returns both names.
    pub(super) fn masked_output(
        &mut self,
        output: &str,
        canonical: [&str; 2],
        dims: &[Dimension],
    ) -> [String; 2] {
        let [mask, masked] = canonical.map(|name| self.free_name(name));
        self.graph
            .input
            .push(port(&mask, dims.get(..2).unwrap_or(dims)));
        self.replace_output(output, port(&masked, dims));
        let wide = self.free_name(&format!("{mask}/wide"));
        let mut nodes = self.chain(&mask, &wide, &[Step::Unsqueeze(vec![2])]);
        self.behind.append(&mut nodes);
        let node = self.node("Mul", vec![output.to_owned(), wide], &masked, Vec::new());
        self.behind.push(node);
        self.is_changed = true;
        [mask, masked]
    }

    /// A new input, under this name or one like it.
    pub(super) fn add_input(
        &mut self,
        canonical: &str,
        data_type: DataType,
        dims: &[Dimension],
    ) -> String {
        let name = self.free_name(canonical);
        self.graph.input.push(port_of(&name, data_type, dims));
        name
    }

    /// Makes an input an inner tensor, for nodes to feed.
    pub(super) fn take_input(&mut self, own: &str) {
        self.graph.input.retain(|info| info.name != own);
        self.is_changed = true;
    }

    /// A node before the graph's own, to a tensor of this name.
    pub(super) fn feed(&mut self, op: &str, inputs: &[&str], output: &str, cast: Option<DataType>) {
        let node = self.plain_node(op, inputs, output, cast);
        self.before.push(node);
    }

    /// A node before the graph's own, to a new tensor; returns its name.
    pub(super) fn fed(&mut self, op: &str, inputs: &[&str], cast: Option<DataType>) -> String {
        let first = inputs.first().copied().unwrap_or_default();
        let output = self.free_name(&format!("{first}/{op}/out"));
        self.feed(op, inputs, &output, cast);
        output
    }

    fn plain_node(
        &mut self,
        op: &str,
        inputs: &[&str],
        output: &str,
        cast: Option<DataType>,
    ) -> NodeProto {
        let attributes = cast.map(|to| int("to", i64::from(to.code())));
        let inputs = inputs.iter().map(|&name| name.to_owned()).collect();
        self.node(op, inputs, output, attributes.into_iter().collect())
    }

    /// A new output: the rows of `from`, floats `[batch, width]`, at unit length.
    pub(super) fn unit_length(&mut self, from: &str, canonical: &str, width: usize) -> String {
        let [unit, square, sum, length] = ["", "/square", "/sum", "/length"]
            .map(|end| self.free_name(&format!("{canonical}{end}")));
        let nodes = [
            self.plain_node("Mul", &[from, from], &square, None),
            self.with_axes("ReduceSum", square, &sum, &[1]),
            self.plain_node("Sqrt", &[&sum], &length, None),
            self.plain_node("Div", &[from, &length], &unit, None),
        ];
        self.behind.extend(nodes);
        let dims = [
            Dimension::Named("batch".to_owned()),
            Dimension::Fixed(width as i64),
        ];
        self.graph.output.push(port(&unit, &dims));
        self.is_changed = true;
        unit
    }

    /// A constant of one float.
    pub(super) fn number(&mut self, hint: &str, value: f32) -> String {
        let name = self.free_name(&format!("{hint}/number"));
        self.graph.initializer.push(TensorProto {
            name: name.clone(),
            data_type: Some(DataType::Float32.code()),
            float_data: vec![value],
            ..TensorProto::default()
        });
        name
    }

    /// The model, where anything was changed.
    pub(super) fn finish(self) -> Option<Model> {
        if !self.is_changed {
            return None;
        }
        let Self {
            mut proto,
            mut graph,
            mut before,
            mut behind,
            ..
        } = self;
        before.append(&mut graph.node);
        before.append(&mut behind);
        graph.node = before;
        proto.graph = Some(graph);
        Some(Model::from_proto(proto))
    }

    fn replace_input(&mut self, own: &str, port: &ValueInfoProto) {
        for info in &mut self.graph.input {
            if info.name == own {
                *info = port.clone();
            }
        }
    }

    fn replace_output(&mut self, own: &str, port: ValueInfoProto) {
        for info in &mut self.graph.output {
            if info.name == own {
                *info = port.clone();
            }
        }
    }

    fn free_name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 1_usize;
        while !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        name
    }

    fn node(
        &mut self,
        op: &str,
        input: Vec<String>,
        output: &str,
        attribute: Vec<AttributeProto>,
    ) -> NodeProto {
        NodeProto {
            name: self.free_name(&format!("{output}/{op}")),
            op_type: op.to_owned(),
            input,
            output: vec![output.to_owned()],
            attribute,
            ..NodeProto::default()
        }
    }

    /// The nodes that lead from one name to the other.
    fn chain(&mut self, from: &str, to: &str, steps: &[Step]) -> Vec<NodeProto> {
        self.is_changed = true;
        let mut nodes = Vec::new();
        let mut from = from.to_owned();
        for (at, step) in steps.iter().enumerate() {
            let output = if at + 1 == steps.len() {
                to.to_owned()
            } else {
                self.free_name(&format!("{to}/{at}"))
            };
            let node = match step {
                Step::Cast(to) => {
                    if !to.is_float() && *to != DataType::Bool {
                        let rounded = self.free_name(&format!("{output}/rounded"));
                        nodes.push(self.node("Round", vec![from], &rounded, Vec::new()));
                        from = rounded;
                    }
                    let to = int("to", i64::from(to.code()));
                    self.node("Cast", vec![from], &output, vec![to])
                }
                Step::First { scalar } => {
                    let dims = if *scalar { vec![] } else { vec![1] };
                    let index = self.whole_numbers(&output, dims, vec![0]);
                    self.node("Gather", vec![from, index], &output, vec![int("axis", 0)])
                }
                Step::Complement => {
                    let one = self.number(&output, 1.0);
                    self.node("Sub", vec![one, from], &output, Vec::new())
                }
                Step::Transpose(order) => {
                    let order = ints("perm", order);
                    self.node("Transpose", vec![from], &output, vec![order])
                }
                Step::Unsqueeze(axes) => self.with_axes("Unsqueeze", from, &output, axes),
                Step::Squeeze(axes) => self.with_axes("Squeeze", from, &output, axes),
            };
            nodes.push(node);
            from = output;
        }
        nodes
    }

    /// The axes are an input from operator set 13 on.
    fn with_axes(&mut self, op: &str, from: String, to: &str, axes: &[usize]) -> NodeProto {
        if self.opset < 13 {
            return self.node(op, vec![from], to, vec![ints("axes", axes)]);
        }
        let values: Vec<i64> = axes.iter().map(|&axis| axis as i64).collect();
        let axes = self.whole_numbers(to, vec![values.len() as i64], values);
        self.node(op, vec![from, axes], to, Vec::new())
    }

    pub(super) fn whole_numbers(&mut self, hint: &str, dims: Vec<i64>, values: Vec<i64>) -> String {
        let name = self.free_name(&format!("{hint}/axes"));
        self.graph.initializer.push(TensorProto {
            name: name.clone(),
            dims,
            data_type: Some(DataType::Int64.code()),
            int64_data: values,
            ..TensorProto::default()
        });
        name
    }
}

pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: Some(AttributeType::Int.into()),
        i: Some(value),
        ..AttributeProto::default()
    }
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: Some(AttributeType::Ints.into()),
        ints: values.iter().map(|&value| value as i64).collect(),
        ..AttributeProto::default()
    }
}

fn port(name: &str, dims: &[Dimension]) -> ValueInfoProto {
    port_of(name, DataType::Float32, dims)
}

pub(super) fn port_of(name: &str, data_type: DataType, dims: &[Dimension]) -> ValueInfoProto {
    let dim = |dim: &Dimension| match dim {
        Dimension::Fixed(n) => Some(DimensionValue::DimValue(*n)),
        Dimension::Named(name) => Some(DimensionValue::DimParam(name.clone())),
        Dimension::Unknown => None,
    };
    ValueInfoProto::tensor(name, data_type, Some(dims.iter().map(dim).collect()))
}

fn collect_names(graph: &GraphProto, names: &mut HashSet<String>) {
    let infos = graph.input.iter().chain(&graph.output);
    names.extend(infos.map(|info| info.name.clone()));
    names.extend(graph.initializer.iter().map(|tensor| tensor.name.clone()));
    for node in &graph.node {
        names.extend(node.output.iter().chain(&node.input).cloned());
        names.insert(node.name.clone());
        for attribute in &node.attribute {
            let bodies = attribute.g.iter().map(AsRef::as_ref);
            for body in bodies.chain(&attribute.graphs) {
                collect_names(body, names);
            }
        }
    }
}
