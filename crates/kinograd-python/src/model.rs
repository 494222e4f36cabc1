//! Model packages on engines.

use std::path::PathBuf;

use kinograd::runtime::{EngineOptions, RuntimeError};
use kinograd::task::DEFAULT_MODEL;
use kinograd::{Error, Method, MotionGenerator, Task};
use pyo3::prelude::*;

use crate::clip::Clip;
use crate::error::{Failure, detached, refused, refused_task};
use crate::loss::PythonLoss;
use crate::seat::Seat;
use crate::task::parse_task;
use crate::watch::{Raised, Watcher};

/// A model package on an engine. Any thread may call it; one run is done after the other.
#[pyclass(frozen, module = "kinograd._kinograd")]
pub(crate) struct Model {
    seat: Seat,
    info: String,
}

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (folder, engine, provider, library, threads))]
    fn new(
        py: Python<'_>,
        folder: Option<String>,
        engine: &str,
        provider: &str,
        library: Option<PathBuf>,
        threads: usize,
    ) -> PyResult<Self> {
        let bad = |error: RuntimeError| refused(error.to_string());
        let options = EngineOptions {
            engine: engine.parse().map_err(bad)?,
            provider: provider.parse().map_err(bad)?,
            library,
            threads,
        };
        let opened = detached(py, || {
            kinograd::use_threads(threads)?;
            let folder = folder.as_deref().unwrap_or(DEFAULT_MODEL);
            Ok(MotionGenerator::open(folder, &options)?)
        });
        let generator = opened?;
        Ok(Self {
            info: info(&generator),
            seat: Seat::new(generator),
        })
    }

    /// What the package says of itself and which engine runs it, as JSON.
    #[getter]
    fn info_json(&self) -> &str {
        &self.info
    }

    /// Clips of a task. `progress(done, total)` is called at each step; `loss` gets joints
    /// `[batch, frames, 22, 3]` and returns values `[batch]` and their gradient.
    #[pyo3(signature = (task, progress, loss))]
    fn generate(
        &self,
        py: Python<'_>,
        task: &str,
        progress: Option<Py<PyAny>>,
        loss: Option<Py<PyAny>>,
    ) -> PyResult<Vec<Clip>> {
        let task = parse_task(task)?;
        if loss.is_some() {
            check_takes_losses(&task)?;
        }
        let raised = Raised::default();
        let mut watcher = Watcher {
            progress,
            raised: raised.clone(),
            total: 0,
        };
        let made = detached(py, || {
            self.seat.with_generator(|generator| {
                let made = run(generator, &task, loss, &mut watcher);
                made.map_err(|error| raised.take().map_or(Failure::Ours(error), Failure::Raised))
            })
        });
        made?.into_iter().map(Clip::new).collect()
    }
}

fn run(
    generator: &mut MotionGenerator,
    task: &Task,
    loss: Option<Py<PyAny>>,
    watcher: &mut Watcher,
) -> Result<Vec<kinograd::Clip>, Error> {
    let Some(function) = loss else {
        if task.optimization.is_some() {
            return Ok(generator.optimize(task, watcher)?.clips);
        }
        return generator.generate(task, watcher);
    };
    let raised = watcher.raised.clone();
    let mut make = |decoder| {
        let function = Python::attach(|py| function.clone_ref(py));
        let raised = raised.clone();
        let loss = PythonLoss {
            function,
            decoder,
            raised,
        };
        Ok(Box::new(loss) as Box<dyn kinograd::guidance::Loss>)
    };
    generator.generate_with(task, &mut make, watcher)
}

fn check_takes_losses(task: &Task) -> PyResult<()> {
    if task.guidance.method == Method::None {
        return Err(refused_task("guidance.method", "`none` follows no losses"));
    }
    if task.optimization.is_some() {
        let message = "an optimisation takes no losses from Python; its rewards are in the task";
        return Err(refused_task("optimization", message));
    }
    Ok(())
}

fn info(generator: &MotionGenerator) -> String {
    let engine = generator.engine();
    let document = serde_json::json!({
        "schema": "kinograd.model/1",
        "package": generator.manifest(),
        "engine": {
            "name": engine.engine,
            "version": engine.version,
            "provider": engine.provider,
            "library": engine.library.as_ref().map(|path| path.to_string_lossy()),
            "threads": engine.threads,
            "notes": engine.notes,
        },
    });
    document.to_string()
}
