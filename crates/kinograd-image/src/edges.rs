use kinograd_guidance::{GuidanceError, Loss, LossValue};
use ndarray::{Array2, ArrayD, ArrayView3, Axis};

use crate::batch::{images, root_mean_square};

/// The contrast, as a share of black against white, at which an edge counts half.
pub const EDGE_HALF: f64 = 0.1;

/// Sobel's response to a step from −1 to 1.
const FULL_STEP: f64 = 8.0;
/// Rounds off the magnitude's kink at 0.
const SMOOTH: f64 = 1e-3;
/// Sobel's smoothing across and difference along, both of length 3.
const ACROSS: [f64; 3] = [1.0, 2.0, 1.0];
const ALONG: [f64; 3] = [-1.0, 0.0, 1.0];

/// Root mean square of the difference between the edge map of x̂0 and a drawing.
///
/// The edge map is `m / (m + 0.1)`, where `m = √(gx² + gy² + 10⁻⁶) − 10⁻³` is Sobel's magnitude
/// (Sobel & Feldman 1968) of the channels' mean, with edge pixels repeated, scaled so that a step
/// from black to white gives 1. Analytic on purpose: it needs no network and has an exact gradient.
#[derive(Debug, Clone)]
pub struct EdgeMatch {
    edges: Array2<f64>,
}

impl EdgeMatch {
    /// `edges`: `[height, width]`, 0 for none to 1 for a strong edge.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a value is outside 0..1 or there is no edge at all.
    pub fn new(edges: Array2<f64>) -> Result<Self, GuidanceError> {
        let within = edges.iter().all(|e| (0.0..=1.0).contains(e));
        if within && edges.iter().any(|e| *e > 0.0) {
            return Ok(Self { edges });
        }
        Err(GuidanceError::Field {
            field: "edges",
            value: format!("{} × {} pixels", edges.nrows(), edges.ncols()),
            expected: "must be from 0 to 1 and not all 0",
        })
    }
}

/// The edge map of an image `[channels, height, width]` in −1..1, as [`EdgeMatch`] has it.
#[must_use]
pub fn edge_map(image: ArrayView3<'_, f32>) -> Array2<f64> {
    Gradients::of(&grey(image)).edges()
}

fn grey(image: ArrayView3<'_, f32>) -> Array2<f64> {
    let (channels, height, width) = image.dim();
    let mut grey = Array2::zeros((height, width));
    for plane in image.axis_iter(Axis(0)) {
        grey += &plane.mapv(f64::from);
    }
    grey / channels.max(1) as f64
}

/// Sobel's two responses.
struct Gradients {
    x: Array2<f64>,
    y: Array2<f64>,
}

impl Gradients {
    fn of(grey: &Array2<f64>) -> Self {
        Self {
            x: correlate(grey, ACROSS, ALONG, false),
            y: correlate(grey, ALONG, ACROSS, false),
        }
    }

    fn magnitudes(&self) -> Array2<f64> {
        ndarray::Zip::from(&self.x)
            .and(&self.y)
            .map_collect(|x, y| (x * x + y * y + SMOOTH * SMOOTH).sqrt())
    }

    fn edges(&self) -> Array2<f64> {
        self.magnitudes().mapv(|m| {
            let m = m - SMOOTH;
            m / (m + EDGE_HALF)
        })
    }

    /// The cotangent of the grey image for one of the edge map.
    fn pull_back(&self, cotangent: &Array2<f64>) -> Array2<f64> {
        // ∂e/∂m = h / (m + h)², ∂m/∂gx = gx / √(gx² + gy² + s²).
        let factor = ndarray::Zip::from(&self.magnitudes())
            .and(cotangent)
            .map_collect(|m, c| c * EDGE_HALF / (m - SMOOTH + EDGE_HALF).powi(2) / m);
        correlate(&(&factor * &self.x), ACROSS, ALONG, true)
            + correlate(&(&factor * &self.y), ALONG, ACROSS, true)
    }
}

/// Correlation with `vertical ⊗ horizontal / FULL_STEP`, edge pixels repeated; or its transpose.
fn correlate(
    image: &Array2<f64>,
    vertical: [f64; 3],
    horizontal: [f64; 3],
    transpose: bool,
) -> Array2<f64> {
    let (height, width) = image.dim();
    let mut out = Array2::zeros((height, width));
    let clamped = |at: usize, step: usize, side: usize| (at + step).clamp(1, side) - 1;
    for row in 0..height {
        for column in 0..width {
            for (dy, v) in vertical.iter().enumerate() {
                for (dx, h) in horizontal.iter().enumerate() {
                    let far = [clamped(row, dy, height), clamped(column, dx, width)];
                    let weight = v * h / FULL_STEP;
                    if transpose {
                        out[far] += weight * image[[row, column]];
                    } else {
                        out[[row, column]] += weight * image[far];
                    }
                }
            }
        }
    }
    out
}

impl Loss for EdgeMatch {
    fn name(&self) -> &str {
        "sketch"
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let dynamic = x0.view();
        let view = images("sketch", &dynamic)?;
        let (batch, channels, height, width) = view.dim();
        if self.edges.dim() != (height, width) {
            return Err(GuidanceError::Shape {
                what: "image under the sketch",
                expected: vec![batch, channels, self.edges.nrows(), self.edges.ncols()],
                got: x0.shape().to_vec(),
            });
        }
        let mut gradient = ArrayD::zeros(x0.raw_dim());
        let mut values = Vec::with_capacity(batch);
        for (image, mut out) in view.outer_iter().zip(gradient.axis_iter_mut(Axis(0))) {
            let slopes = Gradients::of(&grey(image));
            let residual = slopes.edges() - &self.edges;
            let squares = residual.iter().map(|r| r * r).sum();
            let (value, factor) = root_mean_square(squares, residual.len() as f64);
            let pulled = slopes.pull_back(&(residual * factor));
            for mut plane in out.axis_iter_mut(Axis(0)) {
                for (out, pulled) in plane.iter_mut().zip(&pulled) {
                    *out = (pulled / channels as f64) as f32;
                }
            }
            values.push(value);
        }
        Ok(LossValue { values, gradient })
    }
}
