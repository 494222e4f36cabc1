//! Losses on images `[batch, channels, height, width]`, pixels in −1..1.

mod colour;
mod decoded;
mod edges;
mod measurement;
mod network;
mod operator;
mod preprocessed;
mod preprocessing;

pub use colour::{ColourStatistics, ColourTarget};
pub use decoded::DecodedLossAdapter;
pub use edges::{EDGE_HALF, EdgeMatch, edge_map};
pub use measurement::LinearMeasurement;
pub use network::{AsEmbedding, ClassLoss, MaskMatch, Network, NetworkPullBack, RewardLoss};
pub use operator::{ImageOperator, Interpolation};
pub use preprocessed::{Preprocessed, PreprocessedLoss};
pub use preprocessing::{ChannelOrder, PixelFormat, PixelLayout, Preprocessing};

use ndarray::{ArrayView4, ArrayViewD, Ix4};

use crate::GuidanceError;

/// The images of a batch, or an error that names what came.
fn images<'a>(
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
fn root_mean_square(squares: f64, count: f64) -> (f64, f64) {
    let count = count.max(1.0);
    let value = (squares / count).sqrt();
    let factor = if value > 0.0 {
        1.0 / (count * value)
    } else {
        0.0
    };
    (value, factor)
}
