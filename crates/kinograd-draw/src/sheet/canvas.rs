//! Shapes on a pixel map.

use glam::DVec2;
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, Rect, Stroke, Transform,
};

/// Colour with straight alpha, components 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ink(pub f64, pub f64, pub f64, pub f64);

impl Ink {
    pub const fn hex(rgb: u32) -> Self {
        Self(
            ((rgb >> 16) & 255) as f64 / 255.0,
            ((rgb >> 8) & 255) as f64 / 255.0,
            (rgb & 255) as f64 / 255.0,
            1.0,
        )
    }

    pub fn alpha(self, alpha: f64) -> Self {
        Self(self.0, self.1, self.2, self.3 * alpha)
    }

    /// A share of the way to another colour.
    pub fn towards(self, other: Self, share: f64) -> Self {
        let mix = |a: f64, b: f64| a + share * (b - a);
        Self(
            mix(self.0, other.0),
            mix(self.1, other.1),
            mix(self.2, other.2),
            mix(self.3, other.3),
        )
    }

    pub fn color(self) -> Color {
        let part = |v: f64| v.clamp(0.0, 1.0) as f32;
        Color::from_rgba(part(self.0), part(self.1), part(self.2), part(self.3))
            .unwrap_or(Color::TRANSPARENT)
    }

    fn paint(self) -> Paint<'static> {
        let mut paint = Paint::default();
        paint.set_color(self.color());
        paint
    }
}

/// Draws on a pixel map; shapes that are not finite are left out.
pub(super) struct Canvas<'a>(pub &'a mut Pixmap);

impl Canvas<'_> {
    pub fn polygon(&mut self, points: &[DVec2], ink: Ink) {
        self.polygons(&[points.to_vec()], ink);
    }

    /// Several outlines as one shape: what overlaps does not add up.
    pub fn polygons(&mut self, outlines: &[Vec<DVec2>], ink: Ink) {
        let mut builder = PathBuilder::new();
        for outline in outlines {
            trace(&mut builder, outline, true);
        }
        if let Some(path) = builder.finish() {
            self.0.fill_path(
                &path,
                &ink.paint(),
                FillRule::Winding,
                Transform::identity(),
                None,
            );
        }
    }

    pub fn line(&mut self, points: &[DVec2], width_px: f64, ink: Ink) {
        self.stroke(points, false, width_px, ink);
    }

    pub fn outline(&mut self, points: &[DVec2], width_px: f64, ink: Ink) {
        self.stroke(points, true, width_px, ink);
    }

    fn stroke(&mut self, points: &[DVec2], closed: bool, width_px: f64, ink: Ink) {
        let mut builder = PathBuilder::new();
        trace(&mut builder, points, closed);
        if let Some(path) = builder.finish() {
            let stroke = Stroke {
                width: width_px as f32,
                line_cap: LineCap::Round,
                line_join: LineJoin::Round,
                ..Stroke::default()
            };
            self.0
                .stroke_path(&path, &ink.paint(), &stroke, Transform::identity(), None);
        }
    }

    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, ink: Ink) {
        if let Some(rect) = Rect::from_xywh(x as f32, y as f32, width as f32, height as f32) {
            self.0
                .fill_rect(rect, &ink.paint(), Transform::identity(), None);
        }
    }

    /// Two discs and the tangents between them, in one colour.
    pub fn capsule(&mut self, a: DVec2, b: DVec2, a_radius: f64, b_radius: f64, ink: Ink) {
        self.polygon(&capsule_outline(a, b, a_radius, b_radius), ink);
    }
}

fn trace(builder: &mut PathBuilder, points: &[DVec2], closed: bool) {
    if points
        .iter()
        .any(|point| !point.is_finite() || point.abs().max_element() > 1e6)
    {
        return;
    }
    for (index, point) in points.iter().enumerate() {
        let (x, y) = (point.x as f32, point.y as f32);
        if index == 0 {
            builder.move_to(x, y);
        } else {
            builder.line_to(x, y);
        }
    }
    if closed {
        builder.close();
    }
}

/// Outline of a capsule with two radii.
pub(super) fn capsule_outline(a: DVec2, b: DVec2, a_radius: f64, b_radius: f64) -> Vec<DVec2> {
    const STEPS: usize = 14;
    let length = a.distance(b);
    let axis = (b - a).to_angle();
    // Where the tangent leaves the circles; one circle inside the other leaves a circle.
    let lean = ((a_radius - b_radius) / length.max(1e-6))
        .clamp(-1.0, 1.0)
        .acos();
    let arc = |centre: DVec2, radius: f64, from: f64, to: f64| {
        (0..=STEPS).map(move |step| {
            let angle = from + (to - from) * step as f64 / STEPS as f64;
            centre + radius * DVec2::from_angle(angle)
        })
    };
    let turn = std::f64::consts::TAU;
    arc(b, b_radius, axis - lean, axis + lean)
        .chain(arc(a, a_radius, axis + lean, axis + turn - lean))
        .collect()
}
