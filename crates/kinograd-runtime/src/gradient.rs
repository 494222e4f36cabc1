//! A model split into a forward that keeps its activations and a backward that reads them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use onnx_grad::{Mode, Model, Request, Seed, Split};
use serde::{Deserialize, Serialize};

use crate::{Engine, ModelSource, RuntimeError, Session, SessionOptions, Tensor};

/// Part of the cache key; raise it when the graphs that onnx-grad writes change.
const REVISION: u32 = 2;

/// One output of a model and its vector–Jacobian product with respect to one input.
///
/// A linearisation costs one forward, each pull-back one backward; the activations stay with the
/// engine in between.
pub struct GradientSession {
    forward: Box<dyn Session>,
    backward: Box<dyn Session>,
    output: String,
    names: Names,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Names {
    /// Activations that the forward gives to the backward.
    saved: Vec<String>,
    /// Inputs of the model that the backward reads too.
    inputs: Vec<String>,
    cotangent: String,
    gradient: String,
    forward_sha256: String,
    backward_sha256: String,
}

/// What a backward needs: see [`GradientSession::backward`].
#[derive(Debug)]
pub struct Activations(Vec<Tensor>);

impl GradientSession {
    /// Differentiates `output` with respect to `input`, or takes the graphs from `cache_dir` if
    /// they were made before.
    ///
    /// # Errors
    /// [`RuntimeError::Gradient`] if the model has an operator without gradient on the way,
    /// otherwise as [`Engine::load`].
    pub fn open(
        engine: &Arc<dyn Engine>,
        model: &ModelSource,
        output: &str,
        input: &str,
        options: &SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let cached = options
            .cache_dir
            .as_ref()
            .map(|cache| folder(cache, model, output, input));
        if let Some(folder) = &cached
            && let Some(pair) = Pair::stored(model, folder)
        {
            match Self::load(engine, pair, output, options) {
                Err(RuntimeError::WrongHash { .. } | RuntimeError::Io { .. }) => {
                    tracing::debug!("making {} anew", folder.display());
                }
                other => return other,
            }
        }
        let pair = Pair::derive(model, output, input, cached.as_deref())?;
        Self::load(engine, pair, output, options)
    }

    fn load(
        engine: &Arc<dyn Engine>,
        pair: Pair,
        output: &str,
        options: &SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let kept = SessionOptions {
            device_outputs: pair.names.saved.clone(),
            ..options.clone()
        };
        // Half of the start of a guided run is the loading of these two.
        let (forward, backward) = std::thread::scope(|scope| {
            let backward = scope.spawn(|| engine.load(&pair.backward, options));
            let forward = engine.load(&pair.forward, &kept);
            (
                forward,
                backward
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            )
        });
        Ok(Self {
            forward: forward?,
            backward: backward?,
            output: output.to_owned(),
            names: pair.names,
        })
    }

    /// The output at `inputs`, and the activations for [`GradientSession::backward`].
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn forward(
        &mut self,
        inputs: &[(&str, &Tensor)],
    ) -> Result<(Tensor, Activations), RuntimeError> {
        let mut outputs = vec![self.output.as_str()];
        outputs.extend(self.names.saved.iter().map(String::as_str));
        let mut results = self.forward.run(inputs, &outputs)?;
        let output = results.remove(0);
        Ok((output, Activations(results)))
    }

    /// `Jᵀ cotangent`, shaped like the input; `inputs` are those of the forward.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn backward(
        &mut self,
        activations: &Activations,
        inputs: &[(&str, &Tensor)],
        cotangent: &Tensor,
    ) -> Result<Tensor, RuntimeError> {
        let saved = self
            .names
            .saved
            .iter()
            .map(String::as_str)
            .zip(&activations.0);
        let again = inputs
            .iter()
            .copied()
            .filter(|(name, _)| self.names.inputs.iter().any(|wanted| wanted == name));
        let all: Vec<(&str, &Tensor)> = saved
            .chain(again)
            .chain(std::iter::once((self.names.cotangent.as_str(), cotangent)))
            .collect();
        let mut results = self.backward.run(&all, &[self.names.gradient.as_str()])?;
        Ok(results.remove(0))
    }
}

/// The two graphs and how they are wired.
struct Pair {
    forward: ModelSource,
    backward: ModelSource,
    names: Names,
}

const FORWARD: &str = "forward.onnx";
const BACKWARD: &str = "backward.onnx";
const NAMES: &str = "names.json";

/// Where a gradient is kept: named by all that it depends on.
fn folder(cache: &Path, model: &ModelSource, output: &str, input: &str) -> PathBuf {
    let version = env!("CARGO_PKG_VERSION");
    let key = format!("{} {output} {input} {version} {REVISION}", model.sha256());
    cache
        .join("gradients")
        .join(&crate::sha256_hex(key.as_bytes())[..32])
}

impl Pair {
    fn stored(model: &ModelSource, folder: &Path) -> Option<Self> {
        let names: Names = serde_json::from_slice(&std::fs::read(folder.join(NAMES)).ok()?).ok()?;
        let source = |file: &str, sha256: &str, part| {
            ModelSource::hashed_file(folder.join(file), sha256).named(part_name(model, part))
        };
        Some(Self {
            forward: source(FORWARD, &names.forward_sha256, "forward"),
            backward: source(BACKWARD, &names.backward_sha256, "backward"),
            names,
        })
    }

    /// Writes the graphs to `folder` too, where one is given.
    fn derive(
        model: &ModelSource,
        output: &str,
        input: &str,
        folder: Option<&Path>,
    ) -> Result<Self, RuntimeError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| RuntimeError::Gradient {
            model: model.name().to_owned(),
            source,
        };
        let split = split(model, output, input)?;
        let (Some(cotangent), Some(gradient)) = (split.cotangents.first(), split.gradients.first())
        else {
            return Err(failed("no gradient came back".into()));
        };
        let forward = split
            .forward
            .to_bytes()
            .map_err(|error| failed(error.into()))?;
        let backward = split
            .backward
            .to_bytes()
            .map_err(|error| failed(error.into()))?;
        let names = Names {
            saved: split
                .saved
                .iter()
                .map(|saved| saved.tensor.name.clone())
                .collect(),
            inputs: split
                .forwarded_inputs
                .iter()
                .map(|input| input.name.clone())
                .collect(),
            cotangent: cotangent.name.clone(),
            gradient: gradient.tensor.name.clone(),
            forward_sha256: crate::sha256_hex(&forward),
            backward_sha256: crate::sha256_hex(&backward),
        };
        if let Some(folder) = folder {
            match store(folder, &forward, &backward, &names) {
                Ok(()) => {
                    return Self::stored(model, folder)
                        .ok_or_else(|| failed("its files vanished from the cache".into()));
                }
                Err(error) => tracing::debug!("cannot keep the gradient: {error}"),
            }
        }
        let source = |bytes: Vec<u8>, part| ModelSource::memory(part_name(model, part), bytes);
        Ok(Self {
            forward: source(forward, "forward"),
            backward: source(backward, "backward"),
            names,
        })
    }
}

fn part_name(model: &ModelSource, part: &str) -> String {
    format!("{} ({part})", model.name())
}

fn split(model: &ModelSource, output: &str, input: &str) -> Result<Split, RuntimeError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| RuntimeError::Gradient {
        model: model.name().to_owned(),
        source,
    };
    let parsed = Model::from_bytes(&model.bytes()?).map_err(|error| failed(error.into()))?;
    let request = Request {
        outputs: vec![Seed::new(output)],
        inputs: vec![input.to_owned()],
        mode: Mode::Split,
        ..Request::default()
    };
    let gradient =
        onnx_grad::differentiate(&parsed, &request).map_err(|error| failed(error.into()))?;
    gradient
        .into_split()
        .ok_or_else(|| failed("no split came back".into()))
}

fn store(
    folder: &Path,
    forward: &[u8],
    backward: &[u8],
    names: &Names,
) -> Result<(), RuntimeError> {
    crate::cache::write_atomically(&folder.join(FORWARD), forward)?;
    crate::cache::write_atomically(&folder.join(BACKWARD), backward)?;
    // Last: its presence says that the others are whole.
    let text = serde_json::to_vec(names).map_err(|error| RuntimeError::PackageFormat {
        path: folder.join(NAMES),
        reason: error.to_string(),
    })?;
    crate::cache::write_atomically(&folder.join(NAMES), &text)
}
