//! What games use, without a window and without rendering.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do, and say what they skip"
)]

use std::time::{Duration, Instant};

use bevy::prelude::*;
use kinograd::runtime::{EngineChoice, EngineOptions};
use kinograd_bevy::{
    KinogradPlugin, MotionClip, MotionFailed, MotionPlayer, MotionReady, MotionRequest, Pose,
};

#[derive(Resource, Default)]
struct Answers {
    clips: Vec<Handle<MotionClip>>,
    errors: Vec<String>,
}

fn app() -> App {
    let mut app = App::new();
    app.add_plugins((
        MinimalPlugins,
        AssetPlugin {
            file_path: concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets").to_owned(),
            ..default()
        },
        KinogradPlugin {
            model: concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/motion-base").to_owned(),
            engine: EngineOptions {
                engine: EngineChoice::BuiltIn,
                ..EngineOptions::default()
            },
        },
    ))
    .init_resource::<Answers>()
    .add_observer(|ready: On<MotionReady>, mut answers: ResMut<Answers>| {
        answers.clips.push(ready.clip.clone());
    })
    .add_observer(|failed: On<MotionFailed>, mut answers: ResMut<Answers>| {
        answers.errors.push(failed.error.clone());
    });
    app
}

/// Goes on until something holds; slow machines are waited for.
fn until(app: &mut App, what: &str, holds: impl Fn(&World) -> bool) {
    let started = Instant::now();
    while !holds(app.world()) {
        assert!(
            started.elapsed() < Duration::from_secs(300),
            "{what}: nothing in five minutes"
        );
        app.update();
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_request_is_answered_with_a_clip_that_goes_there() {
    let mut app = app();
    let request = MotionRequest::walk_to("a person walks forward", [0.8, 2.6], 3.0).seed(3);
    let person = app.world_mut().spawn(request).id();
    until(&mut app, "a clip", |world| {
        !world.resource::<Answers>().clips.is_empty()
    });
    let handle = app.world().resource::<Answers>().clips[0].clone();
    let clip = app
        .world()
        .resource::<Assets<MotionClip>>()
        .get(&handle)
        .unwrap()
        .clone();
    let end = *clip.root_path_m().last().unwrap();
    assert!(end.distance(Vec2::new(0.8, 2.6)) < 0.1, "ends at {end}");

    let mut player = MotionPlayer::new(handle);
    player.playing = false;
    player.time_secs = clip.duration_secs();
    app.world_mut().entity_mut(person).insert(player);
    app.update();
    let pose = app.world().get::<Pose>(person).unwrap();
    assert!(pose.root_m.xz().distance(end) < 1e-4);
}

#[test]
fn a_request_that_cannot_be_is_answered_with_why() {
    let mut app = app();
    let request = MotionRequest::walk_to("a person walks", [1.0, 1.0], 3.0).round([1.0, 1.0], 0.5);
    app.world_mut().spawn(request);
    until(&mut app, "an answer", |world| {
        !world.resource::<Answers>().errors.is_empty()
    });
    let answers = app.world().resource::<Answers>();
    assert!(
        answers.errors[0].contains("obstacle"),
        "{}",
        answers.errors[0]
    );
    assert!(answers.clips.is_empty());
}

#[test]
fn a_newer_request_takes_the_place_of_the_one_before() {
    let mut app = app();
    let walk = |x: f32| MotionRequest::walk_to("a person walks forward", [x, 2.0], 2.0);
    let person = app.world_mut().spawn(walk(0.5)).id();
    app.update();
    app.world_mut().entity_mut(person).insert(walk(-0.5));
    until(&mut app, "a clip", |world| {
        !world.resource::<Answers>().clips.is_empty()
    });
    for _ in 0..20 {
        app.update();
    }
    let answers = app.world().resource::<Answers>();
    assert_eq!(answers.clips.len(), 1);
    let clip = app
        .world()
        .resource::<Assets<MotionClip>>()
        .get(&answers.clips[0])
        .unwrap();
    assert!(clip.root_path_m().last().unwrap().x < 0.0);
}

#[test]
fn clips_are_loaded_as_assets() {
    let mut app = app();
    let server = app.world().resource::<AssetServer>().clone();
    for name in [
        "clips/walk.npz",
        "clips/walk_mixamo_cm.bvh",
        "clips/walk.glb",
    ] {
        let handle: Handle<MotionClip> = server.load(name);
        until(&mut app, name, |world| {
            assert!(
                !matches!(
                    server.load_state(&handle),
                    bevy::asset::LoadState::Failed(_)
                ),
                "{name}"
            );
            world.resource::<Assets<MotionClip>>().contains(&handle)
        });
        let clips = app.world().resource::<Assets<MotionClip>>();
        assert!(clips.get(&handle).unwrap().frames() > 10, "{name}");
    }
}
