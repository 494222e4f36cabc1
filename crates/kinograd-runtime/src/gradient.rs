//! A model split into a forward that keeps its activations and a backward that reads them.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use onnx_grad::{Mode, Request, Seed, Split};
use serde::{Deserialize, Serialize};

use crate::cache::{CacheEntry, warn_not_kept};
use crate::{Engine, ModelSource, RuntimeError, Session, SessionOptions, Tensor};

/// Part of the cache key; raise it when the graphs that onnx-grad writes change.
const REVISION: u32 = 3;

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
        let cache = options.cache_dir.as_deref();
        let cached = cache.and_then(|cache| entry(cache, model, output, input));
        if let Some(names) = &cached {
            if let Some(pair) = Pair::stored(model, names) {
                match Self::load(engine, pair, output, options) {
                    Err(RuntimeError::WrongHash { .. } | RuntimeError::Io { .. }) => {
                        tracing::debug!("making {} anew", names.path().display());
                    }
                    other => return other,
                }
            }
            let pair = Pair::derive(model, output, input, Some(names))?;
            match Self::load(engine, pair, output, options) {
                // What was just written cannot be read: without a cache, then.
                Err(RuntimeError::WrongHash { .. } | RuntimeError::Io { .. }) => names.remove(),
                other => return other,
            }
        }
        let pair = Pair::derive(model, output, input, None)?;
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

/// Where a gradient is kept: named by all that it depends on. The entry is `names.json`, which holds
/// the hashes of the graphs beside it.
fn entry(cache: &Path, model: &ModelSource, output: &str, input: &str) -> Option<CacheEntry> {
    let version = env!("CARGO_PKG_VERSION");
    let key = format!("{} {output} {input} {version} {REVISION}", model.sha256());
    let folder = format!("gradients/{}", &crate::sha256_hex(key.as_bytes())[..32]);
    CacheEntry::new(cache, &folder, NAMES, key)
}

impl Pair {
    fn stored(model: &ModelSource, entry: &CacheEntry) -> Option<Self> {
        let names: Names = serde_json::from_slice(&entry.read()?).ok()?;
        let source = |file: &str, sha256: &str, part| {
            let path = entry.path().with_file_name(file);
            ModelSource::hashed_file(path, sha256).named(part_name(model, part))
        };
        Some(Self {
            forward: source(FORWARD, &names.forward_sha256, "forward"),
            backward: source(BACKWARD, &names.backward_sha256, "backward"),
            names,
        })
    }

    /// Keeps the graphs in the cache too, where an entry is given.
    fn derive(
        model: &ModelSource,
        output: &str,
        input: &str,
        entry: Option<&CacheEntry>,
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
        if let Some(entry) = entry {
            match store(entry, &forward, &backward, &names) {
                Ok(()) => {
                    if let Some(stored) = Self::stored(model, entry) {
                        return Ok(stored);
                    }
                }
                Err(error) => warn_not_kept("gradients", entry, &error),
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
    let parsed = model.model()?;
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

fn store(entry: &CacheEntry, forward: &[u8], backward: &[u8], names: &Names) -> io::Result<()> {
    for (name, bytes) in [(FORWARD, forward), (BACKWARD, backward)] {
        let mut file = entry.temporary()?;
        file.write_all(bytes)?;
        file.persist(entry.path().with_file_name(name))
            .map_err(|failed| failed.error)?;
    }
    // Last: its seal says that the others are whole.
    entry.write(&serde_json::to_vec(names)?)
}
