//! Losses against torch, and their gradients on features against central differences.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kinograd_guidance::{
    Barrier, Circle, Embedding, EmbeddingPullBack, Frame, GroundGoals, GuidanceError, Loss,
    MotionDecoder, Obstacles, PathLoss, Reduction, RootPathLossAdapter, RootTarget, SumLoss,
    TextSimilarity, Waypoint, Waypoints,
};
use kinograd_motion::{FEATURES, Normalizer};
use kinograd_testkit::{Golden, Tolerance, assert_close, central_difference};
use ndarray::{Array1, Array2, ArrayD, Axis, Ix2, IxDyn, Slice, array};

fn circles(golden: &Golden) -> Vec<Circle> {
    let rows = golden.f64("circles").into_dimensionality::<Ix2>().unwrap();
    rows.outer_iter()
        .map(|row| Circle {
            center_m: [row[0], row[1]],
            radius_m: row[2],
        })
        .collect()
}

#[test]
fn path_losses_follow_torch() {
    let golden = Golden::new("guidance_losses");
    let path = golden.f64("path").into_dimensionality::<Ix2>().unwrap();
    let target = golden.list("target");
    let target = [target[0], target[1]];
    let rows = golden
        .f64("waypoint_rows")
        .into_dimensionality::<Ix2>()
        .unwrap();
    let waypoints = rows.outer_iter().map(|row| Waypoint {
        position_m: [row[1], row[2]],
        frame: Frame::At(row[0] as usize),
    });
    let around = |barrier, margin_m, reduction| -> Box<dyn PathLoss> {
        let obstacles = Obstacles::new(barrier, margin_m, reduction).unwrap();
        Box::new(obstacles.around(circles(&golden)))
    };
    let hinge = Barrier::Hinge { weight: 7.0 };
    let squared = Barrier::SquaredHinge { weight: 7.0 };
    let losses: [(&str, Box<dyn PathLoss>); 7] = [
        (
            "target_last",
            Box::new(RootTarget::new(target, Frame::Last).unwrap()),
        ),
        (
            "target_12",
            Box::new(RootTarget::new(target, Frame::At(12)).unwrap()),
        ),
        (
            "waypoints",
            Box::new(Waypoints::new(waypoints.collect()).unwrap()),
        ),
        (
            "sigmoid_sum",
            around(Barrier::PUBLISHED, 0.0, Reduction::Sum),
        ),
        (
            "sigmoid_mean_margin",
            around(Barrier::PUBLISHED, 0.2, Reduction::Mean),
        ),
        ("hinge", around(hinge, 0.1, Reduction::Sum)),
        ("squared_hinge", around(squared, 0.1, Reduction::Mean)),
    ];
    let tolerance = Tolerance::Within {
        absolute: 1e-9,
        relative: 1e-9,
    };
    for (name, loss) in losses {
        let (value, gradient) = loss.value_and_grad(path.view()).unwrap();
        assert_close(&array![value].into_dyn(), &golden.f64(name), tolerance);
        assert_close(
            &gradient.into_dyn(),
            &golden.f64(&format!("{name}_grad")),
            tolerance,
        );
    }
}

/// Normalisation and features that walk in a curve.
fn normalizer() -> Normalizer {
    let mut mean = Array1::zeros(FEATURES);
    mean[2] = 0.06;
    let std = Array1::from_shape_fn(FEATURES, |i| if i < 4 { 0.02 } else { 0.3 });
    Normalizer::new(mean, std).unwrap()
}

fn clip(batch: usize, frames: usize) -> ArrayD<f32> {
    ArrayD::from_shape_fn(IxDyn(&[batch, frames, FEATURES]), |index| {
        let (b, t, c) = (index[0] as f32, index[1] as f32, index[2] as f32);
        (0.7 * b + 0.9 * t + 1.3 * c).sin()
    })
}

fn goals() -> GroundGoals {
    GroundGoals {
        waypoints: vec![
            Waypoint {
                position_m: [0.8, 0.9],
                frame: Frame::Last,
            },
            Waypoint {
                position_m: [0.1, 0.05],
                frame: Frame::At(2),
            },
        ],
        obstacles: vec![Circle {
            center_m: [0.3, 0.3],
            radius_m: 0.2,
        }],
        ..GroundGoals::default()
    }
}

#[test]
fn the_gradient_on_features_is_the_difference_quotient() {
    let x0 = clip(2, 6);
    let decoder = MotionDecoder::new(normalizer(), vec![6, 4]);
    let barrier = Obstacles::new(Barrier::SquaredHinge { weight: 30.0 }, 0.1, Reduction::Sum);
    let loss = RootPathLossAdapter::from_goals(decoder, &goals(), barrier.unwrap()).unwrap();
    let mut loss = SumLoss::new().with(0.5, loss).unwrap();
    let got = loss.value_and_grad(&x0).unwrap();
    assert!(got.values.iter().all(|&value| value > 0.0));
    let f = |x: &ArrayD<f32>| loss.value_and_grad(x).unwrap().values.iter().sum();
    let expected = central_difference(f, &x0, 1e-2);
    assert_close(
        &got.gradient,
        &expected,
        Tolerance::Within {
            absolute: 1e-5,
            relative: 1e-3,
        },
    );
    // The second sample is four frames long: its padding gets nothing.
    let padding = got.gradient.index_axis(Axis(0), 1);
    let padding = padding.slice_axis(Axis(0), Slice::from(4..));
    assert!(padding.iter().all(|&g| g == 0.0));
}

#[test]
fn the_last_frame_is_each_samples_own() {
    let x0 = clip(2, 8);
    let goals = GroundGoals {
        waypoints: vec![Waypoint {
            position_m: [1.0, 1.0],
            frame: Frame::Last,
        }],
        obstacles: Vec::new(),
        ..GroundGoals::default()
    };
    let run = |x0: &ArrayD<f32>, lengths| {
        let decoder = MotionDecoder::new(normalizer(), lengths);
        RootPathLossAdapter::from_goals(decoder, &goals, Obstacles::default())
            .unwrap()
            .value_and_grad(x0)
            .unwrap()
    };
    let batch = run(&x0, vec![8, 5]);
    let alone = x0.slice_axis(Axis(0), Slice::from(1..));
    let alone = run(
        &alone.slice_axis(Axis(1), Slice::from(..5)).into_owned(),
        vec![5],
    );
    assert_eq!(batch.values[1], alone.values[0]);
    let part = batch.gradient.slice_axis(Axis(0), Slice::from(1..));
    assert_eq!(
        part.slice_axis(Axis(1), Slice::from(..5)),
        alone.gradient.view()
    );
}

#[test]
fn bad_goals_name_their_field() {
    let of = |waypoint: [f64; 2], frame, circle: ([f64; 2], f64)| GroundGoals {
        waypoints: vec![Waypoint {
            position_m: waypoint,
            frame,
        }],
        obstacles: vec![Circle {
            center_m: circle.0,
            radius_m: circle.1,
        }],
        ..GroundGoals::default()
    };
    let message = |goals: GroundGoals| goals.check(100).unwrap_err().to_string();
    let fine = ([1.0, 1.0], 0.3);
    assert!(message(of([f64::INFINITY, 0.0], Frame::Last, fine)).contains("target"));
    assert!(message(of([0.0, 3.0], Frame::At(100), fine)).contains("frame 100"));
    assert!(message(of([0.0, 3.0], Frame::Last, ([1.0, 1.0], -0.5))).contains("radius -0.5"));
    assert!(message(of([0.0, 3.0], Frame::Last, ([0.2, 0.0], 0.3))).contains("start"));
    assert!(message(of([1.1, 1.0], Frame::Last, fine)).contains("target"));
    assert!(of([0.0, 3.0], Frame::Last, fine).check(100).is_ok());
    assert!(Obstacles::new(Barrier::PUBLISHED, f64::NAN, Reduction::Sum).is_err());
    assert!(Frame::at_seconds(-1.0, 20.0).is_err());
    assert_eq!(Frame::at_seconds(2.5, 20.0).unwrap(), Frame::At(50));
    let decoder = MotionDecoder::new(normalizer(), vec![9]);
    let mut loss = RootPathLossAdapter::new(decoder);
    let short = loss.value_and_grad(&clip(1, 8));
    assert!(matches!(short, Err(GuidanceError::Shape { .. })));
    assert!(SumLoss::new().with(-1.0, loss).is_err());
}

/// A small network with a curve in it.
struct Toy(Array2<f32>);

impl Embedding for Toy {
    fn linearize<'a>(
        &'a mut self,
        x0: &ArrayD<f32>,
    ) -> Result<(Array2<f32>, EmbeddingPullBack<'a>), Box<dyn std::error::Error + Send + Sync>>
    {
        let flat = x0.clone().into_dimensionality::<Ix2>()?;
        let embedded = flat.dot(&self.0).mapv(f32::sin);
        let slope = flat.dot(&self.0).mapv(f32::cos);
        let weights = &self.0;
        Ok((
            embedded,
            Box::new(move |v| Ok((v * &slope).dot(&weights.t()).into_dyn())),
        ))
    }
}

#[test]
fn text_similarity_is_one_minus_the_cosine() {
    let weights = array![[0.3_f32, -0.5, 0.2], [0.8, 0.1, -0.4]];
    let x0 = array![[0.5_f32, -0.2], [1.0, 0.7]].into_dyn();
    let mut loss = TextSimilarity::new(Toy(weights.clone()), &[2.0, 0.0, 1.0]).unwrap();
    let got = loss.value_and_grad(&x0).unwrap();
    let flat = x0.clone().into_dimensionality::<Ix2>().unwrap();
    for (row, value) in flat
        .dot(&weights)
        .mapv(f32::sin)
        .outer_iter()
        .zip(&got.values)
    {
        let row = row.mapv(f64::from);
        let cosine = (2.0 * row[0] + row[2]) / (5.0_f64.sqrt() * row.dot(&row).sqrt());
        assert!((value - (1.0 - cosine)).abs() < 1e-6);
    }
    let f = |x: &ArrayD<f32>| loss.value_and_grad(x).unwrap().values.iter().sum();
    let expected = central_difference(f, &x0, 3e-3);
    assert_close(
        &got.gradient,
        &expected,
        Tolerance::Within {
            absolute: 2e-4,
            relative: 1e-3,
        },
    );
    assert!(TextSimilarity::new(Toy(weights), &[0.0, 0.0, 0.0]).is_err());
}
