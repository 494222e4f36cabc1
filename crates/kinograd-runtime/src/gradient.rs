//! A model split into a forward that keeps its activations and a backward that reads them.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use kinograd_files::TemporaryFolder;
use onnx_grad::{Mode, Model, Request, Seed, Split};
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
    /// Where graphs lie that are too large for memory; sessions may read on from their files.
    _files: Option<TemporaryFolder>,
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
            _files: pair.files,
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
    files: Option<TemporaryFolder>,
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
            files: None,
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
        let bytes = (split.forward.to_bytes(), split.backward.to_bytes());
        let (forward, backward) = match bytes {
            (Ok(forward), Ok(backward)) => (forward, backward),
            (Err(onnx_grad::Error::TooLarge { .. }), _)
            | (_, Err(onnx_grad::Error::TooLarge { .. })) => {
                let kept = entry.and_then(|entry| entry.path().parent().map(Path::to_path_buf));
                let parent = kept.unwrap_or_else(std::env::temp_dir);
                return Self::on_disk(model, &split, &parent);
            }
            (Err(error), _) | (_, Err(error)) => return Err(failed(error.into())),
        };
        let (forward_sha256, backward_sha256) =
            (crate::sha256_hex(&forward), crate::sha256_hex(&backward));
        let names = names_of(&split, forward_sha256, backward_sha256);
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
            files: None,
        })
    }

    /// Graphs from 2 GiB on are opened from files that live as long as the session, not from the cache.
    fn on_disk(model: &ModelSource, split: &Split, parent: &Path) -> Result<Self, RuntimeError> {
        let folder = std::fs::create_dir_all(parent)
            .and_then(|()| TemporaryFolder::new_in(parent))
            .map_err(RuntimeError::io("cannot write the gradient to", parent))?;
        let written = |graph: &Model, file: &str, part| {
            let path = folder.path().join(file);
            graph
                .write(&path)
                .map_err(|source| RuntimeError::Gradient {
                    model: model.name().to_owned(),
                    source: source.into(),
                })?;
            Ok::<_, RuntimeError>(ModelSource::file(path)?.named(part_name(model, part)))
        };
        Ok(Self {
            forward: written(&split.forward, FORWARD, "forward")?,
            backward: written(&split.backward, BACKWARD, "backward")?,
            names: names_of(split, String::new(), String::new()),
            files: Some(folder),
        })
    }
}

/// How the graphs are wired.
fn names_of(split: &Split, forward_sha256: String, backward_sha256: String) -> Names {
    let named = |tensor: Option<&onnx_grad::TensorInfo>| {
        tensor.map_or_else(String::new, |tensor| tensor.name.clone())
    };
    let saved = split.saved.iter().map(|saved| saved.tensor.name.clone());
    let inputs = split
        .forwarded_inputs
        .iter()
        .map(|input| input.name.clone());
    Names {
        saved: saved.collect(),
        inputs: inputs.collect(),
        cotangent: named(split.cotangents.first()),
        gradient: named(split.gradients.first().map(|gradient| &gradient.tensor)),
        forward_sha256,
        backward_sha256,
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

#[cfg(all(test, feature = "tract"))]
mod tests {
    use super::*;
    use crate::BuiltIn;
    use ndarray::Array2;

    /// As graphs from 2 GiB on are, with one that is small.
    #[test]
    fn graphs_in_files_give_the_same_gradient() {
        let folder = tempfile::tempdir().unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/foreign/model.onnx");
        let model = ModelSource::file(path).unwrap();
        let engine: Arc<dyn Engine> = Arc::new(BuiltIn::new(1));
        let options = SessionOptions::default();
        let split = split(&model, "y", "x").unwrap();
        let pair = Pair::on_disk(&model, &split, folder.path()).unwrap();
        let mut from_files = GradientSession::load(&engine, pair, "y", &options).unwrap();
        let mut in_memory = GradientSession::open(&engine, &model, "y", "x", &options).unwrap();
        let x = Tensor::from(Array2::from_shape_fn((1, 8), |(_, i)| i as f32 * 0.1));
        let ones = Tensor::from(Array2::<f32>::ones((1, 8)));
        let [one, other] = [&mut from_files, &mut in_memory].map(|session| {
            let (_, kept) = session.forward(&[("x", &x)]).unwrap();
            let pulled = session.backward(&kept, &[("x", &x)], &ones).unwrap();
            pulled.into_f32().unwrap()
        });
        assert_eq!(one, other);
        drop(from_files);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
