//! Clips in the list.

use bevy::prelude::*;
use kinograd_bevy::{Mannequin, MotionClip, MotionPlayer};

use crate::scene::look;

/// A clip of the library.
#[derive(Component, Debug, Clone, PartialEq, Eq)]
pub struct ComparisonSlot {
    /// What the list calls it.
    pub name: String,
    /// A line of numbers under it.
    pub numbers: String,
    /// Its place in the list, and its colour.
    pub index: usize,
}

/// Puts a clip on the stage and in the list. `index` chooses its colour; the steered character has 0.
pub fn shelve(
    commands: &mut Commands,
    clips: &mut Assets<MotionClip>,
    clip: MotionClip,
    name: String,
    numbers: String,
    index: usize,
) -> Entity {
    let mut player = MotionPlayer::new(clips.add(clip));
    player.playing = false;
    let body = Mannequin::new(look::body_color(index));
    commands
        .spawn((
            ComparisonSlot {
                name,
                numbers,
                index,
            },
            player,
            body,
        ))
        .id()
}
