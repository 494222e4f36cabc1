//! Colours and materials of the stage.

use bevy::prelude::*;

/// The floor.
pub const FLOOR: Color = Color::srgb(0.80, 0.82, 0.85);
/// The floor where it has no surface of its own, as [`FLOOR`] looks in the light.
pub const PLAIN: Color = Color::srgb(0.875, 0.885, 0.90);
/// What is beyond the floor.
pub const SKY: Color = Color::srgb(0.89, 0.905, 0.925);
/// What the floor fades into; brighter than [`SKY`], which no tone curve darkens.
pub const HAZE: Color = Color::linear_rgb(1.55, 1.62, 1.72);
/// Lines and numbers on the floor.
pub const GRID: Color = Color::srgb(0.34, 0.40, 0.50);
/// Where the clip should end.
pub const TARGET: Color = Color::srgb(0.09, 0.62, 0.42);
/// Where it should pass.
pub const WAYPOINT: Color = Color::srgb(0.46, 0.34, 0.82);
/// Joints' places and directions to face.
pub const PLACE: Color = Color::srgb(0.93, 0.62, 0.13);
/// What it should go round.
pub const OBSTACLE: Color = Color::srgb(0.70, 0.27, 0.25);
/// What it should stay in.
pub const KEEP_IN: Color = Color::srgb(0.20, 0.50, 0.80);

/// Bodies of several clips, in order: told apart by most colour-blind people too.
pub const BODIES: [Color; 8] = [
    Color::srgb(0.93, 0.56, 0.30),
    Color::srgb(0.25, 0.52, 0.82),
    Color::srgb(0.36, 0.66, 0.52),
    Color::srgb(0.70, 0.45, 0.70),
    Color::srgb(0.88, 0.74, 0.30),
    Color::srgb(0.42, 0.74, 0.84),
    Color::srgb(0.80, 0.42, 0.44),
    Color::srgb(0.52, 0.56, 0.62),
];

/// The colour of the clip at a place.
#[must_use]
pub fn body_color(index: usize) -> Color {
    BODIES[index % BODIES.len()]
}

/// Paint on the floor: without light, see-through where its colour says so.
#[must_use]
pub fn flat(color: Color) -> StandardMaterial {
    StandardMaterial {
        base_color: color,
        unlit: true,
        alpha_mode: AlphaMode::Blend,
        cull_mode: None,
        double_sided: true,
        ..default()
    }
}

/// Something solid and dull.
#[must_use]
pub fn matte(color: Color) -> StandardMaterial {
    let opaque = color.alpha() >= 1.0;
    StandardMaterial {
        base_color: color,
        perceptual_roughness: 0.8,
        reflectance: 0.2,
        alpha_mode: if opaque {
            AlphaMode::Opaque
        } else {
            AlphaMode::Blend
        },
        ..default()
    }
}
