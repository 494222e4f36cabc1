//! The built-in engine: tract, in pure Rust, on the processor.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use tract_onnx::Onnx;
use tract_onnx::pb;
use tract_onnx::prelude::multithread::{Executor, set_threading_panel_threshold};
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::ops::konst::Const;
use tract_onnx::tract_hir::ops::unimpl::UnimplementedOp;

use super::options::thread_count;
use super::{Engine, ModelSource, Session, SessionOptions, check_names};
use crate::tensor::Repr;
use crate::{RuntimeError, Tensor};

const NAME: &str = "the built-in engine";

/// Optimised plans kept per session. A plan holds packed weights, so few are kept; the clips of
/// one run share one batch size and at most a few lengths.
const PLANS: usize = 3;

/// Most whole numbers of an input that may be a shape.
const MAX_RANK: usize = 16;

/// The engine that needs nothing installed.
#[derive(Debug, Clone)]
pub struct BuiltIn {
    executor: Executor,
}

impl BuiltIn {
    /// `threads`: for matrix products; 0 takes one per processor core.
    pub fn new(threads: usize) -> Self {
        let executor = match thread_count(threads) {
            1 => Executor::SingleThread,
            n => {
                // tract's default suits convolutions; a transformer's products have fewer panels.
                set_threading_panel_threshold(4);
                Executor::multithread(n)
            }
        };
        Self { executor }
    }
}

impl Engine for BuiltIn {
    fn name(&self) -> &'static str {
        "built-in"
    }

    fn provider(&self) -> &'static str {
        "cpu"
    }

    fn load(
        &self,
        model: &ModelSource,
        _options: &SessionOptions,
    ) -> Result<Box<dyn Session>, RuntimeError> {
        warn_once();
        let load_error = |reason| RuntimeError::Load {
            model: model.name().to_owned(),
            engine: NAME,
            reason,
        };
        let bytes = model.bytes()?;
        let template = guarded(|| Template::parse(&bytes)).map_err(load_error)?;
        if let Some((node, op)) = template.unsupported() {
            return Err(RuntimeError::UnsupportedOp {
                model: model.name().to_owned(),
                node,
                op,
            });
        }
        Ok(Box::new(TractSession {
            name: model.name().to_owned(),
            template,
            plans: Vec::new(),
            knows_shapes: false,
            options: RunOptions {
                executor: Some(self.executor.clone()),
                ..Default::default()
            },
        }))
    }
}

fn warn_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::warn!(
            "running on the built-in engine, about two to three times slower than ONNX Runtime; \
             `kinograd runtime install` fetches ONNX Runtime"
        );
    });
}

/// Ops that tract runs with wrong results, in some forms.
const WRONG: &[&str] = &["If", "Celu"];

/// A parsed graph whose dimensions are still open.
struct Template {
    graph: InferenceModel,
    /// Name and op of a node that must not be run here.
    wrong: Option<(String, String)>,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

impl Template {
    fn parse(bytes: &[u8]) -> TractResult<Self> {
        let onnx = tract_onnx::onnx();
        let mut proto = onnx.proto_model_for_read(&mut &bytes[..])?;
        let graph = proto
            .graph
            .as_mut()
            .ok_or_else(|| TractError::msg("no graph in the file"))?;
        check_wiring(graph)?;
        let wrong = graph
            .node
            .iter()
            .find(|node| node.domain.is_empty() && WRONG.contains(&node.op_type.as_str()))
            .map(|node| (node.name.clone(), node.op_type.clone()));
        // Exporters record the shapes of their example inputs; they do not hold for others.
        graph.value_info.clear();
        let outputs = graph
            .output
            .iter()
            .map(|output| output.name.clone())
            .collect();
        let graph = Onnx::parse(&onnx, &proto, None)?;
        if let Some(name) = graph.unresolved_inputs.first() {
            return Err(TractError::msg(format!("nothing produces tensor `{name}`")));
        }
        let graph = graph.model;
        let inputs = graph
            .inputs
            .iter()
            .map(|outlet| graph.node(outlet.node).name.clone())
            .collect();
        Ok(Self {
            graph,
            wrong,
            inputs,
            outputs,
        })
    }

    fn unsupported(&self) -> Option<(String, String)> {
        if self.wrong.is_some() {
            return self.wrong.clone();
        }
        let node = self
            .graph
            .nodes()
            .iter()
            .find(|node| node.op_is::<UnimplementedOp>())?;
        let op = node.op.name().into_owned();
        let op = op
            .strip_prefix("Unimplemented(")
            .and_then(|op| op.strip_suffix(')'));
        Some((
            node.name.clone(),
            op.map_or_else(|| node.op.name().into_owned(), str::to_owned),
        ))
    }

    /// The graph for inputs of exactly these shapes, of these values where they are known, giving only these
    /// outputs.
    fn plan(&self, key: &Key, options: &RunOptions) -> TractResult<Plan> {
        let mut graph = self.graph.clone();
        let wanted = key.outputs.iter().map(|name| {
            let found = self.outputs.iter().position(|output| output == name);
            found.and_then(|index| graph.outputs.get(index).copied())
        });
        let wanted: Option<Vec<OutletId>> = wanted.collect();
        let wanted = wanted.ok_or_else(|| TractError::msg("unknown output"))?;
        graph.select_output_outlets(&wanted)?;
        for (index, shape) in key.shapes.iter().enumerate() {
            let fact = graph.input_fact(index)?.clone().with_shape(shape);
            graph.set_input_fact(index, fact)?;
        }
        for (index, value) in &key.known {
            let Some(source) = self.graph.inputs.get(*index) else {
                continue;
            };
            let node = graph.node_mut(source.node);
            node.op = Box::new(Const::new(value.clone())?);
            graph.inputs.retain(|input| input != source);
        }
        graph.into_optimized()?.into_runnable_with_options(options)
    }
}

/// tract trusts that every output and node input has a producer; a damaged file may not.
fn check_wiring(graph: &pb::GraphProto) -> TractResult<()> {
    let mut known: HashSet<&str> = graph
        .input
        .iter()
        .map(|input| input.name.as_str())
        .collect();
    known.extend(graph.initializer.iter().map(|tensor| tensor.name.as_str()));
    known.extend(
        graph
            .node
            .iter()
            .flat_map(|node| node.output.iter().map(String::as_str)),
    );
    match graph
        .output
        .iter()
        .find(|output| !known.contains(output.name.as_str()))
    {
        Some(output) => Err(TractError::msg(format!(
            "nothing produces output `{}`",
            output.name
        ))),
        None => Ok(()),
    }
}

type Plan = std::sync::Arc<TypedRunnableModel>;

#[derive(PartialEq, Clone)]
struct Key {
    shapes: Vec<Vec<usize>>,
    outputs: Vec<String>,
    /// Values of inputs that may be shapes, by their place.
    known: Vec<(usize, Arc<tract_onnx::prelude::Tensor>)>,
}

/// Inputs that may be shapes, as whole numbers: a backward graph gets those of its forward.
fn shapes_among(values: &[TValue]) -> Vec<(usize, Arc<tract_onnx::prelude::Tensor>)> {
    let as_shape = |value: &TValue| {
        let whole = [i64::datum_type(), TDim::datum_type()];
        if !whole.contains(&value.datum_type()) || value.rank() > 1 || value.len() > MAX_RANK {
            return None;
        }
        let numbers = value.cast_to::<i64>().ok()?.into_owned();
        Some(numbers.into_arc_tensor())
    };
    let values = values.iter().enumerate();
    values
        .filter_map(|(index, value)| Some((index, as_shape(value)?)))
        .collect()
}

struct TractSession {
    name: String,
    template: Template,
    /// Most recently used last.
    plans: Vec<(Key, Plan)>,
    /// A plan was possible only for known values of shapes.
    knows_shapes: bool,
    options: RunOptions,
}

impl TractSession {
    fn plan(&mut self, key: Key) -> Result<Plan, RuntimeError> {
        if let Some(at) = self.plans.iter().position(|(known, _)| *known == key) {
            let entry = self.plans.remove(at);
            let plan = entry.1.clone();
            self.plans.push(entry);
            return Ok(plan);
        }
        let plan = guarded(|| self.template.plan(&key, &self.options)).map_err(|reason| {
            RuntimeError::Load {
                model: self.name.clone(),
                engine: NAME,
                reason,
            }
        })?;
        if self.plans.len() == PLANS {
            self.plans.remove(0);
        }
        self.plans.push((key, plan.clone()));
        Ok(plan)
    }
}

impl Session for TractSession {
    fn inputs(&self) -> &[String] {
        &self.template.inputs
    }

    fn outputs(&self) -> &[String] {
        &self.template.outputs
    }

    fn run(
        &mut self,
        inputs: &[(&str, &Tensor)],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, RuntimeError> {
        let asked = inputs.iter().map(|(name, _)| *name);
        check_names(&self.name, "input", asked, &self.template.inputs)?;
        check_names(
            &self.name,
            "output",
            outputs.iter().copied(),
            &self.template.outputs,
        )?;
        let run_error = |name: &str, reason| RuntimeError::Run {
            model: name.to_owned(),
            engine: NAME,
            reason,
        };
        let mut values: TVec<TValue> = tvec!();
        let mut shapes = Vec::new();
        for name in &self.template.inputs {
            let given = inputs.iter().find(|(given, _)| given == name);
            let (_, tensor) =
                given.ok_or_else(|| run_error(&self.name, format!("input `{name}` is missing")))?;
            shapes.push(tensor.shape());
            values.push(value_from_tensor(tensor)?);
        }
        let outputs = outputs.iter().map(|name| (*name).to_owned()).collect();
        let mut key = Key {
            shapes,
            outputs,
            known: Vec::new(),
        };
        let known = shapes_among(&values);
        let plan = if self.knows_shapes && !known.is_empty() {
            key.known = known;
            self.plan(key.clone())?
        } else {
            match self.plan(key.clone()) {
                Err(error) if !known.is_empty() => {
                    key.known = known;
                    let plan = self.plan(key.clone()).map_err(|_| error)?;
                    self.knows_shapes = true;
                    plan
                }
                planned => planned?,
            }
        };
        let is_known = |index: &usize| key.known.iter().any(|(known, _)| known == index);
        let values = values.into_iter().enumerate();
        let values = values.filter(|(index, _)| !is_known(index));
        let values = values.map(|(_, value)| value).collect();
        let results =
            guarded(|| plan.run(values)).map_err(|reason| run_error(&self.name, reason))?;
        Ok(results
            .into_iter()
            .map(|value| Tensor(Repr::Tract(value.into_arc_tensor())))
            .collect())
    }
}

fn value_from_tensor(tensor: &Tensor) -> Result<TValue, RuntimeError> {
    use tract_onnx::prelude::Tensor as TractTensor;
    Ok(match &tensor.0 {
        Repr::F32(array) => TractTensor::from(array.clone()).into_tvalue(),
        Repr::I64(array) => TractTensor::from(array.clone()).into_tvalue(),
        Repr::F16(array) => TractTensor::from(array.clone()).into_tvalue(),
        Repr::Tract(tensor) => TValue::from_const(tensor.clone()),
        Repr::Ort(_) => TractTensor::from(tensor.to_f32()?.into_owned()).into_tvalue(),
    })
}

/// Runs tract code, which asserts in places on graphs it does not expect.
fn guarded<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| format!("{error:#}")),
        Err(payload) => Err(payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()))
            .unwrap_or_else(|| "it panicked".to_owned())),
    }
}
