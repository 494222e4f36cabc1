use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use onnx_grad::{Dimension, Mode, Model, Request, Seed, TensorInfo, Weights};

use crate::{Engine, ModelSource, RuntimeError, Session, SessionOptions, Tensor};

/// Which weights of a model are trained.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WeightChoice {
    /// Those named `….weight` and `….bias`, as exporters name parameters; where there are none, every
    /// float initializer that looks trained.
    #[default]
    Parameters,
    /// Of those, the ones whose names contain one of these texts.
    Containing(Vec<String>),
}

/// A model whose chosen weights are held outside its graphs: forward, and gradients of the weights.
pub struct TrainingSession {
    forward: Box<dyn Session>,
    backward: Box<dyn Session>,
    output: String,
    cotangent: String,
    saved: Vec<String>,
    /// Inputs that the backward reads too, weights among them.
    forwarded: Vec<String>,
    names: Vec<String>,
    weights: Vec<Tensor>,
    gradients: Vec<String>,
}

impl TrainingSession {
    /// Differentiates `output` by the chosen weights. Half-precision weights are held in 32 bits.
    ///
    /// # Errors
    /// [`RuntimeError::Gradient`] if an operator on the way has no gradient or no weight is chosen;
    /// otherwise as [`Engine::load`].
    pub fn open(
        engine: &Arc<dyn Engine>,
        model: &Model,
        name: &str,
        output: &str,
        choice: &WeightChoice,
        options: &SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| RuntimeError::Gradient {
            model: name.to_owned(),
            source,
        };
        let request = Request {
            outputs: vec![Seed::new(output)],
            weights: chosen(model, choice)
                .map_err(|reason| failed(reason.into()))?
                .as_inputs()
                .in_f32(),
            mode: Mode::Split,
            ..Request::default()
        };
        let split = onnx_grad::differentiate(model, &request)
            .map_err(|error| failed(error.into()))?
            .into_split()
            .ok_or_else(|| failed("no split came back".into()))?;
        let names: Vec<String> = split.gradients.iter().map(|g| g.input.clone()).collect();
        let stored = model.weights();
        let weights = names
            .iter()
            .map(|weight| first_value(model, &stored, weight))
            .collect::<Option<Vec<Tensor>>>()
            .ok_or_else(|| failed("a weight has no value".into()))?;
        let kept = SessionOptions {
            cache_dir: None,
            device_outputs: split.saved.iter().map(|s| s.tensor.name.clone()).collect(),
            ..options.clone()
        };
        let load = |part: &str, model: &Model| {
            let bytes = model.to_bytes().map_err(|error| failed(error.into()))?;
            let source = ModelSource::memory(format!("{name} ({part})"), bytes);
            engine.load(&source, &kept_for(part, &kept))
        };
        Ok(Self {
            forward: load("training forward", &split.forward)?,
            backward: load("training backward", &split.backward)?,
            output: output.to_owned(),
            cotangent: split
                .cotangents
                .first()
                .map_or_else(String::new, |cotangent| cotangent.name.clone()),
            saved: kept.device_outputs.clone(),
            forwarded: split
                .forwarded_inputs
                .iter()
                .map(|input| input.name.clone())
                .collect(),
            names,
            weights,
            gradients: split.gradients.into_iter().map(|g| g.tensor.name).collect(),
        })
    }

    /// Names of the trained weights.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Numbers among the trained weights.
    #[must_use]
    pub fn parameters(&self) -> usize {
        let sizes = self
            .weights
            .iter()
            .map(|w| w.shape().iter().product::<usize>());
        sizes.sum()
    }

    /// One forward at `inputs`; `cotangent` makes ∂loss/∂output of the output; then the gradients of
    /// the weights, in the order of [`TrainingSession::names`].
    ///
    /// # Errors
    /// As [`Session::run`], and what `cotangent` returns.
    pub fn gradients<V>(
        &mut self,
        inputs: &[(&str, &Tensor)],
        cotangent: impl FnOnce(ArrayD<f32>) -> Result<(V, ArrayD<f32>), RuntimeError>,
    ) -> Result<(V, Vec<ArrayD<f32>>), RuntimeError> {
        let named = self.names.iter().map(String::as_str).zip(&self.weights);
        let feeds: Vec<(&str, &Tensor)> = inputs.iter().copied().chain(named).collect();
        let mut outputs = vec![self.output.as_str()];
        outputs.extend(self.saved.iter().map(String::as_str));
        let mut results = self.forward.run(&feeds, &outputs)?;
        let saved = results.split_off(1);
        let output = results.remove(0).into_f32()?;
        let (value, cotangent) = cotangent(output)?;
        let cotangent = Tensor::from(cotangent);
        let again = feeds
            .into_iter()
            .filter(|(name, _)| self.forwarded.iter().any(|wanted| wanted == name));
        let all: Vec<(&str, &Tensor)> = self
            .saved
            .iter()
            .map(String::as_str)
            .zip(&saved)
            .chain(again)
            .chain(std::iter::once((self.cotangent.as_str(), &cotangent)))
            .collect();
        let wanted: Vec<&str> = self.gradients.iter().map(String::as_str).collect();
        let gradients = self.backward.run(&all, &wanted)?;
        let gradients = gradients.into_iter().map(Tensor::into_f32);
        Ok((value, gradients.collect::<Result<_, _>>()?))
    }

    /// Changes the weights.
    ///
    /// # Errors
    /// What `change` returns.
    pub fn update<E: From<RuntimeError>>(
        &mut self,
        change: impl FnOnce(&mut [ArrayD<f32>]) -> Result<(), E>,
    ) -> Result<(), E> {
        let weights = std::mem::take(&mut self.weights);
        // They were made of arrays of the host, which comes back without a copy.
        let arrays = weights.into_iter().map(Tensor::into_f32);
        let mut arrays: Vec<ArrayD<f32>> = arrays.collect::<Result<_, _>>()?;
        let changed = change(&mut arrays);
        self.weights = arrays.into_iter().map(Tensor::from).collect();
        changed
    }

    /// Stores the weights in a model of the same graph, rounded to its types.
    ///
    /// # Errors
    /// [`RuntimeError::Gradient`] if the model has other weights.
    pub fn store(&self, model: &mut Model) -> Result<(), RuntimeError> {
        for (name, weight) in self.names.iter().zip(&self.weights) {
            let values: Vec<f32> = weight.to_f32()?.iter().copied().collect();
            let stored = model.set_weight(name, &values);
            stored.map_err(|error| RuntimeError::Gradient {
                model: name.clone(),
                source: error.into(),
            })?;
        }
        Ok(())
    }
}

/// Only the forward gives activations.
fn kept_for(part: &str, options: &SessionOptions) -> SessionOptions {
    let mut options = options.clone();
    if !part.ends_with("forward") {
        options.device_outputs.clear();
    }
    options
}

fn chosen(model: &Model, choice: &WeightChoice) -> Result<Weights, String> {
    let weights = model.weights();
    let is_parameter = |weight: &&TensorInfo| {
        [".weight", ".bias"]
            .iter()
            .any(|end| weight.name.ends_with(end))
    };
    let mut names: Vec<&str> = weights
        .iter()
        .filter(is_parameter)
        .map(|weight| weight.name.as_str())
        .collect();
    let WeightChoice::Containing(texts) = choice else {
        return Ok(if names.is_empty() {
            Weights::all()
        } else {
            Weights::named(names)
        });
    };
    if names.is_empty() {
        names = weights.iter().map(|weight| weight.name.as_str()).collect();
    }
    let known = names.join(", ");
    names.retain(|name| texts.iter().any(|text| name.contains(text)));
    if names.is_empty() {
        return Err(format!(
            "no weight's name contains {}; there are {known}",
            texts.join(" or ")
        ));
    }
    Ok(Weights::named(names))
}

fn first_value(model: &Model, stored: &[TensorInfo], name: &str) -> Option<Tensor> {
    let info = stored.iter().find(|info| info.name == name)?;
    let shape: Option<Vec<usize>> = info
        .shape
        .as_ref()?
        .iter()
        .map(|dimension| match dimension {
            Dimension::Fixed(n) => usize::try_from(*n).ok(),
            _ => None,
        })
        .collect();
    let array = ArrayD::from_shape_vec(IxDyn(&shape?), model.weight(name)?);
    Some(Tensor::from(array.ok()?))
}
