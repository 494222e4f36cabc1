//! Pictures without a window: what is in them, and that they are those looked at before.
//!
//! `KINOGRAD_ACCEPT=1` writes the references anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do, and say what they skip"
)]

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bevy::prelude::*;
use kinograd_bevy::{MotionClip, edit};
use kinograd_viewer::camera::{FOV_RAD, Shot, VIEW, View, body_points, frame_points};
use kinograd_viewer::{OffscreenOptions, Picture, Studio, adapters, load_scene, render};

const SIZE: (u32, u32) = (480, 270);

/// One renderer at a time; `None`, with the reason printed, where there is nothing to draw with.
fn studio_lock() -> Option<MutexGuard<'static, ()>> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    match adapters() {
        Ok(_) => Some(guard),
        Err(none) => {
            kinograd_testkit::skip("gpu", none);
            None
        }
    }
}

fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../assets")
        .join(name)
}

fn walk() -> MotionClip {
    MotionClip::load(&asset("clips/walk.npz")).unwrap()
}

/// Where a point is in a picture, pixels.
fn pixel(shot: Shot, point: Vec3) -> Vec2 {
    let (width, height) = (SIZE.0 as f32, SIZE.1 as f32);
    let view = shot.transform().to_matrix().inverse();
    let seen = Mat4::perspective_rh(FOV_RAD, width / height, 0.05, 1000.0) * view;
    let ndc = seen.project_point3(point);
    Vec2::new((0.5 + 0.5 * ndc.x) * width, (0.5 - 0.5 * ndc.y) * height)
}

/// Pixels that differ between two pictures, and are `like` something in the first.
fn changed(a: &Picture, b: &Picture, like: impl Fn([u8; 3]) -> bool) -> Vec<Vec2> {
    let mut found = Vec::new();
    for y in 0..a.height {
        for x in 0..a.width {
            let (p, q) = (a.pixel(x, y), b.pixel(x, y));
            if (0..3).any(|i| p[i].abs_diff(q[i]) > 40) && like(p) {
                found.push(Vec2::new(x as f32, y as f32));
            }
        }
    }
    found
}

fn bounds(points: &[Vec2]) -> Rect {
    let low = points.iter().fold(Vec2::MAX, |low, p| low.min(*p));
    let high = points.iter().fold(Vec2::MIN, |high, p| high.max(*p));
    Rect::from_corners(low, high)
}

#[test]
fn a_person_stands_on_the_floor_where_the_clip_says() {
    let Some(_lock) = studio_lock() else { return };
    let walk = walk();
    let mut studio = Studio::open(SIZE.0, SIZE.1, false).unwrap();
    studio.show_trails(false);
    let time = 0.5 * walk.duration_secs();
    let joints = walk.pose(time).joints_m;
    let shot = frame_points(&body_points(&joints, Vec3::ZERO), VIEW, 16.0 / 9.0, 0.15);
    studio.aim(shot);
    let empty = studio.picture().unwrap();
    let red = Color::srgb(0.9, 0.1, 0.1);
    let person = studio.add_clip(walk, Vec3::ZERO, red, 1.0);
    studio.set_time(person, time);
    if let Some(mut body) = studio
        .world_mut()
        .get_mut::<kinograd_bevy::Mannequin>(person)
    {
        body.shows_contacts = false;
    }
    let picture = studio.picture().unwrap();

    let body = changed(&picture, &empty, |[r, g, b]| {
        r > g.saturating_add(25) && r > b.saturating_add(25)
    });
    assert!(body.len() > 800, "{} pixels of a person", body.len());
    let seen = bounds(&body);
    assert!(seen.min.x > 2.0 && seen.min.y > 2.0, "cut off: {seen:?}");
    assert!(
        seen.max.x < SIZE.0 as f32 - 2.0 && seen.max.y < SIZE.1 as f32 - 2.0,
        "cut off: {seen:?}"
    );
    // The head's top and the lower foot's sole are where the pose has them.
    let head = pixel(shot, joints[15] + Vec3::Y * 0.15);
    assert!(
        (seen.min.y - head.y).abs() < 6.0,
        "top {} against {}",
        seen.min.y,
        head.y
    );
    let soles = [7, 8, 10, 11].map(|joint| pixel(shot, joints[joint].with_y(0.0)).y);
    let lowest = soles.into_iter().fold(f32::MIN, f32::max);
    assert!(
        (seen.max.y - lowest).abs() < 8.0,
        "feet {} against the floor at {lowest}",
        seen.max.y
    );
    // Something darker than the floor lies behind the body: its shadow.
    let dark = changed(&picture, &empty, |[r, g, b]| r.abs_diff(b) < 40 && g < 150);
    assert!(dark.len() > 200, "{} pixels of shadow", dark.len());
}

#[test]
fn obstacles_and_goals_are_where_the_scene_puts_them() {
    let Some(_lock) = studio_lock() else { return };
    let mut studio = Studio::open(SIZE.0, SIZE.1, false).unwrap();
    let points = [
        Vec3::ZERO,
        Vec3::new(2.0, 2.0, 3.0),
        Vec3::new(1.0, 0.0, 1.5),
    ];
    let shot = frame_points(&points, VIEW, 16.0 / 9.0, 0.15);
    studio.aim(shot);
    let empty = studio.picture().unwrap();
    let mut scene = kinograd::TaskSpec::new("a person walks", 6.0);
    edit::set_target(&mut scene, Vec2::new(2.0, 3.0));
    scene
        .obstacles
        .push(kinograd::Obstacle::circle([1.0, 1.5], 0.5));
    studio.set_scene(Some(scene), vec![Vec3::ZERO]);
    let picture = studio.picture().unwrap();
    let red = changed(&picture, &empty, |[r, g, b]| {
        r > g.saturating_add(40) && r > b.saturating_add(40)
    });
    let obstacle = bounds(&red);
    assert!(
        red.len() > 400 && obstacle.contains(pixel(shot, Vec3::new(1.0, 0.4, 1.5))),
        "{obstacle:?}"
    );
    let green = changed(&picture, &empty, |[r, g, _]| g > r.saturating_add(30));
    let target = bounds(&green);
    let pennant = pixel(shot, Vec3::new(2.0, 1.95, 3.1));
    assert!(
        green.len() > 60 && (target.min.y - pennant.y).abs() < 20.0,
        "{target:?} {pennant}"
    );
}

/// Compares with a picture that was looked at: a mean difference of 4 of 255 levels and 4 % of pixels
/// that differ by more than 32 leave room for other drivers.
fn agrees(name: &str, picture: &Picture) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pictures")
        .join(name);
    if std::env::var_os("KINOGRAD_ACCEPT").is_some() {
        picture.write_png(&path).unwrap();
        return;
    }
    let known = Picture::read_png(&path).unwrap();
    let (mean, far) = picture.difference(&known).unwrap();
    if mean >= 4.0 || far >= 0.04 {
        let got = std::env::temp_dir().join(name);
        picture.write_png(&got).unwrap();
        panic!(
            "{name}: mean difference {mean:.2}, {far:.3} of the pixels far off; see {}",
            got.display()
        );
    }
}

#[test]
fn three_scenes_look_as_they_did() {
    let Some(_lock) = studio_lock() else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.png");
    let usual = OffscreenOptions {
        size_px: SIZE,
        ..OffscreenOptions::default()
    };
    let crates = Some(load_scene(&asset("scenes/between_pillars.json")).unwrap());
    let beam = Some(load_scene(&asset("scenes/duck_under_beam.json")).unwrap());
    let top = OffscreenOptions {
        view: View::TOP,
        ..usual.clone()
    };
    let sheet = OffscreenOptions {
        poses: Some(5),
        ..usual.clone()
    };
    for (name, scene, options) in [
        ("still.png", beam, &usual),
        ("top.png", crates, &top),
        ("sheet.png", None, &sheet),
    ] {
        render(vec![walk()], scene, &out, options).unwrap();
        agrees(name, &Picture::read_png(&out).unwrap());
    }
}

#[test]
fn films_have_a_picture_per_frame() {
    let Some(_lock) = studio_lock() else { return };
    let folder = tempfile::tempdir().unwrap();
    let options = OffscreenOptions {
        size_px: (96, 64),
        smooth: false,
        fps: Some(3.0),
        follows: true,
        ..OffscreenOptions::default()
    };
    let drawn = render(vec![walk()], None, &folder.path().join("frames"), &options).unwrap();
    let files = std::fs::read_dir(folder.path().join("frames"))
        .unwrap()
        .count();
    assert_eq!(drawn, files);
    assert_eq!(drawn, (walk().duration_secs() * 3.0).round() as usize + 1);
    let first = Picture::read_png(&folder.path().join("frames/frame-0000.png")).unwrap();
    let last = Picture::read_png(
        &folder
            .path()
            .join(format!("frames/frame-{:04}.png", drawn - 1)),
    )
    .unwrap();
    assert_ne!(first, last);
}
