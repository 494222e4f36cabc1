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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_report_is_read() {
        let report = TUNED.as_ref().unwrap();
        assert!(!report.methods.is_empty());
        for tuned in &report.methods {
            assert!(tuned.scale > 0.0);
            assert_eq!(tuned_scale(tuned.method), tuned.scale);
            let best = tuned.tried.iter().map(|trial| trial.objective);
            assert_eq!(tuned.objective, best.fold(f64::INFINITY, f64::min));
        }
        assert_eq!(tuned_scale(Method::None), 1.0);
    }
}
