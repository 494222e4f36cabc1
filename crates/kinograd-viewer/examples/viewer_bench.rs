//! Times of the viewer: frames with many characters, the waits of steering, memory over many clips.
//!
//! `cargo run --profile viewer -p kinograd-viewer --example viewer_bench [REGENERATIONS]`; with a number
//! of regenerations the memory alone is measured, over clips of 2 s from 4 steps.

#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use std::time::{Duration, Instant};

use bevy::prelude::*;
use kinograd::motion::synth::synth_walk;
use kinograd::runtime::EngineOptions;
use kinograd_bevy::{
    CharacterPlugin, ClipPlugin, Generation, Mannequin, MotionClip, MotionPlayer, Penetrations,
    PlayerPlugin, edit,
};
use kinograd_viewer::camera::{VIEW, frame_points};
use kinograd_viewer::scene::Stage;
use kinograd_viewer::{
    DenoisingPlugin, Playback, PlaybackPlugin, ScenePlugin, Status, Steer, SteerPlugin, Studio,
    scene,
};

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    if let Some(regenerations) = std::env::args().nth(1) {
        return memory(regenerations.parse()?);
    }
    println!("| characters | CPU part of a frame, ms | picture of 1280 x 720, ms |\n|---|---|---|");
    for count in [1, 10, 100] {
        let cpu = median(frames(count)?);
        let picture =
            pictures(count).map_or_else(|why| why.to_string(), |ms| format!("{:.0}", median(ms)));
        println!("| {count} | {cpu:.2} | {picture} |");
    }
    let started = Instant::now();
    match Studio::open(1280, 720, false).and_then(|mut studio| studio.picture()) {
        Ok(_) => println!(
            "\nopen and first picture: {:.2} s",
            started.elapsed().as_secs_f64()
        ),
        Err(none) => println!("\nopen and first picture: {none}"),
    }
    steering()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn walkers(world: &mut World, count: usize) -> Result<(), Fault> {
    let walk = MotionClip::new("walk", synth_walk(1.2, 4.0, 20.0))?;
    let clip = world.resource_mut::<Assets<MotionClip>>().add(walk);
    for index in 0..count {
        let place = Vec3::new(1.2 * (index % 10) as f32, 0.0, 1.2 * (index / 10) as f32);
        let mut player = MotionPlayer::new(clip.clone());
        player.time_secs = 0.03 * index as f32;
        let body = Mannequin::new(scene::look::body_color(index));
        world.spawn((
            player,
            body,
            Transform::from_translation(place),
            Penetrations::default(),
        ));
    }
    Ok(())
}

/// Milliseconds of updates with everything but drawing.
fn frames(count: usize) -> Result<Vec<f64>, Fault> {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, AssetPlugin::default(), TransformPlugin))
        .init_asset::<Mesh>()
        .init_asset::<Image>()
        .init_asset::<StandardMaterial>()
        .add_plugins((
            ClipPlugin,
            PlayerPlugin,
            PlaybackPlugin,
            CharacterPlugin,
            ScenePlugin,
        ));
    walkers(app.world_mut(), count)?;
    for _ in 0..10 {
        app.update();
    }
    let update = |app: &mut App| {
        std::thread::sleep(Duration::from_millis(2));
        let started = Instant::now();
        app.update();
        1e3 * started.elapsed().as_secs_f64()
    };
    Ok((0..100).map(|_| update(&mut app)).collect())
}

/// Milliseconds of pictures, from the moment that changes to the pixels.
fn pictures(count: usize) -> Result<Vec<f64>, Fault> {
    let mut studio = Studio::open(1280, 720, false)?;
    walkers(studio.world_mut(), count)?;
    let side = 1.2 * 10.0;
    studio.aim(frame_points(
        &[Vec3::ZERO, Vec3::new(side, 1.8, side)],
        VIEW,
        16.0 / 9.0,
        0.05,
    ));
    studio.picture()?;
    let mut times = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        studio.picture()?;
        times.push(1e3 * started.elapsed().as_secs_f64());
    }
    Ok(times)
}

/// From the release of a dragged goal to the first x̂0 and to the clip of 4 s, 20 steps.
fn steering() -> Result<(), Fault> {
    let mut app = steered("a person walks forward", 4.0, 20);
    let (mut first, mut last, mut worst_frame_ms) = (Vec::new(), Vec::new(), 0.0_f64);
    let warm = 3;
    for run in 0..warm + 10 {
        let frame_ms = regenerate(&mut app, run)?;
        let steer = app.world().resource::<Steer>();
        if run >= warm {
            first.extend(steer.waits_secs.0.map(|secs| 1e3 * f64::from(secs)));
            last.extend(steer.waits_secs.1.map(f64::from));
            worst_frame_ms = worst_frame_ms.max(frame_ms);
        }
    }
    let engine = app.world().resource::<Steer>().made.as_ref();
    let engine = engine.and_then(|made| made.clip.provenance.extra.get("engine").cloned());
    println!("\nengine: {}", engine.unwrap_or_default());
    println!(
        "release to first x\u{302}0: median {:.0} ms of {}",
        median(first.clone()),
        first.len()
    );
    println!(
        "release to clip of 4 s:  median {:.2} s of {}",
        median(last.clone()),
        last.len()
    );
    println!("longest update meanwhile: {worst_frame_ms:.1} ms");
    Ok(())
}

/// An app that makes a scene's clips.
fn steered(prompt: &str, seconds: f64, steps: usize) -> App {
    let mut app = App::new();
    app.add_plugins((
        MinimalPlugins,
        AssetPlugin::default(),
        ClipPlugin,
        PlayerPlugin,
        SteerPlugin,
    ))
    .init_resource::<Stage>()
    .init_resource::<Playback>()
    .insert_resource(Generation::start("motion-base", EngineOptions::default()));
    {
        let mut steer = app.world_mut().resource_mut::<Steer>();
        steer.scene = kinograd::TaskSpec::new(prompt, seconds);
        steer.settings.steps = steps;
        steer
            .scene
            .obstacles
            .push(kinograd::Obstacle::circle([0.5, 1.4], 0.4));
    }
    app
}

/// Resident memory while clip after clip is made.
fn memory(regenerations: usize) -> Result<(), Fault> {
    let mut app = steered("a person walks forward", 2.0, 4);
    // All of a window but its drawing.
    app.init_asset::<Mesh>()
        .init_asset::<Image>()
        .init_asset::<StandardMaterial>()
        .add_plugins((
            TransformPlugin,
            PlaybackPlugin,
            CharacterPlugin,
            ScenePlugin,
            DenoisingPlugin,
        ));
    println!("| clips | resident memory, MiB |\n|---|---|");
    for run in 0..=regenerations {
        let is_text_conditioned = [10, 100, 200, 500].contains(&run) || run == regenerations;
        if is_text_conditioned {
            println!("| {run} | {:.1} |", memory_mib());
        }
        regenerate(&mut app, run)?;
    }
    Ok(())
}

/// Moves the goal and waits for the clip; returns the longest update.
fn regenerate(app: &mut App, run: usize) -> Result<f64, Fault> {
    let mut steer = app.world_mut().resource_mut::<Steer>();
    let reach = 0.75 * steer.scene.duration_secs as f32;
    let at = Vec2::new(1.2 - 0.2 * (run % 10) as f32, reach.max(2.2));
    edit::set_target(&mut steer.scene, at);
    steer.make();
    let mut longest = 0.0_f64;
    while app.world().resource::<Steer>().is_busy() {
        let started = Instant::now();
        app.update();
        longest = longest.max(1e3 * started.elapsed().as_secs_f64());
        std::thread::sleep(Duration::from_millis(1));
    }
    match &app.world().resource::<Steer>().status {
        Status::Done { .. } => Ok(longest),
        other => Err(format!("{other:?}").into()),
    }
}

fn memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}
