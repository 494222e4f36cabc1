//! How much work drawing is.

use bevy::prelude::*;

use crate::offscreen::Adapter;

/// How much work drawing is. Insert it before [`crate::ScenePlugin`] and [`crate::CameraPlugin`] set up.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quality {
    /// For processors that draw: no shadows, no light from the sky, jagged edges, fewer pixels.
    Low,
    /// Shadows, light from all around, smooth edges.
    #[default]
    High,
}

/// Pixels of a picture of low quality: at most so many are drawn, and stretched.
const LOW_PIXELS: f32 = 240_000.0;

impl Quality {
    /// Low where there is nothing but software to draw with.
    #[must_use]
    pub fn of(adapters: &[Adapter]) -> Self {
        if adapters.iter().all(|adapter| adapter.is_software) {
            Self::Low
        } else {
            Self::High
        }
    }

    /// Size in which a view of so many pixels is drawn.
    #[must_use]
    pub fn drawn_size(self, width: f32, height: f32) -> UVec2 {
        let pixels = (width * height).max(1.0);
        let scale = match self {
            Self::Low => (LOW_PIXELS / pixels).sqrt().min(1.0),
            Self::High => 1.0,
        };
        let side = |side: f32| (side * scale).round().clamp(16.0, 8192.0) as u32;
        UVec2::new(side(width), side(height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_draws_fewer_pixels_in_the_same_proportion() {
        let adapter = |is_software| Adapter {
            name: String::new(),
            is_software,
        };
        assert_eq!(Quality::of(&[adapter(true), adapter(false)]), Quality::High);
        let low = Quality::of(&[adapter(true)]);
        assert_eq!(low, Quality::Low);
        let size = low.drawn_size(1600.0, 900.0).as_vec2();
        assert!(size.x * size.y <= 1.01 * LOW_PIXELS);
        assert!((size.x / size.y - 16.0 / 9.0).abs() < 0.01);
        assert_eq!(low.drawn_size(400.0, 300.0), UVec2::new(400, 300));
        assert_eq!(
            Quality::High.drawn_size(1600.0, 900.0),
            UVec2::new(1600, 900)
        );
        assert_eq!(Quality::High.drawn_size(f32::NAN, 0.0).y, 16);
    }
}
