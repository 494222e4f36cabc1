//! What all requests share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;

use crate::config::Config;
use crate::error::ApiError;
use crate::idempotency::Idempotency;
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::model::ModelInfo;
use crate::plan::Plan;
use crate::queue::Queue;
use crate::request::Request;
use crate::task::plan_of;

/// What all requests share.
pub(crate) struct State {
    pub config: Config,
    pub model: ModelInfo,
    pub queue: Queue,
    pub jobs: Jobs,
    pub idempotency: Idempotency,
    pub metrics: Arc<Metrics>,
    pub stopping: Arc<AtomicBool>,
}

impl State {
    /// What is to be made for a body.
    pub(crate) fn plan(&self, value: &Value) -> Result<Plan, ApiError> {
        let request = Request::read(value, &self.model, &self.config.limits)?;
        plan_of(request, &self.model)
    }
}
