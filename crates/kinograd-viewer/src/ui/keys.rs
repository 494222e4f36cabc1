//! What keys do.

use bevy::prelude::*;
use bevy_egui::input::EguiWantsInput;

use super::Panels;
use super::steering::remove_selected;
use crate::camera::{CameraMode, FrameAll};
use crate::denoising::Denoising;
use crate::edit;
use crate::library::Library;
use crate::playback::Playback;
use crate::scene::StageSettings;
use crate::steer::{Hand, Steer, save_scene};

/// Reads the keyboard, unless a text field has it.
#[expect(clippy::too_many_arguments, reason = "one per thing that keys change")]
pub fn press(
    keys: Res<ButtonInput<KeyCode>>,
    egui: Option<Res<EguiWantsInput>>,
    hand: Res<Hand>,
    mut panels: ResMut<Panels>,
    mut playback: ResMut<Playback>,
    mut steer: ResMut<Steer>,
    mut denoising: ResMut<Denoising>,
    mut library: ResMut<Library>,
    mut mode: ResMut<CameraMode>,
    mut stage: ResMut<StageSettings>,
    mut frame: MessageWriter<FrameAll>,
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
        match (key, control) {
            (KeyCode::KeyZ, true) if shift => redo(&mut steer),
            (KeyCode::KeyZ, true) => undo(&mut steer),
            (KeyCode::KeyY, true) => redo(&mut steer),
            (KeyCode::KeyS, true) => {
                let path = panels.scene_path.clone();
                let saved = save_scene(&steer.scene, path.as_ref());
                panels.tell(saved.map(|()| format!("saved {path}")));
            }
            (_, true) => {}
            (KeyCode::KeyH | KeyCode::F1, _) => panels.shows_help = !panels.shows_help,
            (KeyCode::KeyA, _) => {
                frame.write(FrameAll);
            }
            (KeyCode::KeyT, _) => mode.is_top = !mode.is_top,
            (KeyCode::KeyF, _) => mode.follows = !mode.follows,
            (KeyCode::KeyR, _) => stage.shows_trails = !stage.shows_trails,
            (KeyCode::KeyB, _) => library.overlays = !library.overlays,
            (KeyCode::Comma | KeyCode::Period, _) => {
                let last = denoising.steps.len().saturating_sub(1);
                let now = denoising.shown.unwrap_or(last);
                let next = if *key == KeyCode::Comma {
                    now.saturating_sub(1)
                } else {
                    (now + 1).min(last)
                };
                denoising.shown = (!denoising.steps.is_empty()).then_some(next);
            }
            (KeyCode::Escape, _) => {
                steer.stop();
                steer.notes.clear();
                panels.failures.clear();
                panels.notice = None;
                panels.shows_help = false;
            }
            _ => {
                play(*key, shift, &mut playback);
                change(*key, &hand, &mut steer);
            }
        }
    }
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

/// Keys of the scene.
fn change(key: KeyCode, hand: &Hand, steer: &mut Steer) {
    match (key, hand.floor_m) {
        (KeyCode::KeyG, _) => steer.make(),
        (KeyCode::KeyN, _) => {
            steer.settings.seed = steer.settings.seed.wrapping_add(1);
            steer.make();
        }
        (KeyCode::Delete | KeyCode::Backspace, _) => {
            if let Some(grip) = steer.selected {
                remove_selected(steer, grip);
            }
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
                .extend(edit::round_obstacle(place, 0.4));
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
