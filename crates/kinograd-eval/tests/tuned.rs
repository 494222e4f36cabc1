//! The scales that methods are run with are those that the stored reports chose.

use std::path::{Path, PathBuf};

use kinograd::Method;
use kinograd::guidance::TunedOn;
use kinograd_eval::bench::{ImageTuneReport, TuneReport};

fn report(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../assets/bench")
        .join(name)
}

#[test]
fn tuned_scales_are_the_reports() {
    let stored = TuneReport::read(&report("tuned.json")).unwrap();
    assert!(!stored.methods.is_empty());
    for tuned in &stored.methods {
        assert_eq!(tuned.method.tuned_scale(TunedOn::Path), tuned.scale);
        let best = tuned.tried.iter().map(|trial| trial.objective);
        assert_eq!(tuned.objective, best.fold(f64::INFINITY, f64::min));
    }
    assert_eq!(Method::None.tuned_scale(TunedOn::Path), 1.0);
    for name in ["tuned_image.json", "tuned_image_text.json"] {
        let stored = ImageTuneReport::read(&report(name)).unwrap();
        assert!(!stored.methods.is_empty());
        for tuned in &stored.methods {
            let scale = tuned.method.tuned_scale(tuned.goal.tuned_on());
            let off = (scale / tuned.scale - 1.0).abs();
            assert!(off < 1e-12, "{} {}: {scale}", tuned.method, tuned.goal);
        }
    }
}
