//! `x_kinograd`: what our task language has and the protocol lacks.

use kinograd::{Goal, Method, Obstacle};
use serde::Deserialize;
use serde_json::Value;

use super::form::read;
use crate::error::ApiError;

/// Goals, obstacles and methods of our task language. Their places are in the client's world, as
/// those of constraints; times are seconds.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Extension {
    pub obstacles: Vec<Obstacle>,
    pub goals: Vec<Goal>,
    pub method: Option<Method>,
    /// Weight of the prompt as a loss beside the goals.
    pub text: Option<f64>,
}

impl Extension {
    pub(super) fn read(value: Option<&Value>) -> Result<Self, ApiError> {
        value.map_or_else(|| Ok(Self::default()), |value| read(value, "x_kinograd"))
    }
}
