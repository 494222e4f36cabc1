//! Distances between sets of embeddings, as Guo et al. 2022 (HumanML3D) evaluate text-to-motion.
//! The numbers depend on the embedding: say which one when reporting them.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use super::symmetric::{sqrt_psd, symmetric_eigen};
use crate::MotionError;

/// Fréchet distance of the Gaussians fitted to two sets of embeddings `[samples, d]` (Heusel et
/// al. 2017, "FID"): ‖μ₁−μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), with unbiased covariances.
///
/// # Errors
/// [`MotionError::Shape`] with fewer than two samples or unequal dimensions.
///
/// ```
/// use ndarray::Array2;
/// let a = Array2::from_shape_fn((50, 3), |(i, j)| ((i * 3 + j) as f32).sin());
/// let shifted = &a + 2.0;
/// let distance = kinograd_motion::metrics::frechet_distance(a.view(), shifted.view())?;
/// assert!((distance - 12.0).abs() < 1e-3); // 2² in each of 3 dimensions
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
pub fn frechet_distance(
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
) -> Result<f64, MotionError> {
    Gaussian::of(a)?.frechet_distance(&Gaussian::of(b)?)
}

/// Mean and covariance of embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussian {
    mean: Array1<f64>,
    covariance: Array2<f64>,
}

impl Gaussian {
    /// `mean` `[d]` and symmetric `covariance` `[d, d]`.
    ///
    /// # Errors
    /// [`MotionError::Shape`] if the dimensions are unequal or none.
    pub fn new(mean: Array1<f64>, covariance: Array2<f64>) -> Result<Self, MotionError> {
        let d = mean.len();
        if d == 0 || covariance.dim() != (d, d) {
            return Err(MotionError::Shape {
                what: "covariance",
                expected: format!("[{d}, {d}], 1 or more"),
                got: covariance.shape().to_vec(),
            });
        }
        Ok(Self { mean, covariance })
    }

    /// Fitted to embeddings `[samples, d]`, the covariance unbiased.
    ///
    /// # Errors
    /// [`MotionError::Shape`] with fewer than two samples.
    pub fn of(set: ArrayView2<'_, f32>) -> Result<Self, MotionError> {
        if set.nrows() < 2 {
            return Err(MotionError::Shape {
                what: "embeddings",
                expected: format!("[2 or more, {}]", set.ncols()),
                got: set.shape().to_vec(),
            });
        }
        let set = set.mapv(f64::from);
        let count = set.nrows() as f64;
        let mean = set.sum_axis(Axis(0)) / count;
        let centred = set - &mean;
        let covariance = centred.t().dot(&centred) / (count - 1.0);
        Ok(Self { mean, covariance })
    }

    /// Numbers of an embedding.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.mean.len()
    }

    /// Fréchet distance from another one, as [`frechet_distance`].
    ///
    /// # Errors
    /// [`MotionError::Shape`] for unequal dimensions.
    pub fn frechet_distance(&self, other: &Self) -> Result<f64, MotionError> {
        if self.mean.len() != other.mean.len() {
            return Err(MotionError::Shape {
                what: "embeddings",
                expected: format!("[samples, {}]", self.mean.len()),
                got: vec![other.mean.len()],
            });
        }
        // (Σ₁Σ₂)^½ has the trace of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric.
        let root = sqrt_psd(self.covariance.clone());
        let (values, _) = symmetric_eigen(root.dot(&other.covariance).dot(&root));
        let cross: f64 = values.iter().map(|value| value.max(0.0).sqrt()).sum();
        let shift: f64 = (&self.mean - &other.mean).iter().map(|d| d * d).sum();
        let trace = self.covariance.diag().sum() + other.covariance.diag().sum();
        Ok((shift + trace - 2.0 * cross).max(0.0))
    }

    /// Draws from it, for standard normal numbers `[samples, d]`.
    ///
    /// # Errors
    /// [`MotionError::Shape`] for other dimensions.
    pub fn draws(&self, normal: ArrayView2<'_, f32>) -> Result<Array2<f32>, MotionError> {
        if normal.ncols() != self.mean.len() {
            return Err(MotionError::Shape {
                what: "normal numbers",
                expected: format!("[samples, {}]", self.mean.len()),
                got: normal.shape().to_vec(),
            });
        }
        let root = sqrt_psd(self.covariance.clone());
        let draws = normal.mapv(f64::from).dot(&root) + &self.mean;
        Ok(draws.mapv(|value| value as f32))
    }
}

/// Share of texts whose own motion is among the `top_k` nearest of a group of `group` (the field
/// takes 32), by Euclidean distance; samples beyond the last whole group are left out (Guo et al.
/// 2022). Row `i` of both sets `[samples, d]` is a pair; shuffle them first.
///
/// # Errors
/// [`MotionError::Shape`] for sets of unequal shape or smaller than one group.
pub fn r_precision(
    texts: ArrayView2<'_, f32>,
    motions: ArrayView2<'_, f32>,
    group: usize,
    top_k: usize,
) -> Result<f64, MotionError> {
    paired(texts, motions)?;
    let groups = texts.nrows().checked_div(group).unwrap_or(0);
    if groups == 0 {
        return Err(MotionError::Shape {
            what: "text and motion embeddings",
            expected: format!("[{} or more, d]", group.max(1)),
            got: texts.shape().to_vec(),
        });
    }
    let mut found = 0;
    for text in 0..groups * group {
        let start = text - text % group;
        let own = squared(texts.row(text), motions.row(text));
        let nearer = (start..start + group)
            .map(|motion| (motion, squared(texts.row(text), motions.row(motion))))
            .filter(|&(motion, d)| d < own || (d == own && motion < text))
            .count();
        found += usize::from(nearer < top_k);
    }
    Ok(found as f64 / (groups * group) as f64)
}

/// Mean Euclidean distance of each text from its motion (Guo et al. 2022). Row `i` of both sets
/// `[samples, d]` is a pair.
///
/// # Errors
/// [`MotionError::Shape`] for empty sets or sets of unequal shape.
pub fn multimodal_distance(
    texts: ArrayView2<'_, f32>,
    motions: ArrayView2<'_, f32>,
) -> Result<f64, MotionError> {
    paired(texts, motions)?;
    let pairs = texts.rows().into_iter().zip(motions.rows());
    let sum: f64 = pairs
        .map(|(text, motion)| squared(text, motion).sqrt())
        .sum();
    Ok(sum / texts.nrows() as f64)
}

/// Mean Euclidean distance over all pairs of distinct samples `[samples, d]`: the expectation of
/// Guo et al.'s 2022 diversity, which samples the pairs. Fewer than two samples give 0.
#[must_use]
pub fn diversity(set: ArrayView2<'_, f32>) -> f64 {
    let count = set.nrows();
    let mut sum = 0.0;
    for first in 0..count {
        for second in first + 1..count {
            sum += squared(set.row(first), set.row(second)).sqrt();
        }
    }
    sum / (count * count.saturating_sub(1) / 2).max(1) as f64
}

/// For each query `[samples, d]`, the index of and the Euclidean distance to the nearest row of
/// `references` `[references, d]`: how near a sample comes to a training clip.
///
/// # Errors
/// [`MotionError::Shape`] without references or for unequal dimensions.
pub fn nearest_neighbour_distances(
    queries: ArrayView2<'_, f32>,
    references: ArrayView2<'_, f32>,
) -> Result<Vec<(usize, f64)>, MotionError> {
    if references.nrows() == 0 || references.ncols() != queries.ncols() {
        return Err(MotionError::Shape {
            what: "reference embeddings",
            expected: format!("[1 or more, {}]", queries.ncols()),
            got: references.shape().to_vec(),
        });
    }
    Ok(queries
        .rows()
        .into_iter()
        .map(|query| {
            references
                .rows()
                .into_iter()
                .map(|reference| squared(query, reference).sqrt())
                .enumerate()
                .fold((0, f64::INFINITY), |best, next| {
                    if next.1 < best.1 { next } else { best }
                })
        })
        .collect())
}

fn paired(texts: ArrayView2<'_, f32>, motions: ArrayView2<'_, f32>) -> Result<(), MotionError> {
    if texts.is_empty() || texts.shape() != motions.shape() {
        return Err(MotionError::Shape {
            what: "motion embeddings",
            expected: format!("{:?}, as the texts', and not empty", texts.shape()),
            got: motions.shape().to_vec(),
        });
    }
    Ok(())
}

fn squared(a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>) -> f64 {
    a.iter()
        .zip(&b)
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A set whose mean is `mean` and whose covariance is exactly diagonal with `variance`.
    fn cross_polytope(mean: [f32; 2], variance: [f32; 2]) -> Array2<f32> {
        Array2::from_shape_fn((4, 2), |(i, j)| {
            let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
            let axis = if i / 2 == j { sign } else { 0.0 };
            mean[j] + axis * (1.5 * variance[j]).sqrt()
        })
    }

    #[test]
    fn frechet_distance_of_diagonal_gaussians() {
        let a = cross_polytope([0.0, 1.0], [1.0, 4.0]);
        let b = cross_polytope([3.0, 1.0], [9.0, 1.0]);
        // 3² + (1 − 3)² + (2 − 1)²
        let distance = frechet_distance(a.view(), b.view()).unwrap();
        assert!((distance - 14.0).abs() < 1e-5, "{distance}");
        assert!(frechet_distance(a.view(), a.view()).unwrap() < 1e-9);
        let wide = Array2::zeros((4, 3));
        assert!(frechet_distance(a.view(), wide.view()).is_err());
        assert!(frechet_distance(a.slice(ndarray::s![..1, ..]), b.view()).is_err());
    }

    #[test]
    fn draws_have_the_mean_and_covariance_that_they_are_drawn_from() {
        let mean = Array1::from(vec![1.0, -2.0]);
        let covariance = ndarray::array![[4.0, 1.0], [1.0, 2.0]];
        let gaussian = Gaussian::new(mean, covariance).unwrap();
        // Whitened points: mean 0, covariance 1 without error.
        let normal = cross_polytope([0.0, 0.0], [1.0, 1.0]);
        let drawn = Gaussian::of(gaussian.draws(normal.view()).unwrap().view()).unwrap();
        assert!(gaussian.frechet_distance(&drawn).unwrap() < 1e-9);
        assert!(
            (&drawn.covariance - &gaussian.covariance)
                .iter()
                .all(|d| d.abs() < 1e-5)
        );
        assert!(gaussian.draws(Array2::zeros((3, 1)).view()).is_err());
        assert!(Gaussian::new(Array1::zeros(2), Array2::zeros((2, 3))).is_err());
    }

    #[test]
    fn retrieval_counts_ranks_within_groups() {
        let texts = Array2::from_shape_fn((10, 1), |(i, _)| i as f32);
        let perfect = r_precision(texts.view(), texts.view(), 4, 1).unwrap();
        assert_eq!(perfect, 1.0);
        // Each motion lies one step on: of four, the last is beyond all and its text finds it
        // behind none but the one before.
        let shifted = &texts + 1.0;
        let top = |k: usize| r_precision(texts.view(), shifted.view(), 4, k).unwrap();
        assert_eq!(top(1), 0.25);
        assert_eq!(top(3), 1.0);
        assert!(r_precision(texts.view(), texts.view(), 32, 3).is_err());
        assert!(r_precision(texts.view(), texts.view(), 0, 3).is_err());
    }

    #[test]
    fn distances() {
        let line =
            Array2::from_shape_fn((3, 2), |(i, j)| if j == 0 { 3.0 * i as f32 } else { 0.0 });
        assert!((diversity(line.view()) - 4.0).abs() < 1e-12);
        let up = &line + &ndarray::array![[0.0, 4.0]];
        assert!((multimodal_distance(line.view(), up.view()).unwrap() - 4.0).abs() < 1e-12);
        let near = nearest_neighbour_distances(up.view(), line.view()).unwrap();
        assert_eq!(near, [(0, 4.0), (1, 4.0), (2, 4.0)]);
        assert!(nearest_neighbour_distances(up.view(), line.slice(ndarray::s![..0, ..])).is_err());
    }
}
