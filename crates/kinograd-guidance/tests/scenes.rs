//! Scenes that ship, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error;
use std::path::Path;

use kinograd_guidance::scene::{Goal, Scene};
use kinograd_guidance::{Frame, GuidanceError, Loss, PathDecoder};
use kinograd_motion::{FEATURES, Normalizer};
use ndarray::{Array1, ArrayD, IxDyn};

fn decoder(frames: usize) -> PathDecoder {
    let mut mean = Array1::zeros(FEATURES);
    mean[2] = 0.05;
    mean[3] = 0.9;
    let normalizer = Normalizer::new(mean, Array1::from_elem(FEATURES, 0.05)).unwrap();
    PathDecoder::new(normalizer, vec![frames])
}

#[test]
fn every_scene_that_ships_parses_and_builds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/scenes");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.display();
        let scene = Scene::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let frames = scene.frames(20.0);
        let mut loss = scene.loss(decoder(frames)).unwrap();
        let x0 = ArrayD::from_shape_fn(IxDyn(&[1, frames, FEATURES]), |index| {
            (0.3 * index[1] as f32 + 0.7 * index[2] as f32).sin()
        });
        let value = loss.value_and_grad(&x0).unwrap();
        assert!(
            value.values[0] > 0.0 && value.values[0].is_finite(),
            "{name}"
        );
        assert!(value.gradient.iter().any(|&g| g != 0.0), "{name}");
        let terms = loss.term_values(&x0).unwrap();
        assert_eq!(
            terms.len(),
            scene.goals.len() + scene.obstacles.len(),
            "{name}"
        );
        // Written and read again it is the same.
        assert_eq!(
            Scene::parse(&scene.to_json().unwrap()).unwrap(),
            scene,
            "{name}"
        );
        scene.ground_goals(20.0).unwrap().check(frames).unwrap();
        count += 1;
    }
    assert!(count >= 12, "{count} scenes");
}

/// A scene with these goals and obstacles.
fn scene(goals: &str, obstacles: &str) -> Result<Scene, GuidanceError> {
    Scene::parse(&format!(
        r#"{{"schema": 1, "name": "x", "duration_secs": 4, "prompts": [{{"text": "walk"}}],
            "goals": [{goals}], "obstacles": [{obstacles}]}}"#
    ))
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
            ["positon_m", "did you mean `position_m`"],
        ),
        (
            r#"{"kind": "root_traget", "position_m": [0, 1]}"#,
            "",
            ["root_traget", "did you mean `root_target`"],
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
            ["wieght", "did you mean `weight`"],
        ),
    ] {
        let error = scene(goals, obstacles).unwrap_err();
        let text = message(&error);
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    assert!(scene("", &format!(r#"{{"shape": {circle}}}"#)).is_ok());
    for (json, part) in [
        (
            r#"{"schema": 2, "name": "x", "duration_secs": 4, "prompts": [{"text": "a"}]}"#,
            "schema = 2",
        ),
        (
            r#"{"schema": 1, "name": "x", "duration_secs": 1e9, "prompts": [{"text": "a"}]}"#,
            "duration_secs",
        ),
        (
            r#"{"schema": 1, "name": "x", "duration_secs": 4, "prompts": []}"#,
            "prompts",
        ),
        (
            r#"{"schema": 1, "name": "x", "duration_secs": 4, "prompts": [{"text": " "}]}"#,
            "prompts[0]",
        ),
        (
            r#"{"schema": 1, "name": "x", "duration_secs": 4, "prompts": [{"text": "a", "from_secs": 5}]}"#,
            "prompts[0]",
        ),
        ("[", "EOF"),
    ] {
        let text = message(&Scene::parse(json).unwrap_err());
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_clip_that_is_too_short_is_refused() {
    let scene = scene(
        r#"{"kind": "root_target", "position_m": [0, 2], "time_secs": 3}"#,
        "",
    )
    .unwrap();
    let error = scene.loss(decoder(50)).err().unwrap();
    assert!(scene.loss(decoder(61)).is_ok());
    let text = message(&error);
    assert!(text.contains("frame 60"), "{text}");
}

#[test]
fn times_become_frames_and_root_goals_are_found() {
    let scene = scene(
        r#"{"kind": "waypoints", "points": [{"position_m": [0, 1], "time_secs": 1.5}, {"position_m": [1, 2]}]},
           {"kind": "root_target", "position_m": [1, 2], "time_secs": 4},
           {"kind": "root_target", "position_m": [9, 9], "weight": 0}"#,
        r#"{"shape": {"kind": "circle", "center_m": [3, 0], "radius_m": 0.5}},
           {"shape": {"kind": "circle", "center_m": [4, 0], "radius_m": 0.5}, "joints": ["head"]}"#,
    )
    .unwrap();
    let goals = scene.ground_goals(20.0).unwrap();
    let frames: Vec<Frame> = goals.waypoints.iter().map(|w| w.frame).collect();
    assert_eq!(frames, [Frame::At(30), Frame::Last, Frame::At(79)]);
    assert_eq!(goals.obstacles.len(), 1);
    let constraints = scene.constraints(decoder(80)).unwrap();
    let x0 = ArrayD::zeros(IxDyn(&[1, 80, FEATURES]));
    let names: Vec<String> = constraints
        .term_values(&x0)
        .unwrap()
        .into_iter()
        .map(|t| t.0)
        .collect();
    assert_eq!(names, ["avoid"]);
    assert!(scene.preferences(decoder(80)).unwrap().is_none());
    assert!(!scene.is_ground_only());
    assert!(
        matches!(&scene.goals[0], Goal::Waypoints { points, weight } if points.len() == 2 && *weight == 1.0)
    );
}
