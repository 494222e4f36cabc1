//! ONNX Runtime, loaded from a shared library when the process asks for it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ort::environment::{Environment, GlobalThreadPoolOptions};
use ort::ep::{self, ExecutionProvider, ExecutionProviderDispatch};
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{OutputSelector, RunOptions, SessionInputValue};
use ort::value::{DynTensor, TensorRef};

use super::options::{TOO_LONG, thread_count};
use super::{
    Engine, GraphOptimization, ModelSource, Provider, Session, SessionOptions, check_names,
};
use crate::cache::{CacheEntry, warn_not_kept};
use crate::tensor::Repr;
use crate::{RuntimeError, Tensor};

const NAME: &str = "ONNX Runtime";
/// What is kept in the cache, for warnings.
const GRAPHS: &str = "optimised graphs";

/// The one environment that a process may have.
struct Loaded {
    library: PathBuf,
    environment: Environment,
    pool_threads: usize,
}

static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

/// ONNX Runtime on one provider.
#[derive(Debug)]
pub struct OnnxRuntime {
    library: PathBuf,
    environment: Environment,
    provider: Provider,
    threads: usize,
    pool_threads: usize,
    notes: Vec<String>,
}

impl OnnxRuntime {
    /// Loads the shared library, once per process, and chooses a provider.
    ///
    /// `threads`: for the processor; 0 takes one per core. The sessions of all engines with the
    /// same number share one pool.
    ///
    /// # Errors
    /// [`RuntimeError::LibraryRejected`] if the library is missing, damaged or too old,
    /// [`RuntimeError::LibraryAlreadyLoaded`] if the process already uses another one.
    pub fn new(library: &Path, provider: Provider, threads: usize) -> Result<Self, RuntimeError> {
        let threads = thread_count(threads);
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let current = match loaded.take() {
            Some(current) if same_file(&current.library, library) => current,
            Some(current) => {
                let error = RuntimeError::LibraryAlreadyLoaded {
                    loaded: current.library.clone(),
                    asked: library.to_owned(),
                };
                *loaded = Some(current);
                return Err(error);
            }
            None => load_library(library, threads)?,
        };
        let mut engine = Self {
            library: current.library.clone(),
            environment: current.environment.clone(),
            provider: Provider::Cpu,
            threads,
            pool_threads: current.pool_threads,
            notes: Vec::new(),
        };
        *loaded = Some(current);
        engine.choose_provider(provider);
        Ok(engine)
    }

    /// Takes the first provider that starts: a library may be built with one that this machine
    /// lacks the drivers or the card for.
    fn choose_provider(&mut self, asked: Provider) {
        let has_cuda = ep::CUDA::is_available().unwrap_or(false);
        let has_tensorrt = ep::TensorRT::is_available().unwrap_or(false);
        let wanted: &[(Provider, &str, bool)] = match asked {
            Provider::Cpu => &[],
            Provider::Auto if !has_cuda => &[],
            Provider::Auto | Provider::Cuda => &[(Provider::Cuda, "CUDA", has_cuda)],
            Provider::TensorRt => &[
                (Provider::TensorRt, "TensorRT", has_tensorrt),
                (Provider::Cuda, "CUDA", has_cuda),
            ],
        };
        for &(provider, name, built_in) in wanted {
            let reason = if built_in {
                match self.probe(provider) {
                    Ok(()) => {
                        self.provider = provider;
                        break;
                    }
                    Err(reason) => format!("{name} does not start: {reason}"),
                }
            } else {
                format!(
                    "this ONNX Runtime was built without {name}; \
                     `kinograd runtime install --gpu` fetches one that has it"
                )
            };
            self.notes.push(reason);
        }
        if !self.notes.is_empty() {
            let instead = match self.provider {
                Provider::Cuda => "CUDA",
                _ => "the processor",
            };
            tracing::warn!("{}; running on {instead}", self.notes.join("; "));
        }
    }

    /// Starts a provider on the smallest graph.
    fn probe(&self, provider: Provider) -> Result<(), String> {
        let options = SessionOptions::default();
        let mut builder = self.builder(provider, &options, GraphOptimizationLevel::Disable)?;
        builder
            .commit_from_memory(&identity_model())
            .map(|_| ())
            .map_err(text)
    }

    /// The shared library in use.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// ONNX Runtime's version, such as `"1.31.1"`.
    pub fn version(&self) -> String {
        // "ORT Build Info: git-branch=…" has no number; the library's own name does.
        version_of(&self.library).unwrap_or_else(|| format!("1.{} or later", ort::MINOR_VERSION))
    }

    /// Why another provider than the one asked for is used; empty if it is not.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn builder(
        &self,
        provider: Provider,
        options: &SessionOptions,
        level: GraphOptimizationLevel,
    ) -> Result<SessionBuilder, String> {
        let mut builder = ort::session::Session::builder(&self.environment).map_err(text)?;
        builder = builder.with_optimization_level(level).map_err(text)?;
        if self.threads != self.pool_threads {
            builder = builder.with_independent_thread_pool().map_err(text)?;
            builder = builder.with_intra_threads(self.threads).map_err(text)?;
        }
        let providers = execution_providers(provider, options.cache_dir.as_deref())?;
        if !providers.is_empty() {
            builder = builder.with_execution_providers(providers).map_err(text)?;
        }
        Ok(builder)
    }

    fn session(
        &self,
        provider: Provider,
        model: &ModelSource,
        options: &SessionOptions,
    ) -> Result<ort::session::Session, Failure> {
        let level = level(options.optimization);
        if let Some(path) = model.too_large_for_bytes()? {
            let mut builder = self.builder(provider, options, level)?;
            return Ok(builder.commit_from_file(path).map_err(text)?);
        }
        let saved = match (&options.cache_dir, provider, options.optimization) {
            (Some(folder), Provider::Cpu, GraphOptimization::Extended) => {
                self.saved_graph(folder, model)
            }
            // A GPU provider's optimised graph holds compiled parts that cannot be written.
            _ => None,
        };
        if let Some(saved) = saved.as_ref().filter(|saved| saved.is_whole()) {
            let mut builder = self.builder(provider, options, GraphOptimizationLevel::Disable)?;
            match builder.commit_from_file(saved.path()) {
                Ok(session) => return Ok(session),
                Err(error) => {
                    tracing::debug!("rebuilding {}: {error}", saved.path().display());
                    saved.remove();
                }
            }
        }
        let bytes = model.bytes()?;
        check_contained(&bytes)?;
        let mut not_kept = None;
        if let Some(saved) = saved {
            match self.session_that_is_kept(&saved, &bytes, provider, options) {
                Ok(session) => return Ok(session),
                Err(error) => not_kept = Some((saved, std::io::Error::other(error))),
            }
        }
        let mut builder = self.builder(provider, options, level)?;
        let session = builder.commit_from_memory(&bytes).map_err(text)?;
        // It was not the model's fault.
        if let Some((saved, error)) = not_kept {
            warn_not_kept(GRAPHS, &saved, &error);
        }
        Ok(session)
    }

    /// A session whose optimised graph is kept for the next start.
    fn session_that_is_kept(
        &self,
        saved: &CacheEntry,
        bytes: &[u8],
        provider: Provider,
        options: &SessionOptions,
    ) -> Result<ort::session::Session, String> {
        let temporary = saved.temporary().map_err(|error| error.to_string())?;
        let builder = self.builder(provider, options, level(options.optimization))?;
        let builder = builder
            .with_optimized_model_path(temporary.path())
            .map_err(text)?;
        let mut builder = builder
            .with_config_entry("session.save_model_format", "ORT")
            .map_err(text)?;
        let session = builder.commit_from_memory(bytes).map_err(text)?;
        // The session works whether or not its graph could be kept for the next start.
        if let Err(error) = saved.adopt(temporary) {
            warn_not_kept(GRAPHS, saved, &error);
        }
        Ok(session)
    }

    /// Named by all that the optimised graph depends on.
    fn saved_graph(&self, cache: &Path, model: &ModelSource) -> Option<CacheEntry> {
        let hash: String = model.sha256().chars().take(32).collect();
        let of = format!(
            "ort{}-cpu-extended-{}",
            self.version(),
            std::env::consts::ARCH
        );
        let made_of = format!("{} {of}", model.sha256());
        CacheEntry::new(cache, "graphs", &format!("{hash}-{of}.ort"), made_of)
    }
}

impl Engine for OnnxRuntime {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provider(&self) -> &'static str {
        match self.provider {
            Provider::Auto | Provider::Cpu => "cpu",
            Provider::Cuda => "cuda",
            Provider::TensorRt => "tensorrt",
        }
    }

    fn load(
        &self,
        model: &ModelSource,
        options: &SessionOptions,
    ) -> Result<Box<dyn Session>, RuntimeError> {
        let (session, provider) = match self.session(self.provider, model, options) {
            Err(Failure::Engine(reason)) if self.provider != Provider::Cpu => {
                tracing::warn!(
                    "{} does not start, running on the processor: {reason}",
                    self.provider()
                );
                (self.session(Provider::Cpu, model, options), Provider::Cpu)
            }
            other => (other, self.provider),
        };
        let session = session.map_err(|failure| match failure {
            Failure::Runtime(error) => error,
            Failure::Engine(reason) => RuntimeError::Load {
                model: model.name().to_owned(),
                engine: NAME,
                reason,
            },
        })?;
        let names = |outlets: &[ort::value::Outlet]| {
            outlets
                .iter()
                .map(|outlet| outlet.name().to_owned())
                .collect()
        };
        Ok(Box::new(OrtSession {
            name: model.name().to_owned(),
            inputs: names(session.inputs()),
            outputs: names(session.outputs()),
            on_gpu: provider != Provider::Cpu,
            device_outputs: options.device_outputs.clone(),
            time_limit: options
                .time_limit
                .filter(|_| provider != Provider::TensorRt),
            session,
        }))
    }
}

enum Failure {
    Engine(String),
    Runtime(RuntimeError),
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self::Engine(reason)
    }
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        Self::Runtime(error)
    }
}

/// Refuses weights in other files: ONNX Runtime would look for them in the current folder.
fn check_contained(bytes: &[u8]) -> Result<(), String> {
    onnx_grad::Model::from_bytes(bytes)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

fn load_library(library: &Path, threads: usize) -> Result<Loaded, RuntimeError> {
    let rejected = |reason: String| RuntimeError::LibraryRejected {
        path: library.to_owned(),
        reason,
    };
    let absolute =
        std::path::absolute(library).map_err(RuntimeError::io("cannot resolve", library))?;
    if !absolute.is_file() {
        return Err(rejected("no such file".into()));
    }
    let builder = ort::init_from(&absolute).map_err(|error| rejected(error.to_string()))?;
    let pool = GlobalThreadPoolOptions::default()
        .with_intra_threads(threads)
        .and_then(|pool| pool.with_spin_control(true))
        .map_err(|error| rejected(error.to_string()))?;
    let environment = builder
        .with_name("kinograd")
        .with_telemetry(false)
        .with_global_thread_pool(pool)
        .build()
        .map_err(|error| rejected(error.to_string()))?;
    environment.set_log_level(ort::logging::LogLevel::Warning);
    Ok(Loaded {
        library: absolute,
        environment,
        pool_threads: threads,
    })
}

fn same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn version_of(library: &Path) -> Option<String> {
    let in_text = |text: &str| {
        text.split(|c: char| !c.is_ascii_digit() && c != '.')
            .map(|word| word.trim_matches('.'))
            .find(|word| word.starts_with("1.") && word.split('.').count() == 3)
            .map(str::to_owned)
    };
    let real = library
        .canonicalize()
        .unwrap_or_else(|_| library.to_owned());
    in_text(real.file_name()?.to_str()?).or_else(|| in_text(real.parent()?.file_name()?.to_str()?))
}

/// `y = Identity(x)`, one float.
fn identity_model() -> Vec<u8> {
    use onnx_grad::Model;
    use onnx_grad::proto::{
        DimensionProto, DimensionValue, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
        TensorShapeProto, TensorTypeProto, TypeProto, TypeValue, ValueInfoProto,
    };
    let value = |name: &str| ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto {
            value: Some(TypeValue::TensorType(TensorTypeProto {
                elem_type: Some(onnx_grad::DataType::Float32.code()),
                shape: Some(TensorShapeProto {
                    dim: vec![DimensionProto {
                        value: Some(DimensionValue::DimValue(1)),
                        ..Default::default()
                    }],
                }),
            })),
            ..Default::default()
        }),
        ..Default::default()
    };
    let graph = GraphProto {
        name: "identity".into(),
        node: vec![NodeProto {
            op_type: "Identity".into(),
            input: vec!["x".into()],
            output: vec!["y".into()],
            ..Default::default()
        }],
        input: vec![value("x")],
        output: vec![value("y")],
        ..Default::default()
    };
    let model = ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto {
            version: Some(17),
            ..Default::default()
        }],
        graph: Some(graph),
        ..Default::default()
    };
    // It cannot be too large; an empty file fails the probe, as it should.
    Model::from_proto(model).to_bytes().unwrap_or_default()
}

fn execution_providers(
    provider: Provider,
    cache_dir: Option<&Path>,
) -> Result<Vec<ExecutionProviderDispatch>, String> {
    // Without `error_on_failure` ONNX Runtime would fall back in silence.
    let cuda = || ep::CUDA::default().build().error_on_failure();
    Ok(match provider {
        Provider::Auto | Provider::Cpu => Vec::new(),
        Provider::Cuda => vec![cuda()],
        Provider::TensorRt => {
            let mut tensorrt = ep::TensorRT::default();
            if let Some(folder) = cache_dir {
                let engines = folder.join("tensorrt");
                std::fs::create_dir_all(&engines)
                    .map_err(|error| format!("{}: {error}", engines.display()))?;
                tensorrt = tensorrt
                    .with_engine_cache(true)
                    .with_engine_cache_path(engines.display())
                    .with_timing_cache(true)
                    .with_timing_cache_path(engines.display());
            }
            vec![tensorrt.build().error_on_failure(), cuda()]
        }
    })
}

fn level(optimization: GraphOptimization) -> GraphOptimizationLevel {
    match optimization {
        GraphOptimization::None => GraphOptimizationLevel::Disable,
        GraphOptimization::Basic => GraphOptimizationLevel::Level1,
        GraphOptimization::Extended => GraphOptimizationLevel::Level2,
        GraphOptimization::All => GraphOptimizationLevel::All,
    }
}

fn text<R>(error: ort::Error<R>) -> String {
    error.to_string()
}

struct OrtSession {
    name: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    on_gpu: bool,
    device_outputs: Vec<String>,
    time_limit: Option<Duration>,
    session: ort::session::Session,
}

impl OrtSession {
    fn run_on_host(
        &mut self,
        inputs: &[(&str, &Tensor)],
        outputs: &[&str],
    ) -> ort::Result<Vec<DynTensor>> {
        let mut values: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len());
        for (name, tensor) in inputs {
            values.push((name, input_value(tensor)?));
        }
        if let Some(limit) = self.time_limit {
            // All outputs: options that select some cannot be shared with the thread that waits.
            let options = RunOptions::new()?;
            let session = &mut self.session;
            let mut results = within(limit, &options, || {
                session.run_with_options(values, &options)
            })?;
            return take_outputs(&mut results, outputs);
        }
        let selector = outputs
            .iter()
            .fold(OutputSelector::no_default(), |all, name| all.with(*name));
        let options = RunOptions::new()?.with_outputs(selector);
        let mut results = self.session.run_with_options(values, &options)?;
        take_outputs(&mut results, outputs)
    }

    /// With inputs uploaded once and chosen outputs left on the graphics card.
    fn run_on_device(
        &mut self,
        inputs: &[(&str, &Tensor)],
        outputs: &[&str],
    ) -> ort::Result<Vec<DynTensor>> {
        // A binding reuses its output buffers, and callers keep theirs: one binding per run.
        let mut binding = self.session.create_binding()?;
        for (name, tensor) in inputs {
            match input_value(tensor)? {
                SessionInputValue::ViewMut(value) => binding.bind_input(*name, &*value)?,
                SessionInputValue::View(value) => binding.bind_input(*name, &*value)?,
                SessionInputValue::Owned(value) => binding.bind_input(*name, &value)?,
            }
        }
        let device = MemoryInfo::new(
            AllocationDevice::CUDA,
            0,
            AllocatorType::Device,
            MemoryType::Default,
        )?;
        let host = MemoryInfo::new(
            AllocationDevice::CPU,
            0,
            AllocatorType::Device,
            MemoryType::CPUOutput,
        )?;
        for name in outputs {
            let stays = self.device_outputs.iter().any(|kept| kept == name);
            binding.bind_output_to_device(*name, if stays { &device } else { &host })?;
        }
        let session = &mut self.session;
        let mut results = match self.time_limit {
            Some(limit) => {
                let options = RunOptions::new()?;
                within(limit, &options, || {
                    session.run_binding_with_options(&binding, &options)
                })?
            }
            None => session.run_binding(&binding)?,
        };
        take_outputs(&mut results, outputs)
    }
}

/// Runs a session, and tells it to end when its time is over.
fn within<T>(
    limit: Duration,
    options: &RunOptions,
    run: impl FnOnce() -> ort::Result<T>,
) -> ort::Result<T> {
    let (ended, waiting) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let is_late = waiting
                .recv_timeout(limit)
                .is_err_and(|e| e == RecvTimeoutError::Timeout);
            is_late && options.terminate().is_ok()
        });
        let outcome = run();
        drop(ended);
        let was_late = watch.join().unwrap_or(false);
        match outcome {
            Err(_) if was_late => Err(ort::Error::new(format!(
                "{TOO_LONG} {} s and was stopped (--budget or KINOGRAD_BUDGET takes longer)",
                limit.as_secs_f64()
            ))),
            other => other,
        }
    })
}

impl Session for OrtSession {
    fn inputs(&self) -> &[String] {
        &self.inputs
    }

    fn outputs(&self) -> &[String] {
        &self.outputs
    }

    fn run(
        &mut self,
        inputs: &[(&str, &Tensor)],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, RuntimeError> {
        check_names(
            &self.name,
            "input",
            inputs.iter().map(|(name, _)| *name),
            &self.inputs,
        )?;
        check_names(&self.name, "output", outputs.iter().copied(), &self.outputs)?;
        let results = if self.on_gpu {
            self.run_on_device(inputs, outputs)
        } else {
            self.run_on_host(inputs, outputs)
        };
        let results = results.map_err(|error| RuntimeError::Run {
            model: self.name.clone(),
            engine: NAME,
            reason: error.to_string(),
        })?;
        Ok(results
            .into_iter()
            .map(|value| Tensor(Repr::Ort(value)))
            .collect())
    }
}

fn take_outputs(
    results: &mut ort::session::SessionOutputs<'_>,
    names: &[&str],
) -> ort::Result<Vec<DynTensor>> {
    let take = |name: &&str| {
        let value = results
            .remove(name)
            .ok_or_else(|| ort::Error::new(format!("output `{name}` did not come back")))?;
        value.downcast()
    };
    names.iter().map(take).collect()
}

fn input_value(tensor: &Tensor) -> ort::Result<SessionInputValue<'_>> {
    Ok(match &tensor.0 {
        Repr::F32(array) => TensorRef::from_array_view(array.view())?.into_dyn().into(),
        Repr::I64(array) => TensorRef::from_array_view(array.view())?.into_dyn().into(),
        Repr::F16(array) => TensorRef::from_array_view(array.view())?.into_dyn().into(),
        Repr::Ort(value) => value.into(),
        Repr::Tract(_) => {
            let array = tensor
                .to_f32()
                .map_err(|error| ort::Error::new(error.to_string()))?;
            ort::value::Tensor::from_array(array.into_owned())?
                .into_dyn()
                .into()
        }
    })
}
