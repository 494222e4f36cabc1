//! What a job and those who ask for it share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kinograd::Clip;

use super::progress::{kg_job_progress, kg_job_state};
use crate::model::Model;
use crate::status::{Failure, kg_status};

/// A job, for the thread that works and for those that ask.
pub(crate) struct Job {
    model: Arc<Model>,
    cancelled: AtomicBool,
    state: Mutex<State>,
    ended: Condvar,
}

/// How far it is.
#[derive(Default)]
pub(super) struct State {
    pub is_running: bool,
    pub done: u64,
    pub total: u64,
    pub partial: Option<Clip>,
    pub partial_count: u32,
    outcome: Option<Result<Vec<Clip>, Failure>>,
}

impl Job {
    pub fn new(model: Arc<Model>) -> Self {
        Self {
            model,
            cancelled: AtomicBool::new(false),
            state: Mutex::new(State::default()),
            ended: Condvar::new(),
        }
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Whether somebody asked it to stop.
    pub fn cancelled(&self) -> &AtomicBool {
        &self.cancelled
    }

    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.model.wake();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what came of it.
    pub fn end(&self, outcome: Result<Vec<Clip>, Failure>) {
        self.state().outcome = Some(outcome);
        self.ended.notify_all();
    }

    pub fn progress(&self) -> kg_job_progress {
        let state = self.state();
        let (now, clips) = match &state.outcome {
            None if state.is_running => (kg_job_state::Running, 0),
            None => (kg_job_state::Queued, 0),
            Some(Ok(clips)) => (kg_job_state::Done, clips.len()),
            Some(Err(failure)) if failure.status == kg_status::Cancelled => {
                (kg_job_state::Cancelled, 0)
            }
            Some(Err(_)) => (kg_job_state::Failed, 0),
        };
        kg_job_progress {
            struct_size: 0,
            state: now as i32,
            done: state.done,
            total: state.total,
            clip_count: u32::try_from(clips).unwrap_or(u32::MAX),
            partial_count: state.partial_count,
        }
    }

    /// Waits for the end; `None` waits for as long as it takes.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<(), Failure> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.state();
        loop {
            if let Some(outcome) = &state.outcome {
                return outcome.as_ref().map(drop).map_err(Clone::clone);
            }
            let Some(until) = until else {
                let woken = self.ended.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let message = "the job is still at work";
                return Err(Failure::new(kg_status::Timeout, message));
            }
            let woken = self.ended.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub fn clip(&self, index: usize) -> Result<Clip, Failure> {
        let state = self.state();
        let not_yet = || Failure::new(kg_status::NotReady, "the job is still at work");
        let clips = state.outcome.as_ref().ok_or_else(not_yet)?;
        let clips = clips.as_ref().map_err(Clone::clone)?;
        let missing = || {
            let count = clips.len();
            Failure::argument(format!("index is {index}; the job made {count} clips"))
        };
        clips.get(index).cloned().ok_or_else(missing)
    }

    pub fn partial(&self) -> Result<Clip, Failure> {
        let none = || Failure::new(kg_status::NotReady, "no estimate was kept yet");
        self.state().partial.clone().ok_or_else(none)
    }
}
