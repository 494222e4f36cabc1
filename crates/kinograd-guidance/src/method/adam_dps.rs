use kinograd_diffusion::{Layout, StepPair};
use ndarray::{ArrayD, Zip};

use super::registry::{MethodInfo, Scales, by_rule};
use super::{GuidanceOptions, SampleStep, StepRule};
use crate::GuidanceError;

/// Longest move, where the options name none.
const MAX_MOVE: f64 = 0.1;
/// Step at scale 1, in deviations of the data.
const STEP: f64 = 0.05;

pub(super) const INFO: MethodInfo = MethodInfo::new(
    "adam-dps",
    "Adam over the sampling steps, AdamDPS (Belardi et al. 2026)",
    |objective, options| {
        let options = GuidanceOptions {
            scale: STEP * options.scale,
            ..options.bounded(MAX_MOVE)
        };
        by_rule(AdamDps::default(), objective, options)
    },
)
.scaled(Scales {
    path: 1.0,
    text: 1.0,
    seg: 1.0,
    sketch: 1.0,
});

/// Adam over the sampling steps: `x_{t−1} −= s · m̂ / (√v̂ + 1e-8) / √α_t`, with m̂ and v̂ Adam's
/// moments of `∇_{x_t} ℓ` over t (Belardi et al. 2026, AdamDPS).
#[derive(Debug, Clone)]
pub struct AdamDps {
    decay: [f64; 2],
    moments: Option<(ArrayD<f64>, ArrayD<f64>)>,
    count: i32,
}

impl Default for AdamDps {
    fn default() -> Self {
        Self {
            decay: [0.9, 0.999],
            moments: None,
            count: 0,
        }
    }
}

impl AdamDps {
    /// `decay`: of the first and the second moment.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if one is not within `0..1`.
    pub fn new(decay: [f64; 2]) -> Result<Self, GuidanceError> {
        if decay.iter().all(|decay| (0.0..1.0).contains(decay)) {
            Ok(Self {
                decay,
                ..Self::default()
            })
        } else {
            Err(GuidanceError::Field {
                field: "decay",
                value: format!("{decay:?}"),
                expected: "must be two numbers within 0..1",
            })
        }
    }
}

/// Adam's guard against a second moment of zero.
const EPSILON: f64 = 1e-8;

impl StepRule for AdamDps {
    fn name(&self) -> &str {
        "adam-dps"
    }

    fn begin(&mut self, _layout: &Layout) {
        self.moments = None;
        self.count = 0;
    }

    fn direction(&mut self, mut gradient: ArrayD<f32>, _pair: StepPair) -> ArrayD<f32> {
        let (first, second) = self.moments.get_or_insert_with(|| {
            let zeros = || ArrayD::zeros(gradient.raw_dim());
            (zeros(), zeros())
        });
        self.count = self.count.saturating_add(1);
        let [keep_first, keep_second] = self.decay;
        let bias = [
            1.0 - keep_first.powi(self.count),
            1.0 - keep_second.powi(self.count),
        ];
        Zip::from(&mut gradient)
            .and(first)
            .and(second)
            .for_each(|g, m, v| {
                let here = f64::from(*g);
                *m = keep_first * *m + (1.0 - keep_first) * here;
                *v = keep_second * *v + (1.0 - keep_second) * here * here;
                *g = (*m / bias[0] / ((*v / bias[1]).sqrt() + EPSILON)) as f32;
            });
        gradient
    }

    fn factor(&self, at: &SampleStep) -> f64 {
        1.0 / at.pair.alpha().sqrt()
    }
}
