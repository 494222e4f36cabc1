use std::f64::consts::PI;

use ndarray::{Array2, Array3, Axis, concatenate};
use serde::{Deserialize, Serialize};

use kinograd::image::Picture;

/// Samples of a pixel along each side.
const SAMPLES: usize = 4;

/// A silhouette whose place is known exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A disc.
    Disc,
    /// A square.
    Square,
    /// A triangle, its tip up.
    Triangle,
    /// A heart.
    Heart,
    /// A star of five points.
    Star,
    /// A crescent, open to the right.
    Crescent,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Disc,
        Self::Square,
        Self::Triangle,
        Self::Heart,
        Self::Star,
        Self::Crescent,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Disc => "disc",
            Self::Square => "square",
            Self::Triangle => "triangle",
            Self::Heart => "heart",
            Self::Star => "star",
            Self::Crescent => "crescent",
        }
    }

    /// Whether a point lies inside; the picture spans −1..1 both ways, y up.
    fn holds(self, x: f64, y: f64) -> bool {
        match self {
            Self::Disc => x.hypot(y) < 0.75,
            Self::Square => x.abs().max(y.abs()) < 0.65,
            Self::Triangle => y > -0.65 && x.abs() < 0.8 * (0.75 - y) / 1.4,
            Self::Heart => {
                // (x² + y² − 1)³ < x² y³
                let (x, y) = (1.45 * x, 1.45 * y + 0.12);
                (x * x + y * y - 1.0).powi(3) < x * x * y.powi(3)
            }
            Self::Star => {
                // One of ten equal triangles between a tip and a notch.
                let (tip, notch) = (0.85, 0.85 * 0.382);
                let fifth = 2.0 * PI / 5.0;
                let turned = (x.atan2(y)).rem_euclid(fifth);
                let angle = turned.min(fifth - turned);
                let (across, along) = (x.hypot(y) * angle.sin(), x.hypot(y) * angle.cos());
                let (notch_across, notch_along) =
                    (notch * (fifth / 2.0).sin(), notch * (fifth / 2.0).cos());
                (tip - along) * notch_across > across * (tip - notch_along)
            }
            Self::Crescent => x.hypot(y) < 0.75 && (x - 0.32).hypot(y - 0.12) > 0.62,
        }
    }

    /// Share of each pixel that it covers, `[height, width]`.
    #[must_use]
    pub fn coverage(self, [height, width]: [usize; 2]) -> Array2<f32> {
        let place = |at: usize, sample: usize, side: usize| {
            let offset = (sample as f64 + 0.5) / SAMPLES as f64;
            2.0 * (at as f64 + offset) / side as f64 - 1.0
        };
        Array2::from_shape_fn((height, width), |(row, column)| {
            let inside = (0..SAMPLES * SAMPLES)
                .filter(|sample| {
                    let x = place(column, sample % SAMPLES, width);
                    let y = -place(row, sample / SAMPLES, height);
                    self.holds(x, y)
                })
                .count();
            inside as f32 / (SAMPLES * SAMPLES) as f32
        })
    }

    /// White where it is, black elsewhere.
    #[must_use]
    pub fn mask(self, size: [usize; 2]) -> Picture {
        grey(self.coverage(size))
    }

    /// Its outline, as the edge map of a black silhouette on white shows it: dark lines on white.
    #[must_use]
    pub fn drawing(self, size: [usize; 2]) -> Picture {
        let silhouette = grey(1.0 - self.coverage(size));
        let edges = kinograd::image::edge_map(silhouette.0.view());
        grey(edges.mapv(|edge| 1.0 - edge as f32))
    }
}

/// A picture of one brightness a pixel, 0 for black to 1 for white.
fn grey(brightness: Array2<f32>) -> Picture {
    let plane: Array3<f32> = (2.0 * brightness - 1.0).insert_axis(Axis(0));
    let planes = [plane.view(), plane.view(), plane.view()];
    // Planes of one shape always stack.
    let stacked = concatenate(Axis(0), &planes).unwrap_or_else(|_| plane.clone());
    Picture(stacked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silhouettes_have_the_areas_of_their_shapes() {
        // Share of the picture, whose sides are 2 long.
        let star = 10.0 * 0.5 * 0.85 * 0.85 * 0.382 * (PI / 5.0).sin() / 4.0;
        for (shape, area) in [
            (Shape::Disc, PI * 0.75 * 0.75 / 4.0),
            (Shape::Square, 0.65 * 0.65),
            (Shape::Triangle, 0.5 * 1.6 * 1.4 / 4.0),
            (Shape::Star, star),
        ] {
            let found = f64::from(shape.coverage([128, 96]).mean().unwrap());
            assert!((found - area).abs() < 2e-3, "{shape:?}: {found}, {area}");
        }
        // All are symmetric but the crescent, and none touches the border.
        for shape in Shape::ALL {
            let cover = shape.coverage([64, 64]);
            let mirrored = cover.slice(ndarray::s![.., ..;-1]);
            assert_eq!(cover == mirrored, shape != Shape::Crescent, "{shape:?}");
            assert_eq!(cover.row(0).sum() + cover.row(63).sum(), 0.0, "{shape:?}");
            assert!(cover.mean().unwrap() > 0.1, "{shape:?}");
        }
    }

    #[test]
    fn a_black_silhouette_has_the_edges_of_its_drawing() {
        let drawing = Shape::Heart.drawing([64, 64]);
        let edges = drawing.brightness().mapv(|light| 1.0 - f64::from(light));
        let mut loss = kinograd::image::EdgeMatch::new(edges).unwrap();
        let black = grey(1.0 - Shape::Heart.coverage([64, 64])).0;
        let value = |picture: Array3<f32>| {
            let batch = picture.insert_axis(Axis(0)).into_dyn();
            kinograd::guidance::Loss::value_and_grad(&mut loss, &batch)
                .unwrap()
                .values[0]
        };
        let mut value = value;
        assert!(value(black) < 1e-6);
        assert!(value(Array3::ones((3, 64, 64))) > 0.1);
    }
}
