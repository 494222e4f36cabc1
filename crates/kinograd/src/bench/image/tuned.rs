//! Step sizes that [`tune_image`](super::tune_image) chose.

use std::sync::LazyLock;

use super::protocol::ImageGoal;
use super::tune::ImageTuneReport;
use crate::Method;

/// One report or more, of different goals.
static TUNED: LazyLock<Vec<ImageTuneReport>> =
    LazyLock::new(|| serde_json::from_str(include_str!("tuned.json")).unwrap_or_default());

/// The tuned strength of a method on pictures, in multiples of the method's own step; 1 for what
/// was not tuned.
#[must_use]
pub fn tuned_image_scale(method: Method, goal: ImageGoal) -> f64 {
    let mut tuned = TUNED
        .iter()
        .filter_map(|report| report.scale_of(method, goal));
    tuned.next().unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_report_is_read() {
        for goal in ImageGoal::ALL {
            let tuned = |report: &ImageTuneReport| report.scale_of(Method::Dps, goal).is_some();
            assert_eq!(TUNED.iter().filter(|report| tuned(report)).count(), 1);
        }
        for tuned in TUNED.iter().flat_map(|report| &report.methods) {
            assert!(tuned.scale > 0.0);
            assert_eq!(tuned_image_scale(tuned.method, tuned.goal), tuned.scale);
            let best = tuned.tried.iter().map(|trial| trial.objective);
            assert_eq!(tuned.objective, best.fold(f64::INFINITY, f64::min));
        }
        assert_eq!(tuned_image_scale(Method::None, ImageGoal::Text), 1.0);
    }
}
