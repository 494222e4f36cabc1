//! Metrics against NumPy and SciPy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kinograd_motion::{Skeleton, metrics};
use kinograd_testkit::Golden;
use ndarray::{Array2, Array4, Axis, Ix2, Ix4};

fn golden() -> Golden {
    Golden::new("motion_metrics")
}

fn clips() -> Array4<f32> {
    golden().f32("joints").into_dimensionality::<Ix4>().unwrap()
}

fn set(name: &str) -> Array2<f32> {
    golden().f32(name).into_dimensionality::<Ix2>().unwrap()
}

/// Largest |difference|, relative to the values where they exceed 1.
fn assert_near(what: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (index, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let error = (a - b).abs() / b.abs().max(1.0);
        assert!(error <= tolerance, "{what}[{index}]: {a} against {b}");
    }
}

#[test]
fn physics_of_clips() {
    let parents = Skeleton::canonical().parents;
    let clips = clips();
    let over = |measure: &dyn Fn(ndarray::ArrayView3<'_, f32>) -> f64| -> Vec<f64> {
        clips.axis_iter(Axis(0)).map(measure).collect()
    };
    let list = |name: &str| golden().list(name);
    let skate = over(&|clip| metrics::foot_skate_ratio(clip, 20.0));
    assert_near("skate", &skate, &list("skate"), 1e-12);
    let jerk = over(&|clip| metrics::mean_jerk(clip, 20.0));
    assert_near("jerk", &jerk, &list("jerk"), 1e-12);
    let bones = over(&|clip| metrics::bone_length_std_m(clip, &parents));
    assert_near("bone_std", &bones, &list("bone_std"), 1e-12);
    let speed: Vec<f64> = clips
        .axis_iter(Axis(0))
        .map(|clip| metrics::root_speed(clip, 20.0))
        .flat_map(|speed| [speed.mean_mps, speed.median_mps, speed.max_mps])
        .collect();
    assert_near("speed", &speed, &list("speed"), 1e-12);
}

#[test]
fn distances_of_embeddings() {
    let (texts, motions) = (set("texts"), set("motions"));
    let list = |name: &str| golden().list(name);
    let frechet = metrics::frechet_distance(texts.view(), motions.view()).unwrap();
    assert_near("frechet", &[frechet], &list("frechet"), 1e-8);
    let precision =
        [1, 2, 3].map(|k| metrics::r_precision(texts.view(), motions.view(), 32, k).unwrap());
    assert_near("precision", &precision, &list("precision"), 1e-12);
    let multimodal = metrics::multimodal_distance(texts.view(), motions.view()).unwrap();
    assert_near("multimodal", &[multimodal], &list("multimodal"), 1e-12);
    let diversity = metrics::diversity(motions.view());
    assert_near("diversity", &[diversity], &list("diversity"), 1e-12);
    let nearest: Vec<f64> = metrics::nearest_neighbour_distances(motions.view(), texts.view())
        .unwrap()
        .into_iter()
        .flat_map(|(index, distance)| [index as f64, distance])
        .collect();
    assert_near("nearest", &nearest, &list("nearest"), 1e-12);
}
