//! Samples of a batch do not influence each other, whatever their lengths.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kinograd_diffusion::{
    Ddim, Layout, Model, NoObserver, NoiseSchedule, SeededNoise, Spacing, sample,
};
use kinograd_guidance::{
    Circle, Frame, GroundGoals, GuidanceOptions, Interval, Method, Obstacles, PathDecoder,
    TimeTravel, Waypoint,
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
    };
    let decoder = PathDecoder::new(normalizer, lengths.to_vec());
    let options = GuidanceOptions {
        scale: 0.05,
        max_move: Some(0.2),
        ..GuidanceOptions::default()
    };
    let guidance = method
        .guide_path(decoder, goals, Obstacles::default(), None, options)
        .unwrap();
    let window = Interval {
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
    for method in Method::ALL {
        let batch = run(method, &seeds, &lengths, FRAMES);
        for (index, (&seed, &length)) in seeds.iter().zip(&lengths).enumerate() {
            let alone = run(method, &[seed], &[length], length);
            let part = batch.slice_axis(Axis(0), Slice::from(index..=index));
            let part = part.slice_axis(Axis(1), Slice::from(..length));
            assert_eq!(part, alone.view(), "{method}, sample {index}");
        }
    }
}
