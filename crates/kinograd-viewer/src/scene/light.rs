//! The stage's light.

use bevy::light::{CascadeShadowConfig, CascadeShadowConfigBuilder};
use bevy::prelude::*;

use super::look;
use crate::quality::Quality;

/// The light that throws shadows.
#[derive(Component, Debug, Clone, Copy)]
pub struct Sun;

/// Sharp shadows round what a camera looks at from so many metres: the map covers no more than that.
#[must_use]
pub fn shadows(distance_m: f32) -> CascadeShadowConfig {
    let far = 1.35 * distance_m + 3.0;
    CascadeShadowConfigBuilder {
        num_cascades: 1,
        minimum_distance: (0.65 * distance_m - 3.0).max(0.1),
        maximum_distance: far,
        first_cascade_far_bound: far,
        ..default()
    }
    .build()
}

/// A sun that throws shadows and two lights that fill them; in low quality a sun and an even glow.
pub(super) fn light(
    mut commands: Commands,
    quality: Res<Quality>,
    mut clear: ResMut<ClearColor>,
    mut glow: ResMut<GlobalAmbientLight>,
) {
    let from =
        |x: f32, y: f32, z: f32| Transform::from_xyz(x, y, z).looking_at(Vec3::ZERO, Vec3::Y);
    let is_high = *quality == Quality::High;
    commands.spawn((
        DirectionalLight {
            color: Color::srgb(1.0, 0.96, 0.89),
            illuminance: 9_000.0,
            shadow_maps_enabled: is_high,
            ..default()
        },
        from(-3.0, 6.0, 2.2),
        Sun,
        shadows(8.0),
    ));
    if !is_high {
        *clear = ClearColor(look::PLAIN);
        *glow = GlobalAmbientLight {
            color: Color::srgb(0.86, 0.92, 1.0),
            brightness: 1_500.0,
            ..default()
        };
        return;
    }
    for (color, illuminance, place) in [
        (Color::srgb(0.75, 0.85, 1.0), 2_200.0, from(4.0, 3.0, 3.0)),
        (Color::srgb(0.95, 0.92, 1.0), 1_600.0, from(1.0, 2.5, -5.0)),
    ] {
        commands.spawn((
            DirectionalLight {
                color,
                illuminance,
                ..default()
            },
            place,
        ));
    }
}

/// Light from all around for a camera: the sky above, the floor's glow below.
#[must_use]
pub fn sky_light(images: &mut Assets<Image>) -> EnvironmentMapLight {
    EnvironmentMapLight {
        intensity: 900.0,
        ..EnvironmentMapLight::hemispherical_gradient(
            images,
            Color::srgb(0.86, 0.92, 1.0),
            Color::srgb(0.80, 0.84, 0.90),
            Color::srgb(0.62, 0.60, 0.58),
        )
    }
}
