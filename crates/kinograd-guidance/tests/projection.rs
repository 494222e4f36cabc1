//! Projection of root paths: what it promises, in closed form.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;

use kinograd_diffusion::{
    Ddim, DpmSolverPp2m, Layout, Model, NoObserver, NoiseSchedule, Progress, Sampler, SeededNoise,
    Spacing, sample,
};
use kinograd_guidance::goal::{GoalSet, Obstacle, RootTarget, Timeline};
use kinograd_guidance::{
    Circle, ClosureLoss, Frame, GroundGoals, GuidanceOptions, MotionDecoder, PathProjection,
    ProjectionOptions, Waypoint,
};
use kinograd_motion::features::decode_root_path;
use kinograd_motion::{FEATURES, Normalizer};
use kinograd_testkit::{GaussianDenoiser, Golden, RecordedNoise, Tolerance, assert_close};
use ndarray::{Array1, Array2, ArrayD, Axis, Slice, stack};

const FRAMES: usize = 60;

fn normalizer() -> Normalizer {
    let mut mean = Array1::zeros(FEATURES);
    mean[2] = 0.05;
    Normalizer::new(mean, Array1::from_elem(FEATURES, 0.02)).unwrap()
}

fn waypoint(position_m: [f64; 2], frame: Frame) -> Waypoint {
    Waypoint { position_m, frame }
}

fn circle(center_m: [f64; 2], radius_m: f64) -> Circle {
    Circle { center_m, radius_m }
}

/// The root path of a guided sample of white data.
fn run(
    goals: &GroundGoals,
    projection: ProjectionOptions,
    sampler: &mut dyn Sampler,
    seed: u64,
) -> (ArrayD<f32>, Array2<f64>) {
    run_as(&normalizer(), goals, projection, sampler, seed)
}

/// The same of data with another mean and deviation.
fn run_as(
    normalizer: &Normalizer,
    goals: &GroundGoals,
    projection: ProjectionOptions,
    sampler: &mut dyn Sampler,
    seed: u64,
) -> (ArrayD<f32>, Array2<f64>) {
    let decoder = MotionDecoder::new(normalizer.clone(), vec![FRAMES]);
    let mut guidance = PathProjection::new(
        decoder.clone(),
        goals.clone(),
        GuidanceOptions::default(),
        projection,
    )
    .unwrap();
    let mut denoiser = GaussianDenoiser::isotropic(0.0, 0.3);
    let schedule = NoiseSchedule::cosine(1000).unwrap();
    let x0 = sample(
        &mut Model::differentiable(&mut denoiser),
        sampler,
        &schedule.steps(Spacing::Trailing, 10).unwrap(),
        &Layout::full(&[1, FRAMES, FEATURES]).unwrap(),
        &mut SeededNoise::new(vec![seed]),
        Some(&mut guidance),
        &mut NoObserver,
    )
    .unwrap();
    let path = decode_root_path(decoder.features(&x0, 0).unwrap().view()).unwrap();
    (x0, path)
}

fn distance(path: &Array2<f64>, frame: usize, point: [f64; 2]) -> f64 {
    (path[[frame, 0]] - point[0]).hypot(path[[frame, 1]] - point[1])
}

/// Root channels of every `x_{t−1}`, against a NumPy statement.
#[test]
fn the_trajectory_follows_the_statement() {
    let golden = Golden::new("guidance_projection");
    let mean: Array1<f32> = golden.f32("mean").into_iter().collect();
    let normalizer = Normalizer::new(mean, Array1::from_elem(FEATURES, 0.02)).unwrap();
    let goals = GroundGoals {
        waypoints: vec![
            waypoint([0.25, 0.5], Frame::At(10)),
            waypoint([-0.2, 1.0], Frame::Last),
        ],
        obstacles: Vec::new(),
        ..GroundGoals::default()
    };
    for (name, cap, edit_from_alpha_bar) in [
        ("capped", 0.003, 0.9),
        ("network", 1.0, 2.0),
        ("edited", 0.003, 0.1),
    ] {
        let projection = ProjectionOptions {
            cap,
            pull_back: 1.0,
            whole_pull_back_from: 0.0,
            network_from_alpha_bar: 0.0,
            edit_from_alpha_bar,
            ..ProjectionOptions::default()
        };
        let mut guidance = PathProjection::new(
            MotionDecoder::new(normalizer.clone(), vec![24]),
            goals.clone(),
            GuidanceOptions::default(),
            projection,
        )
        .unwrap();
        let mut states = Vec::new();
        let schedule = NoiseSchedule::cosine(1000).unwrap();
        sample(
            &mut Model::differentiable(&mut GaussianDenoiser::isotropic(0.0, 0.3)),
            &mut Ddim::default(),
            &schedule.steps(Spacing::Trailing, 8).unwrap(),
            &Layout::full(&[1, 24, FEATURES]).unwrap(),
            &mut RecordedNoise::new(golden.f32("draw")),
            Some(&mut guidance),
            &mut |progress: &Progress<'_>| {
                let root = progress.x_next.index_axis(Axis(0), 0);
                states.push(root.slice_axis(Axis(1), Slice::from(..3)).to_owned());
                ControlFlow::Continue(())
            },
        )
        .unwrap();
        let views: Vec<_> = states.iter().map(|state| state.view()).collect();
        let got = stack(Axis(0), &views).unwrap();
        let tolerance = Tolerance::Within {
            absolute: 1e-3,
            relative: 0.0,
        };
        assert_close(&got, &golden.f64(name), tolerance);
    }
}

#[test]
fn goals_are_met_and_obstacles_left_whatever_the_sampler() {
    let goals = GroundGoals {
        waypoints: vec![
            waypoint([0.4, 1.2], Frame::At(30)),
            waypoint([-0.3, 2.4], Frame::Last),
        ],
        obstacles: vec![circle([0.2, 0.6], 0.2), circle([0.05, 1.8], 0.25)],
        ..GroundGoals::default()
    };
    let samplers: [&mut dyn Sampler; 3] = [
        &mut Ddim::default(),
        &mut Ddim::new(1.0).unwrap(),
        &mut DpmSolverPp2m::new(),
    ];
    for sampler in samplers {
        for seed in 0..4 {
            let (_, path) = run(&goals, ProjectionOptions::default(), sampler, seed);
            let name = sampler.name();
            for (frame, point) in [(30, [0.4, 1.2]), (FRAMES - 1, [-0.3, 2.4])] {
                let error = distance(&path, frame, point);
                assert!(error < 0.005, "{name}, seed {seed}: {error} m at {frame}");
            }
            for obstacle in &goals.obstacles {
                let nearest = (0..FRAMES)
                    .map(|frame| distance(&path, frame, obstacle.center_m))
                    .fold(f64::INFINITY, f64::min);
                assert!(
                    nearest > obstacle.radius_m,
                    "{name}, seed {seed}: {nearest}"
                );
            }
        }
    }
}

/// Data that does not turn, and is not turned: the path is linear in the velocities, and the
/// minimum-norm change is the same velocity in every frame.
#[test]
fn a_straight_path_is_stretched_evenly() {
    let goals = GroundGoals {
        waypoints: vec![waypoint([0.59, 3.54], Frame::Last)],
        obstacles: Vec::new(),
        ..GroundGoals::default()
    };
    let projection = ProjectionOptions {
        cap: 0.0,
        edit_from_alpha_bar: 2.0,
        turn_weight: 1e-9,
        ..ProjectionOptions::default()
    };
    let none = GroundGoals::default();
    let sampler = &mut Ddim::default();
    let mut std = Array1::from_elem(FEATURES, 0.02);
    std[0] = 1e-6;
    let straight = Normalizer::new(normalizer().mean().clone(), std).unwrap();
    let (plain, _) = run_as(&straight, &none, projection, sampler, 5);
    let (guided, path) = run_as(&straight, &goals, projection, sampler, 5);
    assert!(distance(&path, FRAMES - 1, [0.59, 3.54]) < 0.002);
    // The last frame's velocity leads beyond the clip.
    let change = (&guided - &plain).index_axis_move(Axis(0), 0);
    let plain_path = decode_root_path(
        MotionDecoder::new(straight.clone(), vec![FRAMES])
            .features(&plain, 0)
            .unwrap()
            .view(),
    )
    .unwrap();
    let yaw = kinograd_motion::features::decode_headings(
        MotionDecoder::new(straight.clone(), vec![FRAMES])
            .features(&plain, 0)
            .unwrap()
            .view(),
    )
    .unwrap();
    let gap = [
        (0.59 - plain_path[[FRAMES - 1, 0]]) / 59.0,
        (3.54 - plain_path[[FRAMES - 1, 1]]) / 59.0,
    ];
    for frame in 0..FRAMES - 1 {
        // The even change in the world, in the heading frame of the next pose.
        let (sin, cos) = yaw[frame + 1].sin_cos();
        let expected = [gap[0] * cos - gap[1] * sin, gap[0] * sin + gap[1] * cos];
        for axis in 0..2 {
            let got = f64::from(change[[frame, 1 + axis]]) * 0.02;
            assert!(
                (got - expected[axis]).abs() < 1e-4,
                "frame {frame}, axis {axis}"
            );
        }
        assert!(change[[frame, 0]].abs() < 1e-4);
        assert!((3..FEATURES).all(|channel| change[[frame, channel]] == 0.0));
    }
}

/// Waypoints that a constant change would reach by a jump of 1.2 m/s in one frame: the velocity gives way
/// over a second instead. What is left of 0.3 m/s a frame is the data's own noise.
#[test]
fn a_change_of_velocity_takes_its_time() {
    let goals = GroundGoals {
        waypoints: vec![
            waypoint([0.0, 3.0], Frame::At(30)),
            waypoint([0.0, 4.2], Frame::Last),
        ],
        ..GroundGoals::default()
    };
    let projection = ProjectionOptions {
        cap: 0.0,
        edit_from_alpha_bar: 2.0,
        ..ProjectionOptions::default()
    };
    let sampler = &mut Ddim::default();
    let (plain, _) = run(&GroundGoals::default(), projection, sampler, 5);
    let (guided, path) = run(&goals, projection, sampler, 5);
    assert!(distance(&path, 30, [0.0, 3.0]) < 0.002);
    assert!(distance(&path, FRAMES - 1, [0.0, 4.2]) < 0.002);
    let change = (&guided - &plain).index_axis_move(Axis(0), 0);
    // Forward velocity of the features, m/s: 0.02 m a frame is one.
    let forward = |frame: usize| f64::from(change[[frame, 2]]) * 0.02 * 20.0;
    let jumps = (1..FRAMES - 1).map(|frame| (forward(frame) - forward(frame - 1)).abs());
    let sharpest = jumps.fold(0.0, f64::max);
    assert!(sharpest < 0.1, "{sharpest} m/s in one frame");
    assert!(forward(5) - forward(55) > 1.0);
}

/// A wall of eight circles across the way, alone and with a gap, is walked round or through its gap.
#[test]
fn walls_are_walked_round_by_their_route() {
    let circles = |left_out: &[usize]| -> Vec<Obstacle> {
        (0..8)
            .filter(|index| !left_out.contains(index))
            .map(|index| Obstacle::circle([-1.4 + 0.4 * index as f64, 1.2], 0.25))
            .collect()
    };
    let target = [RootTarget::at_end([0.0, 2.4]).into()];
    let timeline = Timeline::new(FRAMES as f64 / 20.0, 20.0);
    for left_out in [&[][..], &[4, 5]] {
        let obstacles = circles(left_out);
        let goals = GoalSet::new(&target, &obstacles, timeline).path().unwrap();
        assert!(!goals.route.is_empty());
        for seed in 0..4 {
            let (_, path) = run(
                &goals,
                ProjectionOptions::default(),
                &mut Ddim::default(),
                seed,
            );
            assert!(distance(&path, FRAMES - 1, [0.0, 2.4]) < 0.005);
            for circle in &goals.obstacles {
                let nearest = (0..FRAMES).map(|frame| distance(&path, frame, circle.center_m));
                let nearest = nearest.fold(f64::INFINITY, f64::min);
                assert!(nearest > circle.radius_m, "seed {seed}: {nearest}");
            }
        }
    }
}

#[test]
fn met_goals_change_nothing() {
    let none = ProjectionOptions::default();
    let sampler = &mut Ddim::default();
    let (plain, path) = run(&GroundGoals::default(), none, sampler, 2);
    let end = [path[[FRAMES - 1, 0]] + 3.0, path[[FRAMES - 1, 1]] + 3.0];
    let goals = GroundGoals {
        waypoints: Vec::new(),
        obstacles: vec![circle(end, 0.5)],
        ..GroundGoals::default()
    };
    let (guided, _) = run(&goals, none, sampler, 2);
    assert_eq!(plain, guided);
}

#[test]
fn a_path_through_the_middle_passes_on_one_side() {
    let goals = GroundGoals {
        waypoints: vec![waypoint([0.0, 3.0], Frame::Last)],
        obstacles: vec![circle([0.0, 1.5], 0.45)],
        ..GroundGoals::default()
    };
    for seed in 0..6 {
        let (_, path) = run(
            &goals,
            ProjectionOptions::default(),
            &mut Ddim::default(),
            seed,
        );
        let beside: Vec<f64> = (0..FRAMES)
            .filter(|&frame| (path[[frame, 1]] - 1.5).abs() < 0.2)
            .map(|frame| path[[frame, 0]])
            .collect();
        assert!(!beside.is_empty());
        let all = |side: f64| beside.iter().all(|x| side * x > 0.35);
        assert!(all(1.0) || all(-1.0), "seed {seed}: {beside:?}");
    }
}

#[test]
fn a_further_loss_is_followed_besides() {
    let goals = GroundGoals {
        waypoints: vec![waypoint([0.3, 2.0], Frame::Last)],
        obstacles: Vec::new(),
        ..GroundGoals::default()
    };
    let height = |with: bool| {
        let decoder = MotionDecoder::new(normalizer(), vec![FRAMES]);
        let mut guidance = PathProjection::new(
            decoder.clone(),
            goals.clone(),
            GuidanceOptions::default(),
            ProjectionOptions::default(),
        )
        .unwrap();
        if with {
            let loss = ClosureLoss::new("height", |x0: &ArrayD<f32>| {
                let mut gradient = ArrayD::zeros(x0.raw_dim());
                let mut value = 0.0;
                for frame in 0..FRAMES {
                    let offset = x0[[0, frame, 3].as_slice()] - 2.0;
                    gradient[[0, frame, 3].as_slice()] = 2.0 * offset;
                    value += f64::from(offset * offset);
                }
                Ok((vec![value], gradient))
            });
            guidance = guidance.with_loss(1.0, loss).unwrap();
        }
        let mut denoiser = GaussianDenoiser::isotropic(0.0, 0.3);
        let schedule = NoiseSchedule::cosine(1000).unwrap();
        let x0 = sample(
            &mut Model::differentiable(&mut denoiser),
            &mut Ddim::default(),
            &schedule.steps(Spacing::Trailing, 10).unwrap(),
            &Layout::full(&[1, FRAMES, FEATURES]).unwrap(),
            &mut SeededNoise::new(vec![1]),
            Some(&mut guidance),
            &mut NoObserver,
        )
        .unwrap();
        let path = decode_root_path(decoder.features(&x0, 0).unwrap().view()).unwrap();
        assert!(distance(&path, FRAMES - 1, [0.3, 2.0]) < 0.005);
        (0..FRAMES).map(|f| x0[[0, f, 3].as_slice()]).sum::<f32>() / FRAMES as f32
    };
    assert!(height(true) > height(false) + 0.5);
}
