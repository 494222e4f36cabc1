//! Normalisation of features.

use ndarray::{Array1, Array2, ArrayView2};

use super::{
    CONTACTS, FEATURES, POSITIONS, ROOT_HEIGHT, ROOT_VELOCITY, ROTATIONS, VELOCITIES, YAW_VELOCITY,
    check_features,
};
use crate::MotionError;

/// Smallest standard deviation that is divided by.
const STD_FLOOR: f32 = 1e-3;

/// Mean and standard deviation per feature: `normalised = (features − mean) / std`.
///
/// ```
/// use kinograd_motion::{FEATURES, Normalizer};
/// use ndarray::{Array1, Array2};
///
/// let normalizer = Normalizer::new(Array1::zeros(FEATURES), Array1::from_elem(FEATURES, 2.0))?;
/// let features = Array2::<f32>::ones((3, FEATURES));
/// assert_eq!(normalizer.apply(features.view())?[[0, 0]], 0.5);
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Normalizer {
    mean: Array1<f32>,
    std: Array1<f32>,
}

impl Normalizer {
    /// From a mean and a standard deviation of 263 each.
    ///
    /// # Errors
    /// [`MotionError::Shape`] if a length is not 263; [`MotionError::Format`] if a value is not
    /// finite or a standard deviation not positive.
    pub fn new(mean: Array1<f32>, std: Array1<f32>) -> Result<Self, MotionError> {
        for (what, values) in [("mean", &mean), ("std", &std)] {
            if values.len() != FEATURES {
                return Err(MotionError::Shape {
                    what,
                    expected: format!("[{FEATURES}]"),
                    got: vec![values.len()],
                });
            }
        }
        for (column, (&mean, &std)) in mean.iter().zip(&std).enumerate() {
            if !mean.is_finite() || !std.is_finite() || std <= 0.0 {
                return Err(MotionError::Format {
                    format: "normalisation",
                    message: format!(
                        "column {column}: expected a finite mean and a positive std, got {mean} and {std}"
                    ),
                });
            }
        }
        Ok(Self { mean, std })
    }

    /// Mean per feature, `[263]`.
    #[must_use]
    pub fn mean(&self) -> &Array1<f32> {
        &self.mean
    }

    /// Standard deviation per feature, `[263]`.
    #[must_use]
    pub fn std(&self) -> &Array1<f32> {
        &self.std
    }

    /// Features to normalised features, both `[frames, 263]`.
    ///
    /// # Errors
    /// [`MotionError::Shape`] unless `features` is `[frames, 263]`.
    pub fn apply(&self, features: ArrayView2<'_, f32>) -> Result<Array2<f32>, MotionError> {
        check_features(&features)?;
        Ok((&features - &self.mean) / &self.std)
    }

    /// Normalised features to features, both `[frames, 263]`.
    ///
    /// # Errors
    /// [`MotionError::Shape`] unless `normalised` is `[frames, 263]`.
    pub fn invert(&self, normalised: ArrayView2<'_, f32>) -> Result<Array2<f32>, MotionError> {
        check_features(&normalised)?;
        Ok(&normalised * &self.std + &self.mean)
    }

    /// Jᵀu of [`invert`](Self::invert): a cotangent on features becomes one on normalised features.
    ///
    /// # Errors
    /// [`MotionError::Shape`] unless `cotangent` is `[frames, 263]`.
    pub fn invert_vjp(&self, cotangent: ArrayView2<'_, f64>) -> Result<Array2<f64>, MotionError> {
        if cotangent.ncols() != FEATURES {
            return Err(MotionError::Shape {
                what: "cotangent on features",
                expected: format!("[frames, {FEATURES}]"),
                got: cotangent.shape().to_vec(),
            });
        }
        Ok(&cotangent * &self.std.mapv(f64::from))
    }
}

/// The published standard deviation: each group of columns (heading velocity, root velocity, root
/// height, positions, rotations, velocities, contacts) shares the mean of its own, never below a
/// small floor.
///
/// # Errors
/// [`MotionError::Shape`] unless there are 263.
pub fn group_std(std: &Array1<f32>) -> Result<Array1<f32>, MotionError> {
    if std.len() != FEATURES {
        return Err(MotionError::Shape {
            what: "std",
            expected: format!("[{FEATURES}]"),
            got: vec![std.len()],
        });
    }
    let starts = [
        YAW_VELOCITY,
        ROOT_VELOCITY,
        ROOT_HEIGHT,
        POSITIONS,
        ROTATIONS,
        VELOCITIES,
        CONTACTS,
        FEATURES,
    ];
    let mut grouped = Array1::zeros(FEATURES);
    for group in starts.windows(2) {
        let range = ndarray::s![group[0]..group[1]];
        let mean = std.slice(range).mean().unwrap_or(STD_FLOOR).max(STD_FLOOR);
        grouped.slice_mut(range).fill(mean);
    }
    Ok(grouped)
}
