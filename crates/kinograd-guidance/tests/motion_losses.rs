//! Losses on joints: against torch, against central differences in f64, through the features, and
//! sample by sample.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kinograd_guidance::{
    Barrier, DecodedMotion, Derivative, Facing, FacingTarget, FootContact, ForwardDistance, Frame,
    GroundPenetration, GuidanceError, JointHeight, JointTarget, JumpHeight, KeyPose, Keyframes,
    LoopClosure, Loss, MotionDecoder, MotionGradient, MotionLoss, MotionLossAdapter, NoSkate,
    Origin, PersonDistance, PoseSimilarity, Reduction, Region, RootPathAsMotion, Shape, Smoothness,
    Span, Speed, Trajectory, joint_index,
};
use kinograd_motion::{FEATURES, JOINTS, MotionRepresentation, Normalizer, RootForm};
use kinograd_testkit::{Golden, Tolerance, assert_close, central_difference};
use ndarray::{Array1, Array3, ArrayD, Axis, Ix3, IxDyn, Slice, array};

fn golden() -> Golden {
    Golden::new("guidance_motion_losses")
}

fn motion() -> DecodedMotion {
    DecodedMotion {
        joints_m: golden().f64("joints").into_dimensionality::<Ix3>().unwrap(),
        headings_rad: golden().list("headings"),
        fps: 20.0,
    }
}

fn points<const D: usize>(name: &str) -> Vec<[f64; D]> {
    let flat = golden().list(name);
    flat.chunks(D).map(|row| row.try_into().unwrap()).collect()
}

fn span(from: usize, to: usize) -> Span {
    Span {
        from: Some(from),
        to: Some(to),
    }
}

fn sphere() -> Shape {
    Shape::Sphere {
        center_m: [0.1, 0.3, 0.0],
        radius_m: 0.4,
    }
}

type Named = (&'static str, Box<dyn MotionLoss>);

/// Every loss under its golden's name.
fn losses() -> Vec<Named> {
    let hands = vec![joint_index("left_wrist").unwrap(), 21];
    let around = |barrier, margin_m| Region::avoid(sphere(), hands.clone(), barrier, margin_m);
    let chomp = Barrier::SignedDistance {
        weight: 5.0,
        reach_m: 0.3,
    };
    let hinge = Barrier::Hinge { weight: 7.0 };
    let squared = Barrier::SquaredHinge { weight: 7.0 };
    let capsule = Shape::Capsule {
        from_m: [-0.4, 0.0],
        to_m: [0.5, 0.3],
        radius_m: 0.2,
    };
    let key = points::<3>("key");
    let key_pose = |frame: usize, joints: &[[f64; 3]]| KeyPose {
        frame: Frame::At(frame),
        joints: joints.iter().copied().enumerate().collect(),
    };
    let target = |joint, frame, position: [Option<f64>; 3], origin| {
        Box::new(JointTarget::new(joint, frame, position, origin).unwrap())
    };
    let all = |p: [f64; 3]| p.map(Some);
    vec![
        (
            "joint_world",
            target(20, Frame::At(3), all([0.2, 1.0, -0.3]), Origin::World),
        ),
        (
            "joint_masked",
            target(15, Frame::Last, [None, Some(1.4), None], Origin::World),
        ),
        (
            "joint_offset",
            target(21, Frame::At(2), all([0.1, 0.0, 0.2]), Origin::Joint(15)),
        ),
        (
            "joint_body",
            target(20, Frame::At(4), all([0.3, 0.9, 0.2]), Origin::Body),
        ),
        (
            "keyframes",
            Box::new(
                Keyframes::new(vec![
                    key_pose(1, &key[..JOINTS]),
                    key_pose(5, &key[JOINTS..]),
                ])
                .unwrap(),
            ),
        ),
        (
            "trajectory",
            Box::new(RootPathAsMotion(
                Trajectory::new(1, points("path")).unwrap(),
            )),
        ),
        (
            "sphere_sigmoid",
            Box::new(around(Barrier::PUBLISHED, 0.0).unwrap()),
        ),
        ("sphere_hinge", Box::new(around(hinge, 0.1).unwrap())),
        (
            "sphere_squared",
            Box::new(around(squared, 0.1).unwrap().reduced(Reduction::Mean)),
        ),
        ("sphere_chomp", Box::new(around(chomp, 0.0).unwrap())),
        (
            "capsule_chomp",
            Box::new(Region::avoid(capsule, vec![0], chomp, 0.0).unwrap()),
        ),
        (
            "keep_in",
            Box::new(Region::keep_in(sphere(), hands.clone(), squared, 0.05).unwrap()),
        ),
        (
            "facing_heading",
            Box::new(Facing::new(FacingTarget::Heading(0.7), span(2, 4)).unwrap()),
        ),
        (
            "facing_point",
            Box::new(Facing::new(FacingTarget::Point([0.9, -0.4]), Span::ALL).unwrap()),
        ),
        ("speed", Box::new(Speed::new(1.3, Span::ALL).unwrap())),
        ("no_skate", Box::new(NoSkate::default())),
        (
            "foot_contact",
            Box::new(FootContact::new(11, 0.015, span(2, 5)).unwrap()),
        ),
        ("ground", Box::new(GroundPenetration::new(0.1).unwrap())),
        (
            "acceleration",
            Box::new(Smoothness(Derivative::Acceleration)),
        ),
        ("jerk", Box::new(Smoothness(Derivative::Jerk))),
        (
            "pose",
            Box::new(PoseSimilarity::new(points("pose_m"), span(1, 3)).unwrap()),
        ),
        ("loop", Box::new(LoopClosure::default())),
        ("loop_in_place", Box::new(LoopClosure { in_place: true })),
        (
            "person",
            Box::new(PersonDistance::new(points("other"), 0.6, Some(0.9)).unwrap()),
        ),
        ("jump_height", Box::new(JumpHeight)),
        (
            "joint_height",
            Box::new(JointHeight::new(vec![20, 21], span(2, 5)).unwrap()),
        ),
        ("forward_distance", Box::new(ForwardDistance)),
    ]
}

fn evaluate(loss: &dyn MotionLoss, motion: &DecodedMotion, weight: f64) -> (f64, MotionGradient) {
    let mut gradient = MotionGradient::zeros(motion.frames());
    let value = loss.accumulate(motion, weight, &mut gradient).unwrap();
    (value, gradient)
}

#[test]
fn every_loss_follows_torch() {
    let golden = golden();
    let tolerance = Tolerance::Within {
        absolute: 1e-9,
        relative: 1e-9,
    };
    for (name, loss) in losses() {
        let (value, gradient) = evaluate(loss.as_ref(), &motion(), 1.0);
        // The last three are rewards with the sign turned.
        assert!(value != 0.0, "{name}");
        assert_close(&array![value].into_dyn(), &golden.f64(name), tolerance);
        let joints = golden.f64(&format!("{name}_joints"));
        assert_close(&gradient.joints.into_dyn(), &joints, tolerance);
        let headings = golden.f64(&format!("{name}_headings"));
        assert_close(
            &Array1::from(gradient.headings).into_dyn(),
            &headings,
            tolerance,
        );
    }
}

#[test]
fn every_gradient_is_the_difference_quotient() {
    const STEP: f64 = 1e-6;
    for (name, loss) in losses() {
        let base = motion();
        let (_, gradient) = evaluate(loss.as_ref(), &base, 1.7);
        let scale = gradient.joints.iter().fold(1.0_f64, |m, g| m.max(g.abs()));
        let mut moved = base.clone();
        let mut check = |at: &mut dyn FnMut(&mut DecodedMotion, f64), got: f64, place: String| {
            let mut value = |offset: f64| {
                moved.clone_from(&base);
                at(&mut moved, offset);
                evaluate(loss.as_ref(), &moved, 0.0).0
            };
            let quotient = 1.7 * (value(STEP) - value(-STEP)) / (2.0 * STEP);
            let error = (quotient - got).abs();
            assert!(
                error < 1e-6 * scale,
                "{name}, {place}: {got}, not {quotient}"
            );
        };
        for ((frame, joint, axis), &got) in gradient.joints.indexed_iter() {
            let mut at = |motion: &mut DecodedMotion, offset: f64| {
                motion.joints_m[[frame, joint, axis]] += offset;
            };
            check(
                &mut at,
                got,
                format!("frame {frame}, joint {joint}, axis {axis}"),
            );
        }
        for (frame, &got) in gradient.headings.iter().enumerate() {
            let mut at = |motion: &mut DecodedMotion, offset: f64| {
                motion.headings_rad[frame] += offset;
            };
            check(&mut at, got, format!("heading {frame}"));
        }
    }
}

fn normalizer() -> Normalizer {
    let mut mean = Array1::zeros(FEATURES);
    mean[2] = 0.06;
    mean[3] = 0.5;
    let std = Array1::from_shape_fn(FEATURES, |i| if i < 3 { 0.02 } else { 0.3 });
    Normalizer::new(mean, std).unwrap()
}

fn clip(batch: usize, frames: usize) -> ArrayD<f32> {
    ArrayD::from_shape_fn(IxDyn(&[batch, frames, FEATURES]), |index| {
        let (b, t, c) = (index[0] as f32, index[1] as f32, index[2] as f32);
        (0.7 * b + 0.9 * t + 1.3 * c).sin()
    })
}

/// Root and positions: the columns that joints are decoded from.
const USED: usize = 67;

#[test]
fn gradients_reach_the_features() {
    let x0 = clip(1, 7);
    for (name, loss) in losses() {
        // The sigmoid is too steep for quotients in f32.
        if name == "sphere_sigmoid" {
            continue;
        }
        let decoder = MotionDecoder::new(normalizer(), vec![7]);
        let mut loss = MotionLossAdapter::new(decoder)
            .with(0.5, Shared(loss))
            .unwrap();
        let got = loss.value_and_grad(&x0).unwrap();
        let mut root = x0.slice_axis(Axis(2), Slice::from(..USED)).into_owned();
        root = root.as_standard_layout().into_owned();
        let f = |root: &ArrayD<f32>| {
            let mut x0 = x0.clone();
            x0.slice_axis_mut(Axis(2), Slice::from(..USED)).assign(root);
            loss.value_and_grad(&x0).unwrap().values[0]
        };
        let expected = central_difference(f, &root, 1e-3);
        let used = got.gradient.slice_axis(Axis(2), Slice::from(..USED));
        let scale = expected.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
        let tolerance = Tolerance::Within {
            absolute: 2e-3 * scale.max(1e-3),
            relative: 0.0,
        };
        assert_close(used, &expected, tolerance);
        let rest = got.gradient.slice_axis(Axis(2), Slice::from(USED..));
        assert!(rest.iter().all(|&g| g == 0.0), "{name}");
    }
}

/// A boxed loss as a loss.
struct Shared(Box<dyn MotionLoss>);

impl MotionLoss for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.0.check(frames)
    }
    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        self.0.accumulate(motion, weight, gradient)
    }
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let x0 = clip(3, 9);
    let lengths = vec![9, 7, 8];
    let run = |loss: Box<dyn MotionLoss>, x0: &ArrayD<f32>, lengths: Vec<usize>| {
        let decoder = MotionDecoder::new(normalizer(), lengths);
        let mut loss = MotionLossAdapter::new(decoder)
            .with(1.0, Shared(loss))
            .unwrap();
        loss.value_and_grad(x0).unwrap()
    };
    for index in 0..losses().len() {
        let take = || losses().swap_remove(index).1;
        let batch = run(take(), &x0, lengths.clone());
        for (sample, &length) in lengths.iter().enumerate() {
            let own = x0.slice_axis(Axis(0), Slice::from(sample..=sample));
            let own = own.slice_axis(Axis(1), Slice::from(..length)).into_owned();
            let alone = run(take(), &own, vec![length]);
            assert_eq!(batch.values[sample], alone.values[0]);
            let part = batch.gradient.index_axis(Axis(0), sample);
            let (real, padding) = part.split_at(Axis(0), length);
            assert_eq!(real, alone.gradient.index_axis(Axis(0), 0));
            assert!(padding.iter().all(|&g| g == 0.0));
        }
    }
}

#[test]
fn closed_forms() {
    // A body that walks along +Z at 1.2 m/s and faces there.
    let joints_m = Array3::from_shape_fn((5, JOINTS, 3), |(frame, joint, axis)| match axis {
        2 => 0.06 * frame as f64,
        1 => 0.04 * joint as f64,
        _ => 0.0,
    });
    let motion = DecodedMotion {
        joints_m,
        headings_rad: vec![0.0; 5],
        fps: 20.0,
    };
    let value = |loss: &dyn MotionLoss| evaluate(loss, &motion, 1.0).0;
    assert!((value(&Speed::new(1.0, Span::ALL).unwrap()) - 0.04).abs() < 1e-12);
    let heading = |angle| Facing::new(FacingTarget::Heading(angle), Span::ALL).unwrap();
    assert!((value(&heading(std::f64::consts::PI)) - 2.0).abs() < 1e-12);
    let ahead = Facing::new(FacingTarget::Point([0.0, 9.0]), Span::ALL).unwrap();
    assert!(value(&ahead).abs() < 1e-12);
    assert!(value(&Smoothness(Derivative::Jerk)) < 1e-12);
    assert!(value(&LoopClosure::default()) < 1e-12);
    let back = LoopClosure { in_place: true };
    assert!((value(&back) - 0.24 * 0.24).abs() < 1e-12);
    let pose = PoseSimilarity::to_frame(&motion, Frame::At(2), Span::ALL).unwrap();
    assert!(value(&pose) < 1e-12);
    let frames = Keyframes::from_clip(motion.joints_m.view(), &[0, 4]).unwrap();
    assert!(value(&frames) < 1e-12);
    assert!((value(&ForwardDistance) + 0.24).abs() < 1e-12);
    // A root on the floor is as deep under its standing height as that is high.
    assert!((value(&JumpHeight) - 0.955).abs() < 1e-12);
    let raised = JointHeight::new(vec![20, 21], Span::ALL).unwrap();
    assert!((value(&raised) + 0.82).abs() < 1e-12);
    // A foot far below its limit stands fully, and skates at the walk's speed.
    let skate = NoSkate::new(vec![(0, 1.0)], 0.01).unwrap();
    assert!((value(&skate) - 1.44).abs() < 1e-9);
    let distance = PersonDistance::new(vec![[3.0, 0.0]], 3.5, None).unwrap();
    let expected: f64 = (0..5)
        .map(|f| (3.0_f64.hypot(0.06 * f64::from(f)) - 3.5).powi(2) / 5.0)
        .sum();
    assert!((value(&distance) - expected).abs() < 1e-12);
}

#[test]
fn bad_input_names_its_field() {
    fn message<T>(result: Result<T, GuidanceError>) -> String {
        result.err().unwrap().to_string()
    }
    let decoder = || MotionDecoder::new(normalizer(), vec![7]);
    let fine = || Speed::new(1.0, Span::ALL).unwrap();
    assert!(message(MotionLossAdapter::new(decoder()).with(-1.0, fine())).contains("weight = -1"));
    let late = Speed::new(1.0, Span::at(7)).unwrap();
    assert!(message(MotionLossAdapter::new(decoder()).with(1.0, late)).contains("speed: frame 7"));
    let late = JointTarget::new(0, Frame::At(99), [Some(0.0); 3], Origin::World).unwrap();
    assert!(message(MotionLossAdapter::new(decoder()).with(1.0, late)).contains("frame 99"));
    assert!(message(span(5, 3).range("x", 9)).contains("span = 5..=3"));
    assert!(message(Speed::new(f64::NAN, Span::ALL)).contains("speed_mps"));
    let unknown = message(joint_index("left_wirst"));
    assert!(
        unknown.contains("left_wirst") && unknown.contains("left_wrist"),
        "{unknown}"
    );
    let free = JointTarget::new(0, Frame::Last, [None; 3], Origin::World);
    assert!(message(free).contains("position_m"));
    let stranger = JointTarget::new(22, Frame::Last, [Some(0.0); 3], Origin::World);
    assert!(message(stranger).contains("joint = 22"));
    let empty = Shape::Polygon {
        points_m: Vec::new(),
    };
    let region = Region::avoid(empty, vec![0], Barrier::PUBLISHED, 0.0);
    assert!(message(region).contains("points_m"));
    let region = Region::keep_in(sphere(), vec![0], Barrier::Hinge { weight: -1.0 }, 0.0);
    assert!(message(region).contains("barrier = -1"));
    assert!(message(JointHeight::new(Vec::new(), Span::ALL)).contains("joints"));
    assert!(message(Keyframes::new(Vec::new())).contains("keyframes"));
    assert!(message(Trajectory::new(0, Vec::new())).contains("path_m"));
    assert!(message(PersonDistance::new(vec![[0.0; 2]], 2.0, Some(1.0))).contains("person"));
    assert!(message(NoSkate::new(Vec::new(), 0.01)).contains("no skate"));
    assert!(message(PoseSimilarity::new(vec![[0.0; 3]], Span::ALL)).contains("pose"));
    let mut loss = MotionLossAdapter::new(decoder()).with(1.0, fine()).unwrap();
    let mut broken = clip(1, 7);
    broken[[0, 2, 1].as_slice()] = f32::NAN;
    assert!(message(loss.value_and_grad(&broken)).contains("`speed` is not finite for sample 0"));
    let short = MotionLossAdapter::new(MotionDecoder::new(normalizer(), vec![3]));
    assert!(message(short.with(1.0, LoopClosure::default())).contains("loop"));
}

#[test]
fn gradients_pass_through_a_root_by_its_place() {
    let absolute = MotionRepresentation::new(normalizer(), RootForm::Absolute);
    let x0 = clip(1, 7);
    let decoder = MotionDecoder::new(absolute.clone(), vec![7]);
    let motion = decoder.motion(&x0, 0).unwrap();
    let relative = absolute.features(x0.index_axis(Axis(0), 0).into_dimensionality().unwrap());
    let relative = normalizer().apply(relative.unwrap().view()).unwrap();
    let relative = relative.insert_axis(Axis(0)).into_dyn();
    let by_velocity = MotionDecoder::new(normalizer(), vec![7]);
    let expected = by_velocity.motion(&relative, 0).unwrap();
    let close = Tolerance::Within {
        absolute: 1e-5,
        relative: 0.0,
    };
    let [motion, expected] = [motion, expected].map(|m| m.joints_m.into_dyn());
    assert_close(&motion, &expected, close);
    let target = || {
        let wrist = joint_index("left_wrist").unwrap();
        JointTarget::new(wrist, Frame::Last, [0.4, 1.0, 0.8].map(Some), Origin::World).unwrap()
    };
    let decoder = || MotionDecoder::new(absolute.clone(), vec![7]);
    let mut loss = MotionLossAdapter::new(decoder())
        .with(1.0, target())
        .unwrap();
    let analytic = loss.value_and_grad(&x0).unwrap().gradient;
    let numeric = central_difference(|x0| loss.value_and_grad(x0).unwrap().values[0], &x0, 1e-2);
    let largest = numeric.iter().fold(0.0_f64, |most, g| most.max(g.abs()));
    for (analytic, numeric) in analytic.iter().zip(&numeric) {
        assert!(
            (f64::from(*analytic) - numeric).abs() < 2e-3 * largest,
            "{analytic} {numeric}"
        );
    }
}
