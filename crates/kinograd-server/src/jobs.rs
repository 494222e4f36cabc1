//! Jobs: `Prefer: respond-async` is answered at once, and the clip fetched later.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::control::Control;
use crate::error::{ApiError, Code};
use crate::media::Answer;
use crate::queue::Pending;
use crate::task::random;

/// Jobs by their names.
pub(crate) struct Jobs {
    most: usize,
    keep: Duration,
    jobs: Mutex<BTreeMap<String, Job>>,
}

struct Job {
    control: Arc<Control>,
    done: Option<(Instant, Result<Answer, ApiError>)>,
}

/// How a job is.
pub(crate) enum Status {
    UnderWay(Value),
    Done(Result<Answer, ApiError>),
}

impl Jobs {
    pub(crate) fn new(most: usize, keep: Duration) -> Self {
        Self {
            most,
            keep,
            jobs: Mutex::default(),
        }
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<String, Job>> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.retain(|_, job| {
            job.done
                .as_ref()
                .is_none_or(|(at, _)| at.elapsed() < self.keep)
        });
        jobs
    }

    /// How many are kept.
    pub(crate) fn count(&self) -> usize {
        self.jobs().len()
    }

    /// Notes a job that is under way, and names it. The oldest that is done gives way.
    pub(crate) fn add(&self, pending: &Pending) -> Result<String, ApiError> {
        let mut jobs = self.jobs();
        if jobs.len() >= self.most {
            let done = jobs
                .iter()
                .filter_map(|(id, job)| Some((job.done.as_ref()?.0, id)));
            let Some(oldest) = done.min().map(|(_, id)| id.clone()) else {
                let message = format!("{} jobs are under way already", self.most);
                return Err(ApiError::new(Code::ResourceExhausted, message));
            };
            jobs.remove(&oldest);
        }
        let id = format!("{:016x}{:016x}", random(), random());
        let job = Job {
            control: pending.control.clone(),
            done: None,
        };
        jobs.insert(id.clone(), job);
        Ok(id)
    }

    /// Keeps what came of a job.
    pub(crate) fn finish(&self, id: &str, outcome: Result<Answer, ApiError>) {
        if let Some(job) = self.jobs().get_mut(id) {
            job.done = Some((Instant::now(), outcome));
        }
    }

    /// How a job is.
    pub(crate) fn status(&self, id: &str) -> Option<Status> {
        let jobs = self.jobs();
        let job = jobs.get(id)?;
        if let Some((_, outcome)) = &job.done {
            return Some(Status::Done(outcome.clone()));
        }
        let status = if job.control.is_running() {
            "running"
        } else {
            "queued"
        };
        let progress = job.control.progress();
        Some(Status::UnderWay(
            json!({"id": id, "status": status, "progress": progress}),
        ))
    }

    /// Gives a job up; false where there is none.
    pub(crate) fn cancel(&self, id: &str) -> bool {
        let job = self.jobs().remove(id);
        job.is_some_and(|job| {
            job.control.cancel();
            true
        })
    }
}
