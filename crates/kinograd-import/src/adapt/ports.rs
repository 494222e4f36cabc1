//! Which of a graph's tensors is which, and what they fix.

use std::collections::BTreeMap;
use std::path::Path;

use kinograd_runtime::{Manifest, RuntimeError, TimeInput};
use onnx_grad::{DataType, Dimension, TensorInfo};

use super::axes::{Placed, cast_to, described, is_number};
use super::graph::AdaptedGraph;
use super::step::Step;

/// A denoiser's file and tensors, for messages.
pub(super) struct Ports<'a> {
    pub onnx: &'a Path,
    pub inputs: Vec<TensorInfo>,
    pub outputs: Vec<TensorInfo>,
    /// The one batch that some tensor fixes, and which.
    batch: Option<(usize, String)>,
    /// The contract's names of the graph's own.
    pub names: [BTreeMap<String, String>; 2],
}

impl<'a> Ports<'a> {
    pub(super) fn new(onnx: &'a Path, inputs: Vec<TensorInfo>, outputs: Vec<TensorInfo>) -> Self {
        Self {
            onnx,
            inputs,
            outputs,
            batch: None,
            names: [BTreeMap::new(), BTreeMap::new()],
        }
    }

    pub(super) fn refuse(&self, message: impl std::fmt::Display) -> RuntimeError {
        RuntimeError::Request {
            field: "model",
            message: format!("{}: {message}; nothing was added", self.onnx.display()),
        }
    }

    pub(super) fn misfit(&self, kind: &str, tensor: &TensorInfo, expected: &str) -> RuntimeError {
        self.refuse(format!("{kind} {}: expected {expected}", described(tensor)))
    }

    /// The tensor of one of these names, else the only one that fits; the first name is the
    /// contract's.
    pub(super) fn input(
        &self,
        names: &[&str],
        fits: impl Fn(&TensorInfo) -> bool,
    ) -> Option<TensorInfo> {
        find(&self.inputs, names, fits)
    }

    pub(super) fn needed(
        &self,
        canonical: &str,
        found: Option<TensorInfo>,
        expected: &str,
    ) -> Result<TensorInfo, RuntimeError> {
        let listed =
            |tensors: &[TensorInfo]| tensors.iter().map(described).collect::<Vec<_>>().join(", ");
        let tensors = if canonical == "x0" {
            &self.outputs
        } else {
            &self.inputs
        };
        found.ok_or_else(|| {
            self.refuse(format!(
                "cannot tell which tensor is `{canonical}`, {expected}, among {}; name it so when you \
                 export",
                listed(tensors)
            ))
        })
    }

    /// Notes the contract's name of an input (0) or output (1).
    pub(super) fn name(&mut self, side: usize, canonical: &str, own: String) {
        if own != canonical
            && let Some(names) = self.names.get_mut(side)
        {
            names.insert(canonical.to_owned(), own);
        }
    }

    /// Takes a batch that a tensor fixes; two have to agree.
    pub(super) fn fix_batch(
        &mut self,
        tensor: &TensorInfo,
        dim: &Dimension,
    ) -> Result<(), RuntimeError> {
        let Dimension::Fixed(n) = dim else {
            return Ok(());
        };
        let rows = usize::try_from(*n).ok().filter(|&rows| rows > 0);
        let rows = rows.ok_or_else(|| self.misfit("tensor", tensor, "a batch of 1 or more"))?;
        match &self.batch {
            Some((other, by)) if *other != rows => Err(self.refuse(format!(
                "{} has a batch of {rows} and {by} one of {other}; export both with a free batch, or \
                 with the same",
                described(tensor)
            ))),
            _ => {
                self.batch = Some((rows, described(tensor)));
                Ok(())
            }
        }
    }

    pub(super) fn batch(&self) -> Option<usize> {
        self.batch.as_ref().map(|(rows, _)| *rows)
    }

    /// Refuses inputs that nothing feeds.
    pub(super) fn check_others(&self, known: &[&TensorInfo]) -> Result<(), RuntimeError> {
        let is_known = |input: &&TensorInfo| known.iter().any(|known| known.name == input.name);
        match self.inputs.iter().find(|input| !is_known(input)) {
            None => Ok(()),
            Some(other) => Err(self.refuse(format!(
                "input {} is none that a denoiser is given; make it a constant of the graph when you \
                 export",
                described(other)
            ))),
        }
    }
}

pub(super) fn find(
    tensors: &[TensorInfo],
    names: &[&str],
    fits: impl Fn(&TensorInfo) -> bool,
) -> Option<TensorInfo> {
    let named = |name: &&str| tensors.iter().find(|tensor| tensor.name == **name);
    if let Some(found) = names.first().and_then(named) {
        return Some(found.clone());
    }
    let mut fitting = tensors.iter().filter(|tensor| fits(tensor));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only.clone()),
        (None, _) => None,
        // Of several, one of a usual name.
        _ => names
            .iter()
            .skip(1)
            .find_map(named)
            .filter(|t| fits(t))
            .cloned(),
    }
}

/// Names that exporters give the time.
pub(super) const TIME_NAMES: &[&str] = &["timestep", "timesteps", "t", "time", "ts"];

/// Whether a tensor may hold one time per sample, or one for all.
pub(super) fn is_time(tensor: &TensorInfo) -> bool {
    let shape = tensor.shape.as_deref();
    is_number(tensor.data_type)
        && shape.is_some_and(|shape| shape.is_empty() || Placed::find(shape, 1, None).is_some())
}

/// Feeds the time, f32 `[batch]`, to an input of any number type: a scalar, `[1]` or `[batch]`.
pub(super) fn adapt_time(
    ports: &mut Ports<'_>,
    graph: &mut AdaptedGraph,
    time: &TensorInfo,
    batch: &Dimension,
    manifest: &Manifest,
) -> Result<(), RuntimeError> {
    let expected = "one number per sample, [batch], or one for all, [1] or a scalar";
    if !is_number(time.data_type) {
        return Err(ports.misfit("input", time, expected));
    }
    let continuous = manifest.schedule.as_ref().map(|schedule| schedule.time);
    if continuous == Some(TimeInput::Continuous) && !time.data_type.is_float() {
        let expected = "floats: the schedule's time is continuous, from 0 to 1";
        return Err(ports.misfit("input", time, expected));
    }
    let Some(shape) = time.shape.as_deref() else {
        return Err(ports.misfit("input", time, expected));
    };
    let mut steps = Vec::new();
    let mut own_batch = batch.clone();
    let is_one = shape.iter().all(|dim| *dim == Dimension::Fixed(1));
    if shape.is_empty() {
        steps.push(Step::First { scalar: true });
    } else {
        let Some(placed) = Placed::find(shape, 1, None) else {
            return Err(ports.misfit("input", time, expected));
        };
        if is_one && *batch != Dimension::Fixed(1) {
            steps.push(Step::First { scalar: false });
        } else {
            own_batch = placed.dim(shape, 0).clone();
            ports.fix_batch(time, &own_batch)?;
        }
        steps.extend(placed.inward());
    }
    steps.extend(cast_to(time.data_type));
    let name = graph.input(time, "timestep", &[own_batch], &steps);
    ports.name(0, "timestep", name);
    Ok(())
}

/// Refuses what is no tensor of floats.
pub(super) fn check_floats(
    ports: &Ports<'_>,
    kind: &str,
    tensor: &TensorInfo,
) -> Result<(), RuntimeError> {
    if tensor.data_type.is_float() {
        return Ok(());
    }
    Err(ports.misfit(kind, tensor, "floats"))
}

/// Whether whole numbers or truth values may be written to it from floats.
pub(super) fn is_mask_type(data_type: DataType) -> bool {
    is_number(data_type) || data_type == DataType::Bool
}
