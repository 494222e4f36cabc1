//! A whole run by script, without a window: a scene, playback, a goal that is dragged, clips made anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do, and say what they skip"
)]

use std::time::{Duration, Instant};

use bevy::prelude::*;
use kinograd::TaskSpec;
use kinograd::runtime::{EngineChoice, EngineOptions};
use kinograd_bevy::{
    Generation, MotionClip, MotionPlayer,
    edit::{self, Handle},
};
use kinograd_viewer::camera::{VIEW, frame_points};
use kinograd_viewer::scene::Stage;
use kinograd_viewer::{
    Denoising, DenoisingPlugin, DragState, Playback, PlaybackPlugin, Status, Steer, SteerPlugin,
    Steered, Studio, adapters,
};

fn generation() -> Generation {
    let options = EngineOptions {
        engine: EngineChoice::BuiltIn,
        ..EngineOptions::default()
    };
    Generation::start(
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/motion-base"),
        options,
    )
}

fn scene() -> TaskSpec {
    let mut scene = TaskSpec::new("a person walks forward", 3.0);
    edit::set_target(&mut scene, Vec2::new(0.5, 2.5));
    scene
}

/// Goes on until the run is over.
fn finish(studio: &mut Studio) {
    let started = Instant::now();
    while studio.world_mut().resource::<Steer>().is_busy() {
        assert!(
            started.elapsed() < Duration::from_secs(300),
            "no clip in five minutes"
        );
        studio.update();
        std::thread::sleep(Duration::from_millis(5));
    }
    studio.update();
}

fn steered_end(studio: &mut Studio) -> Vec2 {
    let world = studio.world_mut();
    let player = world
        .query_filtered::<&MotionPlayer, With<Steered>>()
        .single(world)
        .unwrap();
    let clip = world
        .resource::<Assets<MotionClip>>()
        .get(&player.clip)
        .unwrap();
    *clip.root_path_m().last().unwrap()
}

#[test]
fn a_goal_is_dragged_and_the_clip_follows() {
    if let Err(none) = adapters() {
        kinograd_testkit::skip("gpu", none);
        return;
    }
    let mut studio = Studio::open_with(320, 180, false, |app| {
        app.add_plugins((PlaybackPlugin, SteerPlugin, DenoisingPlugin));
    })
    .unwrap();
    studio.world_mut().insert_resource(generation());
    studio.aim(frame_points(
        &[
            Vec3::ZERO,
            Vec3::new(0.5, 1.8, 2.5),
            Vec3::new(-1.0, 0.0, 2.5),
        ],
        VIEW,
        1.78,
        0.1,
    ));
    {
        let mut steer = studio.world_mut().resource_mut::<Steer>();
        steer.scene = scene();
        steer.settings.steps = 8;
        steer.make();
    }
    finish(&mut studio);
    let steer = studio.world_mut().resource::<Steer>();
    assert!(
        matches!(steer.status, Status::Done { .. }),
        "{:?}",
        steer.status
    );
    assert!(
        steer.waits_secs.0 < steer.waits_secs.1,
        "x̂0 is seen before the clip"
    );
    assert!(steered_end(&mut studio).distance(Vec2::new(0.5, 2.5)) < 0.1);
    let denoising = studio.world_mut().resource::<Denoising>();
    assert_eq!(denoising.steps.len(), 8);
    assert_eq!(denoising.loss_curves().len(), 1);
    assert!(
        denoising
            .steps
            .iter()
            .skip(1)
            .all(|step| step.step_size > 0.0)
    );
    let before = studio.picture().unwrap();

    // The clock runs and the person with it.
    let time = studio.world_mut().resource::<Playback>().time_secs;
    studio.update();
    std::thread::sleep(Duration::from_millis(30));
    studio.update();
    assert_ne!(studio.world_mut().resource::<Playback>().time_secs, time);
    studio.world_mut().resource_mut::<Playback>().playing = false;

    // A closed hand on the flag, moved in three steps, opened.
    for (x, is_closed) in [
        (0.5, false),
        (0.55, true),
        (0.0, true),
        (-0.45, true),
        (-0.45, false),
    ] {
        let mut hand = studio.world_mut().resource_mut::<DragState>();
        hand.floor_m = Some(Vec2::new(x, 2.5));
        hand.is_closed = is_closed;
        studio.update();
    }
    let steer = studio.world_mut().resource::<Steer>();
    assert_eq!(steer.selected, Some(Handle::Goal { goal: 0, point: 0 }));
    let goal = edit::handles(&steer.scene)[0].1;
    assert!(
        goal.distance(Vec2::new(-0.5, 2.5)) < 0.01,
        "held by its rim, it is at {goal}"
    );
    finish(&mut studio);
    assert!(steered_end(&mut studio).distance(goal) < 0.1);
    let world = studio.world_mut();
    let shown = world.resource::<Stage>().scene.clone();
    assert_eq!(shown.as_ref(), Some(&world.resource::<Steer>().scene));
    let after = studio.picture().unwrap();
    assert!(
        before.difference(&after).unwrap().0 > 0.1,
        "the picture did not change"
    );
    if let Some(folder) = std::env::var_os("KINOGRAD_FRAMES") {
        let folder = std::path::PathBuf::from(folder);
        std::fs::create_dir_all(&folder).unwrap();
        before.write_png(&folder.join("before.png")).unwrap();
        after.write_png(&folder.join("after.png")).unwrap();
    }

    // Undo brings the flag back; looking at a step changes the person and the clip comes back.
    assert!(studio.world_mut().resource_mut::<Steer>().undo());
    studio.update();
    assert_eq!(
        edit::handles(&studio.world_mut().resource::<Steer>().scene)[0].1,
        Vec2::new(0.5, 2.5)
    );
    let clip_end = steered_end(&mut studio);
    studio.world_mut().resource_mut::<Denoising>().shown = Some(0);
    studio.update();
    assert_ne!(steered_end(&mut studio), clip_end);
    studio.world_mut().resource_mut::<Denoising>().shown = None;
    studio.update();
    assert_eq!(steered_end(&mut studio), clip_end);
}

#[test]
fn a_stopped_run_leaves_the_clip_alone_and_errors_are_told() {
    let mut app = App::new();
    app.add_plugins((
        MinimalPlugins,
        AssetPlugin::default(),
        kinograd_bevy::ClipPlugin,
        kinograd_bevy::PlayerPlugin,
        SteerPlugin,
    ))
    .init_resource::<Stage>()
    .insert_resource(generation());
    let mut steer = app.world_mut().resource_mut::<Steer>();
    steer.scene = scene();
    steer.make();
    app.update();
    app.world_mut().resource_mut::<Steer>().stop();
    for _ in 0..50 {
        app.update();
        std::thread::sleep(Duration::from_millis(2));
    }
    let steer = app.world_mut().resource_mut::<Steer>().into_inner();
    assert_eq!((&steer.status, steer.count), (&Status::Stopped, 0));
    steer
        .scene
        .obstacles
        .push(kinograd::Obstacle::circle([0.5, 2.5], 0.4));
    steer.make();
    let started = Instant::now();
    while app.world().resource::<Steer>().is_busy() {
        assert!(started.elapsed() < Duration::from_secs(300));
        app.update();
        std::thread::sleep(Duration::from_millis(5));
    }
    let Status::Failed(error) = &app.world().resource::<Steer>().status else {
        panic!("{:?}", app.world().resource::<Steer>().status);
    };
    assert!(error.contains("obstacle"), "{error}");
}
