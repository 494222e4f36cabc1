//! Samples of a batch do not influence each other, whatever their lengths.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kinograd_diffusion::{
    Ddim, Layout, Model, NoObserver, NoiseSchedule, SeededNoise, Spacing, sample,
};
use kinograd_guidance::{
    Circle, Frame, GroundGoals, GuidanceOptions, Method, MotionDecoder, Objective, Obstacles,
    PathObjective, TimeTravel, TimestepInterval, Waypoint,
};
use kinograd_motion::{FEATURES, Normalizer};
use kinograd_testkit::GaussianDenoiser;
use ndarray::{Array1, ArrayD, Axis, Slice};

const FRAMES: usize = 12;

fn run(method: Method, seeds: &[u64], lengths: &[usize], frames: usize) -> ArrayD<f32> {
    let normalizer =
        Normalizer::new(Array1::zeros(FEATURES), Array1::from_elem(FEATURES, 0.05)).unwrap();
    let goals = GroundGoals {
        waypoints: vec![Waypoint {
            position_m: [0.5, 0.4],
            frame: Frame::Last,
        }],
        obstacles: vec![Circle {
            center_m: [0.2, 0.2],
            radius_m: 0.1,
        }],
        ..GroundGoals::default()
    };
    let decoder = MotionDecoder::new(normalizer, lengths.to_vec());
    let options = GuidanceOptions {
        scale: 0.05,
        max_step_rms: Some(0.2),
        ..GuidanceOptions::default()
    };
    let objective = Objective {
        path: Some(PathObjective {
            decoder,
            goals,
            barrier: Obstacles::default(),
        }),
        ..Objective::default()
    };
    let guidance = method.guide(objective, options).unwrap().unwrap();
    let window = TimestepInterval {
        from_timestep: 300.0,
        to_timestep: 700.0,
    };
    let mut guidance = TimeTravel::new(guidance, 2, window).unwrap();
    let mut denoiser = GaussianDenoiser::isotropic(0.1, 0.6);
    let schedule = NoiseSchedule::cosine(1000).unwrap();
    let layout = Layout::with_lengths(&[seeds.len(), frames, FEATURES], lengths.to_vec()).unwrap();
    sample(
        &mut Model::differentiable(&mut denoiser),
        &mut Ddim::new(0.5).unwrap(),
        &schedule.steps(Spacing::Trailing, 8).unwrap(),
        &layout,
        &mut SeededNoise::new(seeds.to_vec()),
        Some(&mut guidance),
        &mut NoObserver,
    )
    .unwrap()
}

#[test]
fn a_batch_of_three_is_three_singles() {
    let (seeds, lengths) = ([4, 9, 2], [12, 7, 10]);
    for method in Method::stepwise() {
        let batch = run(method, &seeds, &lengths, FRAMES);
        for (index, (&seed, &length)) in seeds.iter().zip(&lengths).enumerate() {
            let alone = run(method, &[seed], &[length], length);
            let part = batch.slice_axis(Axis(0), Slice::from(index..=index));
            let part = part.slice_axis(Axis(1), Slice::from(..length));
            assert_eq!(part, alone.view(), "{method}, sample {index}");
        }
    }
}

/// The golden-free set-up of methods that are not in the registry: three samples of two by two.
mod others {
    use super::*;
    use kinograd_diffusion::{Guidance, NoiseLevel, NoiseSource};
    use kinograd_guidance::{
        ClassifierGuidance, ClosureLoss, GradientGuidance, GuidanceError, LinearConstraint,
        LinearProjection, Linearization, Lookahead, Loss, LossValue, NoiseOptimizer, NoiseOptions,
        TimeClassifier,
    };
    use ndarray::array;

    const SHAPE: [usize; 2] = [2, 2];

    /// ‖x − 1‖⁴ per sample.
    fn quartic() -> impl Loss {
        ClosureLoss::new("quartic", |x: &ArrayD<f32>| {
            let mut gradient = x.mapv(|x| x - 1.0);
            let mut values = Vec::new();
            for mut sample in gradient.axis_iter_mut(Axis(0)) {
                let squared = sample.mapv(|g| f64::from(g).powi(2)).sum();
                values.push(squared * squared);
                sample.mapv_inplace(|g| (4.0 * squared * f64::from(g)) as f32);
            }
            Ok((values, gradient))
        })
    }

    struct AsClassifier;

    impl TimeClassifier for AsClassifier {
        fn name(&self) -> &str {
            "classifier"
        }
        fn value_and_grad(
            &mut self,
            x_t: &ArrayD<f32>,
            _: NoiseLevel,
        ) -> Result<LossValue, GuidanceError> {
            quartic().value_and_grad(x_t)
        }
    }

    fn denoiser() -> GaussianDenoiser {
        let covariance = array![
            [1.0, 0.3, 0.1, 0.0],
            [0.3, 0.8, 0.2, 0.1],
            [0.1, 0.2, 0.6, 0.2],
            [0.0, 0.1, 0.2, 0.9]
        ];
        GaussianDenoiser::new(array![0.2, -0.1, 0.4, 0.0], covariance)
    }

    fn same(of: impl Fn(&[u64]) -> ArrayD<f32>) {
        let seeds = [4, 9, 2];
        let batch = of(&seeds);
        assert!(batch.iter().all(|x| x.is_finite()));
        for (index, seed) in seeds.into_iter().enumerate() {
            let alone = of(&[seed]);
            assert_eq!(
                batch.index_axis(Axis(0), index),
                alone.index_axis(Axis(0), 0)
            );
        }
    }

    fn guided(mut guidance: impl Guidance, seeds: &[u64]) -> ArrayD<f32> {
        let schedule = NoiseSchedule::cosine(1000).unwrap();
        sample(
            &mut Model::differentiable(&mut denoiser()),
            &mut Ddim::new(0.5).unwrap(),
            &schedule.steps(Spacing::Trailing, 8).unwrap(),
            &Layout::full(&[seeds.len(), SHAPE[0], SHAPE[1]]).unwrap(),
            &mut SeededNoise::new(seeds.to_vec()),
            Some(&mut guidance),
            &mut NoObserver,
        )
        .unwrap()
    }

    fn options() -> GuidanceOptions {
        GuidanceOptions {
            scale: 0.05,
            max_step_rms: Some(0.2),
            ..GuidanceOptions::default()
        }
    }

    #[test]
    fn classifier_guidance() {
        same(|seeds| {
            guided(
                ClassifierGuidance::new(AsClassifier, options()).unwrap(),
                seeds,
            )
        });
    }

    #[test]
    fn gradient_guidance() {
        for lookahead in [Lookahead::Naive, Lookahead::Loss, Lookahead::Posterior] {
            same(|seeds| {
                let objective = Linearization {
                    gradient: ArrayD::from_elem(vec![seeds.len(), SHAPE[0], SHAPE[1]], 0.5),
                    values: vec![2.0; seeds.len()],
                };
                guided(
                    GradientGuidance::new(lookahead, objective, 0.1, options()).unwrap(),
                    seeds,
                )
            });
        }
    }

    #[test]
    fn linear_projection() {
        same(|seeds| {
            let row = LinearConstraint {
                terms: vec![(0, 1.0), (3, -2.0)],
                value: 0.7,
                variance: 0.01,
            };
            let constraints = vec![vec![row]; seeds.len()];
            guided(
                LinearProjection::new(constraints, GuidanceOptions::default()).unwrap(),
                seeds,
            )
        });
    }

    #[test]
    fn noise_optimisation() {
        same(|seeds| {
            let shape = [seeds.len(), SHAPE[0], SHAPE[1]];
            let mut start = ArrayD::zeros(shape.to_vec());
            SeededNoise::new(seeds.to_vec()).fill(&mut start).unwrap();
            let options = NoiseOptions {
                iterations: 7,
                stay: 0.1,
                decorrelate: 10.0,
                ..NoiseOptions::default()
            };
            let schedule = NoiseSchedule::cosine(1000).unwrap();
            let best = NoiseOptimizer::new(options, quartic()).unwrap().run(
                &mut Model::differentiable(&mut denoiser()),
                &schedule.steps(Spacing::Trailing, 5).unwrap(),
                &Layout::full(&shape).unwrap(),
                start,
                &mut |_, _, _| std::ops::ControlFlow::Continue(()),
            );
            best.unwrap().noise
        });
    }
}
