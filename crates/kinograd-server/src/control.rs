//! How far a request is, and whether anyone still waits for it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use kinograd::{Event, Observer};

/// Shared by who waits and who works.
#[derive(Debug, Default)]
pub(crate) struct Control {
    cancelled: AtomicBool,
    running: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
}

impl Control {
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }

    /// How much is done, 0 to 1.
    pub(crate) fn progress(&self) -> f64 {
        let total = self.total.load(Ordering::Relaxed);
        if total == 0 {
            return 0.0;
        }
        self.done.load(Ordering::Relaxed) as f64 / total as f64
    }
}

/// Follows a run, and stops it where nobody waits or the server stops.
pub(crate) struct Watcher {
    pub control: Arc<Control>,
    pub stopping: Arc<AtomicBool>,
}

impl Observer for Watcher {
    fn event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Started { total, .. } => {
                self.control.running.store(true, Ordering::Relaxed);
                self.control.total.store(*total, Ordering::Relaxed);
            }
            Event::Advanced { done } => self.control.done.store(*done, Ordering::Relaxed),
            Event::Warning(warning) => tracing::info!("{warning}"),
            _ => {}
        }
        if self.control.is_cancelled() || self.stopping.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}
