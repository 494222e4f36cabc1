//! How a run reports to Python, and how Python stops it.

use std::ffi::CString;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use kinograd::{Event, Observer};
use pyo3::prelude::*;

/// The first exception that a function of the caller's, or a signal's handler, raised in a run.
#[derive(Clone, Default)]
pub(crate) struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    pub fn note(&self, error: PyErr) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
    }

    pub fn take(&self) -> Option<PyErr> {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.take()
    }
}

/// Looks for signals at every event, calls `progress(done, total)` and warns.
pub(crate) struct Watcher {
    pub progress: Option<Py<PyAny>>,
    pub raised: Raised,
    pub total: u64,
}

impl Watcher {
    fn tell(&mut self, py: Python<'_>, event: &Event) -> PyResult<()> {
        py.check_signals()?;
        match event {
            Event::Started { total, .. } => {
                self.total = *total;
                self.report(py, 0)
            }
            Event::Advanced { done } => self.report(py, *done),
            Event::Warning(warning) => {
                let category = py.import("kinograd._errors")?.getattr("KinogradWarning")?;
                let text = CString::new(warning.to_string().replace('\0', "\u{fffd}"))?;
                // The line that called `Model.generate`, which is a function of the package.
                PyErr::warn(py, &category, &text, 2)
            }
            _ => Ok(()),
        }
    }

    fn report(&self, py: Python<'_>, done: u64) -> PyResult<()> {
        if let Some(progress) = &self.progress {
            progress.call1(py, (done, self.total))?;
        }
        Ok(())
    }
}

impl Observer for Watcher {
    fn event(&mut self, event: &Event) -> ControlFlow<()> {
        match Python::attach(|py| self.tell(py, event)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.raised.note(error);
                ControlFlow::Break(())
            }
        }
    }
}
