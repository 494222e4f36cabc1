//! Corrections of features as corrections of what a model makes.

use kinograd_motion::RootForm;
use ndarray::{Array1, Array2, ArrayD};

use super::Correction;
use crate::{GuidanceError, MotionDecoder};

/// A correction of normalised features as one of x̂0's own numbers.
pub(crate) fn correction_on_x0(
    decoder: &MotionDecoder,
    x0: &ArrayD<f32>,
    sample: usize,
    correction: Correction,
    std: &Array1<f32>,
) -> Result<Correction, GuidanceError> {
    if decoder.representation().root() == RootForm::Velocity {
        return Ok(correction);
    }
    let features = decoder.features(x0, sample)?;
    let zeros = || Array2::zeros(features.raw_dim());
    let mut whole = Correction {
        change: zeros(),
        covector: zeros(),
    };
    whole.add(&correction);
    let mut moved = features.clone();
    whole.apply(features.view(), std, &mut moved);
    let before = decoder.clip(x0, sample)?;
    let after = decoder
        .representation()
        .renormalised(before, moved.view())?;
    let on_features = &whole.covector / &std.mapv(f64::from);
    let covector = decoder
        .representation()
        .features_vjp(before, on_features.view())?;
    Ok(Correction {
        change: (&after - &before).mapv(f64::from),
        covector,
    })
}
