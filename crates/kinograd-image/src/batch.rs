//! What losses of batches of pictures share.

use kinograd_guidance::GuidanceError;
use ndarray::{ArrayView4, ArrayViewD, Ix4};

/// The images of a batch, or an error that names what came.
pub(crate) fn images<'a>(
    what: &'static str,
    x0: &'a ArrayViewD<'_, f32>,
) -> Result<ArrayView4<'a, f32>, GuidanceError> {
    let view = x0.view().into_dimensionality::<Ix4>();
    view.map_err(|_| GuidanceError::Shape {
        what,
        expected: vec![0; 4],
        got: x0.shape().to_vec(),
    })
}

/// Root mean square of `residual` over `count` elements, and the factor that makes its gradient of
/// the residual. Zero where the residual is zero: there the root has no slope.
pub(crate) fn root_mean_square(squares: f64, count: f64) -> (f64, f64) {
    let count = count.max(1.0);
    let value = (squares / count).sqrt();
    let factor = if value > 0.0 {
        1.0 / (count * value)
    } else {
        0.0
    };
    (value, factor)
}
