//! The hand: what the pointer does over the floor.

use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy_panorbit_camera::PanOrbitCamera;
use kinograd_bevy::edit::{handle_at, move_handle, on_floor};

use super::state::Steer;
use crate::canvas::Canvas;

/// How near a point has to be to be taken, metres.
const REACH_M: f32 = 0.3;

/// The pointer over the floor. A window fills it by [`read_hand`]; tests and scripts do it themselves.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq)]
pub struct DragState {
    /// Where it points at, `(x, z)`, metres.
    pub floor_m: Option<Vec2>,
    /// Whether it is closed.
    pub is_closed: bool,
    was_closed: bool,
    /// From where it holds to what it holds, metres.
    offset_m: Vec2,
}

/// Reads the pointer of a window; over panels the hand is open and points at nothing.
pub fn read_hand(
    mut hand: ResMut<DragState>,
    canvas: Res<Canvas>,
    window: Query<&Window, With<PrimaryWindow>>,
    camera: Query<(&Camera, &GlobalTransform), With<PanOrbitCamera>>,
    buttons: Res<ButtonInput<MouseButton>>,
) {
    let (Ok(window), Ok((camera, place))) = (window.single(), camera.single()) else {
        return;
    };
    // What is held stays held when the pointer strays over a panel.
    hand.is_closed = buttons.pressed(MouseButton::Left) && (canvas.is_hovered || hand.is_closed);
    let ray = window.cursor_position().and_then(|cursor| {
        let at = canvas.in_image(cursor, camera.logical_viewport_size()?);
        camera.viewport_to_world(place, at).ok()
    });
    let sees = canvas.is_hovered || hand.is_closed;
    hand.floor_m = ray.and_then(on_floor).filter(|_| sees);
}

/// Takes hold of things, moves them and lets go.
pub fn hold(mut hand: ResMut<DragState>, mut steer: ResMut<Steer>) {
    let (closes, opens) = (
        hand.is_closed && !hand.was_closed,
        !hand.is_closed && hand.was_closed,
    );
    hand.was_closed = hand.is_closed;
    if opens && steer.is_held {
        steer.is_held = false;
        // The last place is worth a whole run, whatever was seen on the way.
        if steer.follows_changes && !steer.is_busy_with_scene() {
            steer.make();
        }
    }
    let Some(at) = hand.floor_m else {
        return;
    };
    if closes {
        let handle = handle_at(&steer.scene, at, REACH_M);
        steer.selected = handle;
        if let Some(handle) = handle {
            steer.remember();
            steer.is_held = true;
            let place = kinograd_bevy::edit::handles(&steer.scene)
                .into_iter()
                .find(|(found, _)| *found == handle);
            hand.offset_m = place.map_or(Vec2::ZERO, |(_, place)| place - at);
        }
    }
    if let (true, Some(handle)) = (steer.is_held, steer.selected) {
        let mut moved = steer.scene.clone();
        if move_handle(&mut moved, handle, at + hand.offset_m) && moved != steer.scene {
            steer.scene = moved;
            if steer.follows_changes {
                steer.make();
            }
        }
    }
}
