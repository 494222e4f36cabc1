//! Step sizes that [`tune`](super::tune) chose.

use std::sync::LazyLock;

use super::tune::TuneReport;
use crate::Method;

static TUNED: LazyLock<Option<TuneReport>> =
    LazyLock::new(|| serde_json::from_str(include_str!("tuned.json")).ok());

/// The tuned strength of a method, in multiples of the method's own step; 1 for what was not
/// tuned.
#[must_use]
pub fn tuned_scale(method: Method) -> f64 {
    let tuned = TUNED.as_ref().and_then(|report| report.scale_of(method));
    tuned.unwrap_or(1.0)
}
