//! Linear operators on images, with exact adjoints.

use kinograd_guidance::GuidanceError;
use ndarray::{Array2, Array3, ArrayView3, Axis};
use serde::{Deserialize, Serialize};

/// Standard deviations at which a Gaussian is cut off, as SciPy's `gaussian_filter` has it.
const GAUSSIAN_REACH: f64 = 4.0;
/// The cubic's free parameter, as in MATLAB's `imresize`, Pillow and torch with `antialias`
/// (Keys 1981).
const KEYS: f64 = -0.5;

/// The kernel that a picture is resized by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// A triangle, two pixels wide.
    #[default]
    Bilinear,
    /// A cubic, four pixels wide.
    Bicubic,
}

/// What an inverse problem measures of an image: `y = A x`, the same for every channel.
///
/// ```
/// use kinograd_image::ImageOperator;
/// use ndarray::Array3;
/// let halves = ImageOperator::box_downsample([4, 4], 2)?;
/// let small = halves.apply(Array3::ones((3, 4, 4)).view());
/// assert_eq!(small.dim(), (3, 2, 2));
/// assert!(small.iter().all(|v| (v - 1.0).abs() < 1e-12));
/// # Ok::<(), kinograd_guidance::GuidanceError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ImageOperator(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Weights of the pixels, `[height, width]`.
    Weights(Array2<f64>),
    /// `rows · X · columnsᵀ`: `[height out, height]`, `[width out, width]`.
    Separable {
        rows: Array2<f64>,
        columns: Array2<f64>,
    },
}

impl ImageOperator {
    /// Keeps the pixels whose weight is 1 and drops those whose weight is 0: inpainting.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a weight is outside 0..1 or all are 0.
    pub fn keep(weights: Array2<f64>) -> Result<Self, GuidanceError> {
        let within = weights.iter().all(|w| (0.0..=1.0).contains(w));
        if within && weights.iter().any(|w| *w > 0.0) {
            return Ok(Self(Kind::Weights(weights)));
        }
        Err(GuidanceError::Field {
            field: "mask",
            value: format!("{} × {} pixels", weights.nrows(), weights.ncols()),
            expected: "must have weights from 0 to 1 that are not all 0",
        })
    }

    /// Means of squares of `factor` × `factor` pixels; `size`: `[height, width]`.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a side is no multiple of the factor.
    pub fn box_downsample(size: [usize; 2], factor: usize) -> Result<Self, GuidanceError> {
        Self::downsample(size, factor, |out, _| {
            (0..factor)
                .map(|step| ((out * factor + step) as i64, 1.0))
                .collect()
        })
    }

    /// Bicubic reduction with a kernel widened by the factor, cut at the edge: torch's
    /// `interpolate(mode="bicubic", antialias=True)`.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a side is no multiple of the factor.
    pub fn bicubic_downsample(size: [usize; 2], factor: usize) -> Result<Self, GuidanceError> {
        Self::downsample(
            size,
            factor,
            kernel_taps(factor as f64, Interpolation::Bicubic),
        )
    }

    /// Resizing, `size` and `to` being `[height, width]`: the kernel is widened where the picture
    /// shrinks, and cut at the edge, as Pillow, torchvision and torch's `interpolate(antialias=True)`
    /// do.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a side has no pixels.
    pub fn resize(
        size: [usize; 2],
        to: [usize; 2],
        interpolation: Interpolation,
    ) -> Result<Self, GuidanceError> {
        if let Some([height, width]) = [size, to].into_iter().find(|size| size.contains(&0)) {
            return Err(GuidanceError::Field {
                field: "size",
                value: format!("{height} × {width}"),
                expected: "must have a pixel a side at least",
            });
        }
        let [rows, columns] = [0, 1].map(|axis| {
            let scale = size[axis] as f64 / to[axis] as f64;
            matrix(to[axis], size[axis], kernel_taps(scale, interpolation))
        });
        Ok(Self(Kind::Separable { rows, columns }))
    }

    /// Gaussian blur; the image is mirrored at its edges (`d c b a | a b c d`).
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if `sigma_px` is not above 0 or wider than a quarter of the image.
    pub fn gaussian_blur(size: [usize; 2], sigma_px: f64) -> Result<Self, GuidanceError> {
        let shorter = size[0].min(size[1]);
        if !(sigma_px > 0.0 && GAUSSIAN_REACH * sigma_px <= shorter as f64) {
            return Err(GuidanceError::Field {
                field: "blur",
                value: sigma_px.to_string(),
                expected: "must be a deviation in pixels, above 0 and at most a quarter of the side",
            });
        }
        let reach = (GAUSSIAN_REACH * sigma_px + 0.5).floor() as i64;
        let [rows, columns] = size.map(|side| {
            matrix(side, side, |out, side| {
                (-reach..=reach)
                    .map(|step| {
                        let weight = (-0.5 * (step as f64 / sigma_px).powi(2)).exp();
                        (mirrored(out as i64 + step, side as i64), weight)
                    })
                    .collect()
            })
        });
        Ok(Self(Kind::Separable { rows, columns }))
    }

    fn downsample(
        size: [usize; 2],
        factor: usize,
        taps: impl Fn(usize, usize) -> Vec<(i64, f64)>,
    ) -> Result<Self, GuidanceError> {
        let fits = |side: usize| factor > 1 && side >= factor && side.is_multiple_of(factor);
        if !size.into_iter().all(fits) {
            return Err(GuidanceError::Field {
                field: "sr",
                value: factor.to_string(),
                expected: "must be a factor of at least 2 that divides the image's sides",
            });
        }
        let [rows, columns] = size.map(|side| matrix(side / factor, side, &taps));
        Ok(Self(Kind::Separable { rows, columns }))
    }

    /// Height and width of what goes in.
    #[must_use]
    pub fn input_size(&self) -> [usize; 2] {
        match &self.0 {
            Kind::Weights(weights) => [weights.nrows(), weights.ncols()],
            Kind::Separable { rows, columns } => [rows.ncols(), columns.ncols()],
        }
    }

    /// Height and width of what comes out.
    #[must_use]
    pub fn output_size(&self) -> [usize; 2] {
        match &self.0 {
            Kind::Weights(weights) => [weights.nrows(), weights.ncols()],
            Kind::Separable { rows, columns } => [rows.nrows(), columns.nrows()],
        }
    }

    pub(super) fn is_mask(&self) -> bool {
        matches!(self.0, Kind::Weights(_))
    }

    /// Pixels that are measured, counted by their weights.
    #[must_use]
    pub fn measured_pixels(&self) -> f64 {
        match &self.0 {
            Kind::Weights(weights) => weights.sum(),
            Kind::Separable { rows, columns } => (rows.nrows() * columns.nrows()) as f64,
        }
    }

    /// `A x`: `[channels, height, width]` to `[channels, height out, width out]`. Pixels beyond the
    /// operator's size are an error of the caller's that [`LinearMeasurement`] checks.
    ///
    /// [`LinearMeasurement`]: crate::LinearMeasurement
    #[must_use]
    pub fn apply(&self, image: ArrayView3<'_, f64>) -> Array3<f64> {
        self.each(image, |x| match &self.0 {
            Kind::Weights(weights) => x * weights,
            Kind::Separable { rows, columns } => rows.dot(x).dot(&columns.t()),
        })
    }

    /// `Aᵀ y`.
    #[must_use]
    pub fn adjoint(&self, measured: ArrayView3<'_, f64>) -> Array3<f64> {
        self.each(measured, |y| match &self.0 {
            Kind::Weights(weights) => y * weights,
            Kind::Separable { rows, columns } => rows.t().dot(y).dot(columns),
        })
    }

    fn each(
        &self,
        image: ArrayView3<'_, f64>,
        map: impl Fn(&Array2<f64>) -> Array2<f64>,
    ) -> Array3<f64> {
        let planes: Vec<Array2<f64>> = image
            .axis_iter(Axis(0))
            .map(|plane| map(&plane.to_owned()))
            .collect();
        let (height, width) = planes.first().map_or((0, 0), Array2::dim);
        let mut out = Array3::zeros((planes.len(), height, width));
        for (mut to, plane) in out.axis_iter_mut(Axis(0)).zip(&planes) {
            to.assign(plane);
        }
        out
    }
}

/// A plane at another size, `[height, width]`: means where it shrinks, linear in between where it grows.
///
/// # Errors
/// As [`ImageOperator::resize`].
pub fn resized(plane: &Array2<f32>, size: [usize; 2]) -> Result<Array2<f32>, GuidanceError> {
    let own = [plane.nrows(), plane.ncols()];
    if own == size {
        return Ok(plane.clone());
    }
    let operator = ImageOperator::resize(own, size, Interpolation::Bilinear)?;
    let image = plane.mapv(f64::from).insert_axis(Axis(0));
    let out = operator.apply(image.view());
    Ok(out.index_axis_move(Axis(0), 0).mapv(|value| value as f32))
}

/// Places and weights of a kernel around the pixel `out`, where `scale` pixels become one.
fn kernel_taps(scale: f64, kernel: Interpolation) -> impl Fn(usize, usize) -> Vec<(i64, f64)> {
    let width = scale.max(1.0);
    let (half, weigh): (f64, fn(f64) -> f64) = match kernel {
        Interpolation::Bilinear => (1.0, |x| (1.0 - x.abs()).max(0.0)),
        Interpolation::Bicubic => (2.0, cubic),
    };
    move |out, side| {
        let centre = (out as f64 + 0.5) * scale;
        let from = (centre - half * width).floor() as i64;
        let to = (centre + half * width).ceil() as i64;
        (from.max(0)..to.min(side as i64))
            .map(|at| (at, weigh((at as f64 + 0.5 - centre) / width)))
            .collect()
    }
}

/// `[out, side]`, rows summing to 1.
fn matrix(out: usize, side: usize, taps: impl Fn(usize, usize) -> Vec<(i64, f64)>) -> Array2<f64> {
    let mut result = Array2::zeros((out, side));
    for (row, mut weights) in result.outer_iter_mut().enumerate() {
        for (at, weight) in taps(row, side) {
            weights[at as usize] += weight;
        }
        let sum = weights.sum();
        weights.mapv_inplace(|w| w / sum);
    }
    result
}

/// The place within `0..side` that mirroring at the edges makes of `at`.
fn mirrored(at: i64, side: i64) -> i64 {
    let at = at.rem_euclid(2 * side);
    at.min(2 * side - 1 - at)
}

fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((KEYS + 2.0) * x - (KEYS + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        KEYS * (((x - 5.0) * x + 8.0) * x - 4.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(channels: usize, [height, width]: [usize; 2], seed: f64) -> Array3<f64> {
        Array3::from_shape_fn((channels, height, width), |(c, y, x)| {
            (seed + 1.7 * c as f64 + 0.9 * y as f64 + 2.3 * x as f64).sin()
        })
    }

    fn operators() -> Vec<ImageOperator> {
        let size = [12, 8];
        let checks = Array2::from_shape_fn((12, 8), |(y, x)| f64::from((x + y) % 3 == 0));
        vec![
            ImageOperator::keep(checks).unwrap(),
            ImageOperator::box_downsample(size, 2).unwrap(),
            ImageOperator::bicubic_downsample(size, 4).unwrap(),
            ImageOperator::gaussian_blur(size, 1.3).unwrap(),
        ]
    }

    #[test]
    fn adjoints_are_exact() {
        for operator in operators() {
            let x = image(2, operator.input_size(), 0.3);
            let y = image(2, operator.output_size(), 1.1);
            let left = (operator.apply(x.view()) * &y).sum();
            let right = (operator.adjoint(y.view()) * &x).sum();
            assert!((left - right).abs() < 1e-12, "{left}, {right}");
        }
    }

    #[test]
    fn what_mixes_pixels_keeps_a_constant() {
        for operator in &operators()[1..] {
            let [height, width] = operator.input_size();
            let flat = Array3::from_elem((1, height, width), 0.7);
            let out = operator.apply(flat.view());
            assert!(out.iter().all(|v| (v - 0.7).abs() < 1e-12));
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (result, part) in [
            (ImageOperator::box_downsample([12, 8], 3), "sr = 3"),
            (ImageOperator::box_downsample([12, 8], 1), "sr = 1"),
            (ImageOperator::bicubic_downsample([12, 8], 0), "sr = 0"),
            (ImageOperator::gaussian_blur([12, 8], 0.0), "blur = 0"),
            (ImageOperator::gaussian_blur([12, 8], 9.0), "blur = 9"),
            (ImageOperator::gaussian_blur([12, 8], f64::NAN), "blur"),
            (ImageOperator::keep(Array2::zeros((2, 2))), "mask"),
            (ImageOperator::keep(Array2::from_elem((2, 2), 1.5)), "mask"),
        ] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
