//! What keys do.

use std::collections::BTreeSet;

use bevy::prelude::*;
use bevy_egui::input::EguiWantsInput;
use kinograd::Method;
use kinograd_bevy::edit;

use super::compare;
use super::state::{Field, Orders, Panels};
use super::steering::remove_selected;
use crate::bench::BenchRun;
use crate::camera::{CameraMode, FrameAll};
use crate::compare::CompareMethods;
use crate::denoising::Denoising;
use crate::library::Library;
use crate::playback::Playback;
use crate::scene::StageSettings;
use crate::steer::{DragState, Steer, save_clip, save_scene};

/// Wrists, then feet: what J steps through before none.
const WAYS: [[usize; 2]; 2] = [[20, 21], [10, 11]];

/// Reads the keyboard, unless a text field has it.
#[expect(clippy::too_many_arguments, reason = "one per thing that keys change")]
pub fn press(
    keys: Res<ButtonInput<KeyCode>>,
    egui: Option<Res<EguiWantsInput>>,
    hand: Res<DragState>,
    mut panels: ResMut<Panels>,
    mut playback: ResMut<Playback>,
    mut steer: ResMut<Steer>,
    mut denoising: ResMut<Denoising>,
    mut library: ResMut<Library>,
    mut mode: ResMut<CameraMode>,
    mut stage: ResMut<StageSettings>,
    mut run: ResMut<BenchRun>,
    mut orders: Orders,
) {
    if egui.is_some_and(|egui| egui.wants_keyboard_input()) {
        return;
    }
    let control = keys.any_pressed([
        KeyCode::ControlLeft,
        KeyCode::ControlRight,
        KeyCode::SuperLeft,
    ]);
    let shift = keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
    for key in keys.get_just_pressed() {
        match key {
            _ if control => with_control(*key, shift, &mut panels, &mut steer),
            KeyCode::KeyH | KeyCode::F1 => panels.shows_help = !panels.shows_help,
            KeyCode::KeyP => panels.focus = Some(Field::Prompt),
            KeyCode::KeyA => {
                orders.frame.write(FrameAll);
            }
            KeyCode::KeyT => mode.is_top = !mode.is_top,
            KeyCode::KeyF => mode.follows = !mode.follows,
            KeyCode::KeyR => stage.shows_trails = !stage.shows_trails,
            KeyCode::KeyJ => stage.joints = next_ways(&stage.joints),
            KeyCode::KeyB => library.overlays = !library.overlays,
            KeyCode::KeyC => {
                let four = compare::USUAL.to_vec();
                let methods = if shift {
                    Method::stepwise().collect()
                } else {
                    four
                };
                orders.compare.write(CompareMethods(methods));
            }
            KeyCode::KeyX => compare::clear(&mut run, &mut orders),
            KeyCode::Comma => step(&mut denoising, -1),
            KeyCode::Period => step(&mut denoising, 1),
            KeyCode::Slash => denoising.shown = None,
            KeyCode::Escape => {
                steer.stop();
                steer.dismiss();
                panels.failures.clear();
                panels.notice = None;
                panels.shows_help = false;
            }
            _ => {
                play(*key, shift, &mut playback);
                settle(*key, shift, &mut steer);
                change(*key, &hand, &mut steer);
            }
        }
    }
}

/// Keys with Ctrl.
fn with_control(key: KeyCode, shift: bool, panels: &mut Panels, steer: &mut Steer) {
    match key {
        KeyCode::KeyZ if !shift => undo(steer),
        KeyCode::KeyZ | KeyCode::KeyY => redo(steer),
        KeyCode::KeyO => panels.focus = Some(Field::Open),
        KeyCode::KeyS => {
            let (path, saved) = if shift {
                let path = panels.clip_path.clone();
                (path.clone(), save_clip(steer, path.as_ref()))
            } else {
                let path = panels.scene_path.clone();
                (path.clone(), save_scene(&steer.task(), path.as_ref()))
            };
            panels.tell(saved.map(|()| format!("saved {path}")));
        }
        _ => {}
    }
}

/// Joints whose ways come after those that are shown.
fn next_ways(shown: &BTreeSet<usize>) -> BTreeSet<usize> {
    let sets = WAYS.map(BTreeSet::from);
    match sets.iter().position(|set| set == shown) {
        Some(at) => sets.get(at + 1).cloned().unwrap_or_default(),
        None if shown.is_empty() => sets[0].clone(),
        None => BTreeSet::new(),
    }
}

/// Looks at a denoising step before or after.
fn step(denoising: &mut Denoising, by: isize) {
    let last = denoising.steps.len().saturating_sub(1);
    let now = denoising.shown.unwrap_or(last);
    let next = now.saturating_add_signed(by).min(last);
    denoising.shown = (!denoising.steps.is_empty()).then_some(next);
}

/// Keys of the clock.
fn play(key: KeyCode, shift: bool, playback: &mut Playback) {
    let frames = if shift { 10.0 } else { 1.0 };
    match key {
        KeyCode::Space => playback.toggle(),
        KeyCode::ArrowLeft => playback.step(-frames),
        KeyCode::ArrowRight => playback.step(frames),
        KeyCode::Home => playback.seek(0.0),
        KeyCode::End => {
            playback.playing = false;
            playback.seek(f32::MAX);
        }
        KeyCode::KeyL => playback.looping = !playback.looping,
        KeyCode::BracketLeft => playback.speed = (0.5 * playback.speed).max(0.05),
        KeyCode::BracketRight => playback.speed = (2.0 * playback.speed).min(4.0),
        _ => {}
    }
}

/// Keys of how clips are made.
fn settle(key: KeyCode, shift: bool, steer: &mut Steer) {
    let settings = &mut steer.settings;
    match key {
        KeyCode::ArrowUp | KeyCode::ArrowDown => {
            let up = if key == KeyCode::ArrowUp { 1.0 } else { -1.0 };
            if shift {
                steer.remember();
                let secs = &mut steer.scene.duration_secs;
                *secs = (*secs + 0.5 * up).clamp(1.0, 10.0);
            } else {
                let own = || settings.method.default_scale();
                let scale = settings.guidance_scale.unwrap_or_else(own);
                let tenths = (10.0 * scale + up).round().clamp(0.0, 200.0);
                settings.guidance_scale = Some(0.1 * tenths);
            }
        }
        KeyCode::KeyM => {
            let all = Method::STEERING;
            let at = all.iter().position(|method| *method == settings.method);
            let at = at.unwrap_or(0) + if shift { all.len() - 1 } else { 1 };
            settings.method = all[at % all.len()];
        }
        KeyCode::Equal | KeyCode::NumpadAdd => settings.steps = (settings.steps + 1).min(200),
        KeyCode::Minus | KeyCode::NumpadSubtract => {
            settings.steps = settings.steps.saturating_sub(1).max(2);
        }
        KeyCode::KeyK => settings.foot_lock = !settings.foot_lock,
        KeyCode::KeyV => {
            steer.follows_changes = !steer.follows_changes;
            return;
        }
        _ => return,
    }
    follow_up(steer);
}

/// Keys of the scene.
fn change(key: KeyCode, hand: &DragState, steer: &mut Steer) {
    match (key, hand.floor_m) {
        (KeyCode::KeyG, _) => steer.make(),
        (KeyCode::KeyN, _) => {
            steer.settings.seed = steer.settings.seed.wrapping_add(1);
            steer.make();
        }
        (KeyCode::Delete | KeyCode::Backspace, _) => {
            if let Some(handle) = steer.selected {
                remove_selected(steer, handle);
            }
        }
        (KeyCode::KeyE, Some(at)) => {
            steer.remember();
            edit::set_target(&mut steer.scene, at);
            follow_up(steer);
        }
        (KeyCode::KeyW, Some(at)) => {
            steer.remember();
            edit::add_waypoint(&mut steer.scene, at);
            follow_up(steer);
        }
        (KeyCode::KeyO, Some(at)) => {
            steer.remember();
            let place = at.as_dvec2().to_array();
            steer
                .scene
                .obstacles
                .push(kinograd::Obstacle::circle(place, 0.4));
            follow_up(steer);
        }
        _ => {}
    }
}

fn undo(steer: &mut Steer) {
    if steer.undo() {
        follow_up(steer);
    }
}

fn redo(steer: &mut Steer) {
    if steer.redo() {
        follow_up(steer);
    }
}

fn follow_up(steer: &mut Steer) {
    if steer.follows_changes {
        steer.make();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        let mut app = App::new();
        app.init_resource::<ButtonInput<KeyCode>>()
            .init_resource::<DragState>()
            .init_resource::<Panels>()
            .init_resource::<Playback>()
            .init_resource::<Steer>()
            .init_resource::<Denoising>()
            .init_resource::<Library>()
            .init_resource::<CameraMode>()
            .init_resource::<StageSettings>()
            .init_resource::<BenchRun>()
            .add_message::<FrameAll>()
            .add_message::<CompareMethods>()
            .add_message::<crate::library::OpenFile>()
            .add_systems(Update, press);
        app
    }

    fn hit(app: &mut App, keys: &[KeyCode]) {
        let mut input = ButtonInput::default();
        for key in keys {
            input.press(*key);
        }
        app.insert_resource(input);
        app.update();
    }

    #[test]
    fn keys_change_how_clips_are_made() {
        let mut app = app();
        let first = app.world().resource::<Steer>().settings.clone();
        hit(&mut app, &[KeyCode::KeyM]);
        hit(&mut app, &[KeyCode::ArrowUp]);
        hit(&mut app, &[KeyCode::Equal]);
        hit(&mut app, &[KeyCode::KeyK]);
        let now = app.world().resource::<Steer>().settings.clone();
        assert_ne!(now.method, first.method);
        let scale = now.guidance_scale.unwrap();
        assert!((scale - now.method.default_scale() - 0.1).abs() < 0.051);
        assert_eq!(
            (now.steps, now.foot_lock),
            (first.steps + 1, !first.foot_lock)
        );
        hit(&mut app, &[KeyCode::ShiftLeft, KeyCode::KeyM]);
        assert_eq!(
            app.world().resource::<Steer>().settings.method,
            first.method
        );
        assert!(app.world().resource::<Steer>().is_busy());
    }

    #[test]
    fn ways_of_joints_come_in_turn() {
        let mut app = app();
        let mut seen = Vec::new();
        for _ in 0..3 {
            hit(&mut app, &[KeyCode::KeyJ]);
            seen.push(app.world().resource::<StageSettings>().joints.clone());
        }
        assert_eq!(
            seen,
            [
                BTreeSet::from([20, 21]),
                BTreeSet::from([10, 11]),
                BTreeSet::new()
            ]
        );
    }

    #[test]
    fn a_target_is_put_where_the_pointer_is_and_undone() {
        let mut app = app();
        app.world_mut().resource_mut::<DragState>().floor_m = Some(Vec2::new(1.0, 2.0));
        let before = app.world().resource::<Steer>().scene.clone();
        hit(&mut app, &[KeyCode::KeyE]);
        let scene = &app.world().resource::<Steer>().scene;
        assert_eq!(edit::handles(scene)[0].1, Vec2::new(1.0, 2.0));
        hit(&mut app, &[KeyCode::ControlLeft, KeyCode::KeyZ]);
        assert_eq!(app.world().resource::<Steer>().scene, before);
        hit(&mut app, &[KeyCode::ControlLeft, KeyCode::KeyO]);
        assert_eq!(app.world().resource::<Panels>().focus, Some(Field::Open));
        assert_eq!(app.world().resource::<Steer>().scene, before, "no obstacle");
    }
}
