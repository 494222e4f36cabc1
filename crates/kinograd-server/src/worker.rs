//! The generator's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use kinograd::Error;
use kinograd_files::catch_panic;
use tokio::sync::{mpsc, oneshot};

use crate::answer::answer;
use crate::control::Watcher;
use crate::error::{ApiError, Code};
use crate::metrics::Metrics;
use crate::model::{ClipSource, ModelInfo};
use crate::queue::{Outcome, Work};
use crate::start_error::StartError;

/// What the worker shares with the server.
#[derive(Clone)]
pub(crate) struct Shared {
    pub metrics: Arc<Metrics>,
    /// Set once; nothing is made after.
    pub stopping: Arc<AtomicBool>,
}

/// Opens the generator on a thread of its own, where it stays, and again after a panic; returns once
/// it is open.
pub(crate) fn start<S: ClipSource>(
    open: impl Fn() -> Result<S, Error> + Send + 'static,
    work: mpsc::Receiver<Work>,
    shared: Shared,
) -> Result<(ModelInfo, JoinHandle<()>), StartError> {
    let (opened, is_open) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("generator".to_owned())
        .spawn(move || match open() {
            Ok(source) => {
                if opened.send(Ok(source.info())).is_ok() {
                    serve(source, &open, work, &shared);
                }
            }
            Err(error) => {
                let _ = opened.send(Err(error));
            }
        })
        .map_err(|source| StartError::Thread {
            what: "the generator's thread",
            source,
        })?;
    let gone = |_| Error::Internal("the generator's thread ended".to_owned());
    let info = is_open.blocking_recv().map_err(gone)??;
    Ok((info, thread))
}

fn serve<S: ClipSource>(
    mut source: S,
    open: &dyn Fn() -> Result<S, Error>,
    mut work: mpsc::Receiver<Work>,
    shared: &Shared,
) {
    while let Some(work) = work.blocking_recv() {
        if work.control.is_cancelled() || work.reply.is_closed() {
            shared.metrics.generation("cancelled", 0.0, 0);
            continue;
        }
        let started = Instant::now();
        let made = {
            let _entered = work.span.enter();
            make(&mut source, &work, shared)
        };
        let panicked = made.is_none();
        let outcome = made.unwrap_or_else(|| {
            let message = "a fault of this program; its log has more";
            Err(ApiError::new(Code::InternalError, message))
        });
        let seconds = started.elapsed().as_secs_f64();
        let label = label(&outcome, work.control.is_cancelled());
        let frames = outcome.as_ref().map_or(0, |_| work.plan.frames);
        shared.metrics.generation(label, seconds, frames);
        work.span
            .in_scope(|| tracing::info!(label, seconds, frames, "made"));
        // Nobody may wait for it any more.
        let _ = work.reply.send(outcome);
        if panicked {
            // What the panic left half done is not used again.
            match open() {
                Ok(again) => source = again,
                Err(error) => {
                    tracing::error!("the model cannot be opened again: {error}");
                    return;
                }
            }
        }
    }
}

fn label(outcome: &Outcome, cancelled: bool) -> &'static str {
    match outcome {
        Ok(_) => "ok",
        Err(_) if cancelled => "cancelled",
        Err(error) => error.code.name(),
    }
}

/// What comes of work; none of a panic.
fn make(source: &mut impl ClipSource, work: &Work, shared: &Shared) -> Option<Outcome> {
    if shared.stopping.load(Ordering::Relaxed) {
        return Some(Err(ApiError::from(Error::Cancelled)));
    }
    let mut watcher = Watcher {
        control: work.control.clone(),
        stopping: shared.stopping.clone(),
    };
    let made = catch_panic("kinograd", || {
        let info = source.info();
        let clips = source.make(&work.plan, &mut watcher)?;
        answer(&work.plan, clips, &info)
    });
    match made {
        Ok(made) => Some(made.map_err(|error| {
            if error.is_internal() {
                tracing::error!("{error}");
            }
            ApiError::from(error)
        })),
        Err(panicked) => {
            tracing::error!("{panicked}");
            None
        }
    }
}
