//! Goals together: what is refused, and what becomes of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error;

use kinograd_guidance::goal::{Goal, GoalSet, Obstacle, Timeline};
use kinograd_guidance::{DecodedMotion, Frame, GuidanceError, Loss, MotionDecoder, Obstacles};
use kinograd_motion::{FEATURES, Normalizer};
use ndarray::{Array1, Array3, ArrayD, IxDyn};

const TIMELINE: Timeline = Timeline {
    duration_secs: 4.0,
    fps: 20.0,
};

fn decoder(frames: usize) -> MotionDecoder {
    let mut mean = Array1::zeros(FEATURES);
    mean[2] = 0.05;
    mean[3] = 0.9;
    let normalizer = Normalizer::new(mean, Array1::from_elem(FEATURES, 0.05)).unwrap();
    MotionDecoder::new(normalizer, vec![frames])
}

/// Goals and obstacles of a clip of 4 s, checked.
fn read(goals: &str, obstacles: &str) -> Result<(Vec<Goal>, Vec<Obstacle>), String> {
    let parsed = |error: serde_json::Error| error.to_string();
    let goals: Vec<Goal> = serde_json::from_str(&format!("[{goals}]")).map_err(parsed)?;
    let obstacles: Vec<Obstacle> =
        serde_json::from_str(&format!("[{obstacles}]")).map_err(parsed)?;
    let checked = GoalSet::new(&goals, &obstacles, TIMELINE).check();
    checked.map_err(|error| message(&error))?;
    Ok((goals, obstacles))
}

fn message(error: &GuidanceError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[test]
fn faults_name_their_place_and_field() {
    let circle = r#"{"kind": "circle", "center_m": [0, 2], "radius_m": 0.5}"#;
    for (goals, obstacles, parts) in [
        (
            r#"{"kind": "root_target", "positon_m": [0, 1]}"#,
            "",
            ["positon_m", "position_m"],
        ),
        (
            r#"{"kind": "root_traget", "position_m": [0, 1]}"#,
            "",
            ["root_traget", "root_target"],
        ),
        (
            r#"{"kind": "speed", "speed_mps": 1}, {"kind": "root_target", "position_m": [0, 1], "weight": -2}"#,
            "",
            ["goals[1]", "weight = -2"],
        ),
        (
            r#"{"kind": "root_target", "position_m": [0, 1], "time_secs": 4.2}"#,
            "",
            ["goals[0]", "time_secs = 4.2"],
        ),
        (
            r#"{"kind": "root_target", "position_m": [0, 100]}"#,
            "",
            ["goals[0]", "reachable"],
        ),
        (
            r#"{"kind": "joint_target", "joint": "left_hand", "position_m": [0, 1, null]}"#,
            "",
            ["goals[0]", "unknown joint `left_hand`"],
        ),
        (r#"{"kind": "facing"}"#, "", ["goals[0]", "heading_deg"]),
        (
            r#"{"kind": "trajectory", "path_m": []}"#,
            "",
            ["goals[0]", "path_m"],
        ),
        (
            r#"{"kind": "speed", "speed_mps": 1, "from_secs": 3, "to_secs": 2}"#,
            "",
            ["goals[0]", "span"],
        ),
        (
            "",
            r#"{"shape": {"kind": "polygon", "points_m": []}}"#,
            ["obstacles[0]", "points_m"],
        ),
        (
            "",
            r#"{"shape": {"kind": "circle", "center_m": [0, 0.2], "radius_m": 0.5}}"#,
            ["obstacles[0]", "start"],
        ),
        (
            r#"{"kind": "root_target", "position_m": [0.1, 2.1]}"#,
            &format!(r#"{{"shape": {circle}}}"#),
            ["goals[0]", "within an obstacle"],
        ),
        (
            "",
            &format!(r#"{{"shape": {circle}, "joints": []}}"#),
            ["obstacles[0]", "joints"],
        ),
        (
            "",
            &format!(r#"{{"shape": {circle}, "barrier": {{"hinge": {{"wieght": 1}}}}}}"#),
            ["wieght", "weight"],
        ),
    ] {
        let text = read(goals, obstacles).unwrap_err();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    assert!(read("", &format!(r#"{{"shape": {circle}}}"#)).is_ok());
}

#[test]
fn a_clip_that_is_too_short_is_refused() {
    let target = r#"{"kind": "root_target", "position_m": [0, 2], "time_secs": 3}"#;
    let (goals, _) = read(target, "").unwrap();
    let set = GoalSet::new(&goals, &[], TIMELINE);
    let error = set.loss(decoder(50)).err().unwrap();
    assert!(set.loss(decoder(61)).is_ok());
    let text = message(&error);
    assert!(text.contains("frame 60"), "{text}");
}

#[test]
fn times_become_frames_and_root_goals_are_found() {
    let (goals, obstacles) = read(
        r#"{"kind": "waypoints", "points": [{"position_m": [0, 1], "time_secs": 1.5}, {"position_m": [1, 2]}]},
           {"kind": "root_target", "position_m": [1, 2], "time_secs": 4},
           {"kind": "root_target", "position_m": [9, 9], "weight": 0}"#,
        r#"{"shape": {"kind": "circle", "center_m": [3, 0], "radius_m": 0.5}},
           {"shape": {"kind": "circle", "center_m": [4, 0], "radius_m": 0.5}, "joints": ["head"]}"#,
    )
    .unwrap();
    let set = GoalSet::new(&goals, &obstacles, TIMELINE);
    let objective = set.objective(&decoder(80), Obstacles::default()).unwrap();
    let path = objective.path.unwrap().goals;
    let frames: Vec<Frame> = path.waypoints.iter().map(|w| w.frame).collect();
    // The place at 4 s is the one at the end, and counts once.
    assert_eq!(frames, [Frame::At(30), Frame::Last]);
    assert_eq!(path.obstacles.len(), 1);
    let x0 = ArrayD::zeros(IxDyn(&[1, 80, FEATURES]));
    let constraints = objective.constraints.unwrap();
    let names: Vec<String> = constraints
        .term_values(&x0)
        .unwrap()
        .into_iter()
        .map(|t| t.0)
        .collect();
    assert_eq!(names, ["avoid"]);
    assert!(objective.losses.is_empty());
}

#[test]
fn every_goal_has_its_part_in_the_loss() {
    let (goals, _) = read(
        r#"{"kind": "speed", "speed_mps": 1.2}, {"kind": "no_skate"}, {"kind": "ground"},
           {"kind": "smooth"}, {"kind": "loop"}, {"kind": "facing", "heading_deg": 30}"#,
        "",
    )
    .unwrap();
    let set = GoalSet::new(&goals, &[], TIMELINE);
    let mut loss = set.loss(decoder(80)).unwrap();
    let x0 = ArrayD::from_shape_fn(IxDyn(&[1, 80, FEATURES]), |index| {
        (0.3 * index[1] as f32 + 0.7 * index[2] as f32).sin()
    });
    let value = loss.value_and_grad(&x0).unwrap();
    assert!(value.values[0] > 0.0 && value.values[0].is_finite());
    assert!(value.gradient.iter().any(|&g| g != 0.0));
    assert_eq!(loss.term_values(&x0).unwrap().len(), goals.len());
    let objective = set.objective(&decoder(80), Obstacles::default()).unwrap();
    assert_eq!(objective.constraints.unwrap().len(), 3);
    assert_eq!(
        objective.losses.len(),
        1,
        "soft goals are followed together"
    );
}

/// A body that stands with its feet on the ground, facing +Z, and goes `sideways_m` to and fro from
/// frame to frame.
fn standing(sideways_m: f64, height_m: f64) -> DecodedMotion {
    let joints = Array3::from_shape_fn((80, 22, 3), |(frame, joint, axis)| {
        let left = [1, 4, 7, 10, 13, 16, 18, 20].contains(&joint);
        let right = [2, 5, 8, 11, 14, 17, 19, 21].contains(&joint);
        match axis {
            0 => 0.2 * f64::from(left) - 0.2 * f64::from(right) + sideways_m * (frame % 2) as f64,
            1 => {
                height_m
                    + if [7, 8, 10, 11].contains(&joint) {
                        0.02
                    } else {
                        0.9
                    }
            }
            _ => 0.0,
        }
    });
    DecodedMotion::from_joints(joints, TIMELINE.fps).unwrap()
}

#[test]
fn every_goal_is_missed_in_its_own_unit() {
    let circle =
        |z: f64| format!(r#""shape": {{"kind": "circle", "center_m": [0, {z}], "radius_m": 0.5}}"#);
    let still = standing(0.0, 0.0);
    for (goal, near, far) in [
        (r#""kind": "facing", "heading_deg": VALUE"#, 9.0, 11.0),
        (r#""kind": "speed", "speed_mps": VALUE"#, 0.19, 0.21),
        (
            r#""kind": "root_target", "position_m": [0, VALUE]"#,
            0.09,
            0.11,
        ),
        (
            r#""kind": "joint_target", "joint": "head", "position_m": [VALUE, 0.9, 0]"#,
            0.09,
            0.11,
        ),
    ] {
        for (value, expected) in [(near, false), (far, true)] {
            let json = format!("{{{}}}", goal.replace("VALUE", &f64::to_string(&value)));
            let (goals, _) = read(&json, "").unwrap();
            let outcomes = GoalSet::new(&goals, &[], TIMELINE)
                .outcomes(&still)
                .unwrap();
            assert!(
                (outcomes[0].off - value).abs() < 1e-6,
                "{json}: {outcomes:?}"
            );
            assert_eq!(outcomes[0].missed, expected, "{json}: {outcomes:?}");
        }
    }
    for (z, expected) in [(0.04, false), (0.06, true)] {
        let outside = format!(r#"{{"kind": "keep_in", {}}}"#, circle(0.5 + z));
        // The pelvis may not start inside.
        let inside = format!(r#"{{{}, "joints": ["head"]}}"#, circle(0.5 - z));
        let (goals, obstacles) = read(&outside, &inside).unwrap();
        let outcomes = GoalSet::new(&goals, &obstacles, TIMELINE)
            .outcomes(&still)
            .unwrap();
        for outcome in outcomes {
            assert!((outcome.off - z).abs() < 1e-6, "{outcome:?}");
            assert_eq!(outcome.missed, expected, "{outcome:?}");
        }
    }
    let soft = r#"{"kind": "no_skate"}, {"kind": "ground"}, {"kind": "smooth"}"#;
    let (goals, _) = read(soft, "").unwrap();
    let missed = |motion: &DecodedMotion| -> Vec<bool> {
        let outcomes = GoalSet::new(&goals, &[], TIMELINE)
            .outcomes(motion)
            .unwrap();
        outcomes.iter().map(|outcome| outcome.missed).collect()
    };
    assert_eq!(missed(&still), [false, false, false]);
    // 0.1 m a frame is 2 m/s, with a jerk that no body has: that alone is no miss.
    assert_eq!(missed(&standing(0.1, 0.0)), [true, false, false]);
    assert_eq!(missed(&standing(0.0, -1.0)), [false, true, false]);
    // What is no number is missed; heights are fine.
    assert_eq!(missed(&standing(f64::NAN, 0.0)), [true, false, true]);
}
