use ndarray::{ArrayD, Zip};

use crate::RuntimeError;

/// Adam (Kingma & Ba 2015, algorithm 1), with β = (0.9, 0.999) and ε = 1e-8.
///
/// ```
/// use kinograd_runtime::Adam;
/// use ndarray::array;
///
/// // A first step moves every weight by the learning rate against its gradient's sign.
/// let mut weights = [array![1.0_f32, 2.0].into_dyn()];
/// Adam::new(0.1)?.step(&mut weights, &[array![5.0_f32, -0.2].into_dyn()])?;
/// assert!((weights[0][[0]] - 0.9).abs() < 1e-6 && (weights[0][[1]] - 2.1).abs() < 1e-6);
/// # Ok::<(), kinograd_runtime::RuntimeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Adam {
    learning_rate: f64,
    steps: i32,
    /// First and second moment of each weight's gradient.
    moments: Vec<[ArrayD<f32>; 2]>,
}

impl Adam {
    const DECAYS: [f64; 2] = [0.9, 0.999];
    const EPSILON: f64 = 1e-8;

    /// # Errors
    /// [`RuntimeError::Parameter`] if the learning rate is not a positive number.
    pub fn new(learning_rate: f64) -> Result<Self, RuntimeError> {
        if !(learning_rate.is_finite() && learning_rate > 0.0) {
            return Err(RuntimeError::Parameter {
                name: "learning_rate",
                value: learning_rate.to_string(),
                expected: "a positive number".into(),
            });
        }
        Ok(Self {
            learning_rate,
            steps: 0,
            moments: Vec::new(),
        })
    }

    /// Moves each weight by its gradient; the same weights in the same order every time. Where
    /// something is at fault, no weight is changed.
    ///
    /// # Errors
    /// [`RuntimeError::Tensor`] if the shapes differ, [`RuntimeError::Parameter`] if a gradient is
    /// not finite.
    pub fn step(
        &mut self,
        weights: &mut [ArrayD<f32>],
        gradients: &[ArrayD<f32>],
    ) -> Result<(), RuntimeError> {
        let shapes = |arrays: &[ArrayD<f32>]| -> Vec<Vec<usize>> {
            arrays.iter().map(|array| array.shape().to_vec()).collect()
        };
        if shapes(weights) != shapes(gradients) {
            return Err(RuntimeError::Tensor {
                what: "gradients of the weights".into(),
                expected: format!("{:?}", shapes(weights)),
                got: format!("{:?}", shapes(gradients)),
            });
        }
        if gradients.iter().flatten().any(|g| !g.is_finite()) {
            return Err(RuntimeError::Parameter {
                name: "gradients of the weights",
                value: "not finite".into(),
                expected: "finite numbers; a smaller learning rate may give them".into(),
            });
        }
        if self.moments.is_empty() {
            let zeros = |weight: &ArrayD<f32>| ArrayD::zeros(weight.raw_dim());
            self.moments = weights.iter().map(|w| [zeros(w), zeros(w)]).collect();
        }
        self.steps += 1;
        let [first_decay, second_decay] = Self::DECAYS;
        let first_share = 1.0 - first_decay.powi(self.steps);
        let second_share = 1.0 - second_decay.powi(self.steps);
        for ((weight, gradient), [first, second]) in
            weights.iter_mut().zip(gradients).zip(&mut self.moments)
        {
            Zip::from(weight)
                .and(gradient)
                .and(first)
                .and(second)
                .for_each(|weight, &gradient, first, second| {
                    let g = f64::from(gradient);
                    let m = first_decay * f64::from(*first) + (1.0 - first_decay) * g;
                    let v = second_decay * f64::from(*second) + (1.0 - second_decay) * g * g;
                    (*first, *second) = (m as f32, v as f32);
                    let deviation = (v / second_share).sqrt() + Self::EPSILON;
                    *weight -= (self.learning_rate * (m / first_share) / deviation) as f32;
                });
        }
        Ok(())
    }
}
