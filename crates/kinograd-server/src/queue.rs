//! The way to the one generator: a bounded queue.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::control::Control;
use crate::error::{ApiError, Code};
use crate::gltf::Document;
use crate::plan::Plan;

/// What comes of a request.
pub(crate) type Outcome = Result<Document, ApiError>;

/// Something for the generator.
pub(crate) struct Work {
    pub plan: Plan,
    pub control: Arc<Control>,
    pub reply: oneshot::Sender<Outcome>,
    /// The request that it belongs to, for log lines.
    pub span: tracing::Span,
}

/// Where work is put.
#[derive(Clone)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Work>,
}

/// Work that was put in; dropped, it is cancelled.
pub(crate) struct Pending {
    receiver: oneshot::Receiver<Outcome>,
    pub control: Arc<Control>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.control.cancel();
    }
}

impl Queue {
    /// A queue of so many places.
    pub(crate) fn new(places: usize) -> (Self, mpsc::Receiver<Work>) {
        let (sender, receiver) = mpsc::channel(places.max(1));
        (Self { sender }, receiver)
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    /// Puts a plan in, or says that there is no place.
    pub(crate) fn submit(&self, plan: Plan) -> Result<Pending, ApiError> {
        let (work, pending) = prepare(plan);
        self.sender.try_send(work).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ApiError::new(
                Code::ResourceExhausted,
                format!("{} requests wait already", self.sender.max_capacity()),
            ),
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        Ok(pending)
    }

    /// Puts a plan in as soon as there is a place.
    pub(crate) async fn submit_in_turn(&self, plan: Plan) -> Result<Pending, ApiError> {
        let (work, pending) = prepare(plan);
        self.sender.send(work).await.map_err(|_| stopped())?;
        Ok(pending)
    }
}

fn prepare(plan: Plan) -> (Work, Pending) {
    let (reply, receiver) = oneshot::channel();
    let control = Arc::new(Control::default());
    let work = Work {
        plan,
        control: control.clone(),
        reply,
        span: tracing::Span::current(),
    };
    (work, Pending { receiver, control })
}

fn stopped() -> ApiError {
    ApiError::new(Code::ModelUnavailable, "the generator has stopped")
}

impl Pending {
    /// What comes of it, within a time.
    pub(crate) async fn outcome(mut self, within: Duration) -> Outcome {
        match tokio::time::timeout(within, &mut self.receiver).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(stopped()),
            Err(_) => Err(ApiError::new(
                Code::Timeout,
                format!("no answer within {} s", within.as_secs_f64()),
            )),
        }
    }
}
