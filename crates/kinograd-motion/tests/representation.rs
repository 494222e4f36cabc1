//! What a model's numbers are to HumanML3D's features: round trips, closed forms and adjoints.

use kinograd_motion::features::{
    absolute_from_relative, decode_headings, decode_joints, decode_root_path,
    relative_from_absolute, relative_from_absolute_vjp,
};
use kinograd_motion::{FEATURES, MotionRepresentation, Normalizer, RootForm};
use kinograd_testkit::central_difference;
use ndarray::{Array1, Array2, ArrayD, Ix2};

/// Root columns of moderate size, the other columns too.
fn features(frames: usize, seed: f32) -> Array2<f32> {
    Array2::from_shape_fn((frames, FEATURES), |(frame, column)| {
        let wave = (seed + 0.9 * frame as f32 + 2.3 * column as f32).sin();
        0.4 * wave
    })
}

#[test]
fn a_place_is_where_the_columns_say_seen_from_the_first_frame() {
    let absolute = features(9, 0.3);
    let relative = relative_from_absolute(absolute.view()).unwrap();
    let (path, headings) = (
        decode_root_path(relative.view()).unwrap(),
        decode_headings(relative.view()).unwrap(),
    );
    let at = |frame: usize, column: usize| f64::from(absolute[[frame, column]]);
    let (sin, cos) = (-2.0 * at(0, 0)).sin_cos();
    for frame in 0..9 {
        let (x, z) = (at(frame, 1) - at(0, 1), at(frame, 2) - at(0, 2));
        let expected = [x * cos - z * sin, x * sin + z * cos];
        for (axis, expected) in expected.into_iter().enumerate() {
            assert!(
                (path[[frame, axis]] - expected).abs() < 1e-6,
                "{frame} {axis}"
            );
        }
        let turn = -2.0 * (at(frame, 0) - at(0, 0));
        assert!((headings[frame] - turn).abs() < 1e-6, "{frame}");
    }
}

#[test]
fn there_and_back_is_the_same_clip() {
    let relative = features(12, 1.1);
    let start = [0.3, -1.0, 2.0];
    let absolute = absolute_from_relative(relative.view(), start).unwrap();
    for (column, start) in start.into_iter().enumerate() {
        assert!((f64::from(absolute[[0, column]]) - start).abs() < 1e-6);
    }
    let back = relative_from_absolute(absolute.view()).unwrap();
    let joints = [&relative, &back].map(|f| decode_joints(f.view()).unwrap());
    let off = (&joints[0] - &joints[1]).mapv(f64::abs);
    assert!(off.iter().all(|off| *off < 1e-5));
    for frames in [0, 1] {
        let few = features(frames, 0.1);
        let relative = relative_from_absolute(few.view()).unwrap();
        assert_eq!(relative.nrows(), frames);
        assert!(relative.iter().take(3).all(|&velocity| velocity == 0.0));
    }
}

#[test]
fn the_adjoint_agrees_with_finite_differences() {
    let std = Array1::from_shape_fn(FEATURES, |column| 0.5 + 0.01 * (column % 7) as f32);
    let normalizer = Normalizer::new(Array1::from_elem(FEATURES, 0.05), std).unwrap();
    for root in [RootForm::Velocity, RootForm::Absolute] {
        let representation = MotionRepresentation::new(normalizer.clone(), root);
        let x = features(6, 0.7);
        let cotangent = features(6, 2.9).mapv(f64::from);
        let analytic = representation
            .features_vjp(x.view(), cotangent.view())
            .unwrap();
        let value = |moved: &ArrayD<f32>| {
            let moved = moved.view().into_dimensionality::<Ix2>().unwrap();
            let features = representation.features(moved).unwrap();
            (&features.mapv(f64::from) * &cotangent).sum()
        };
        let numeric = central_difference(value, &x.clone().into_dyn(), 4e-3);
        for (at, numeric) in numeric.indexed_iter() {
            let analytic = analytic[[at[0], at[1]]];
            assert!(
                (analytic - numeric).abs() < 1e-3,
                "{root:?} {at:?}: {analytic} {numeric}"
            );
        }
    }
}

#[test]
fn the_adjoint_is_one() {
    // ⟨u, J v⟩ by a difference along v, and ⟨Jᵀu, v⟩.
    let (x, v, u) = (
        features(20, 0.2),
        features(20, 1.4),
        features(20, 3.3).mapv(f64::from),
    );
    let moved = |by: f32| {
        relative_from_absolute((&x + &(by * &v)).view())
            .unwrap()
            .mapv(f64::from)
    };
    let difference = (moved(2e-3) - moved(-2e-3)) / 4e-3;
    let left = (&u * &difference).sum();
    let pulled = relative_from_absolute_vjp(x.view(), u.view()).unwrap();
    let right = (&pulled * &v.mapv(f64::from)).sum();
    assert!(
        (left - right).abs() < 2e-3 * right.abs().max(1.0),
        "{left} {right}"
    );
}
