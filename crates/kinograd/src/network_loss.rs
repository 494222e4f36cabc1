//! A user's ONNX network as a loss on motion features.

use kinograd_guidance::{GuidanceError, Loss, LossValue, MotionDecoder, MotionGradient};
use kinograd_motion::JOINTS;
use kinograd_runtime::{RuntimeError, ScoreInput, ScoreNetwork};
use ndarray::{ArrayD, Axis, Ix3, IxDyn};

/// A network's score, or minus it.
pub(crate) struct NetworkLoss<'a> {
    pub network: &'a mut ScoreNetwork,
    pub decoder: MotionDecoder,
    /// The network says what is good, not what is bad.
    pub is_reward: bool,
}

impl NetworkLoss<'_> {
    fn failed(&self, source: RuntimeError) -> GuidanceError {
        GuidanceError::Loss {
            loss: self.network.name().to_owned(),
            source: Box::new(source),
        }
    }

    fn on_features(&mut self, x0: &ArrayD<f32>) -> Result<(Vec<f64>, ArrayD<f32>), GuidanceError> {
        let result = self.network.value_and_grad(x0);
        result.map_err(|error| self.failed(error))
    }

    fn on_joints(&mut self, x0: &ArrayD<f32>) -> Result<(Vec<f64>, ArrayD<f32>), GuidanceError> {
        let batch = self.decoder.lengths().len();
        let frames = x0.shape().get(1).copied().unwrap_or(0);
        let mut joints = ArrayD::zeros(IxDyn(&[batch, frames, JOINTS, 3]));
        for (sample, mut own) in joints.axis_iter_mut(Axis(0)).enumerate() {
            let motion = self.decoder.motion(x0, sample)?;
            // Row-major, so a sample's own frames are its first elements.
            for (to, &from) in own.iter_mut().zip(&motion.joints_m) {
                *to = from as f32;
            }
        }
        let (values, on_joints) = self
            .network
            .value_and_grad(&joints)
            .map_err(|error| self.failed(error))?;
        let mut gradient = ArrayD::zeros(x0.raw_dim());
        for (sample, own) in on_joints.axis_iter(Axis(0)).enumerate() {
            let length = self.decoder.lengths()[sample];
            let mut on_motion = MotionGradient::zeros(length);
            let own = own
                .into_dimensionality::<Ix3>()
                .map_err(|error| GuidanceError::Loss {
                    loss: self.network.name().to_owned(),
                    source: Box::new(error),
                })?;
            for (to, &from) in on_motion.joints.iter_mut().zip(own) {
                *to = f64::from(from);
            }
            self.decoder
                .motion_gradient_into(x0, sample, &on_motion, &mut gradient)?;
        }
        Ok((values, gradient))
    }
}

impl Loss for NetworkLoss<'_> {
    fn name(&self) -> &str {
        self.network.name()
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let (mut values, mut gradient) = match self.network.input() {
            ScoreInput::Features => self.on_features(x0)?,
            ScoreInput::Joints => self.on_joints(x0)?,
        };
        if self.is_reward {
            values.iter_mut().for_each(|value| *value = -*value);
            gradient.mapv_inplace(|g| -g);
        }
        Ok(LossValue { values, gradient })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::graph::GraphBuilder;
    use kinograd_guidance::{JointHeight, MotionLossAdapter, Span};
    use kinograd_motion::{FEATURES, Normalizer};
    use kinograd_runtime::{BuiltIn, Engine, SessionOptions};
    use ndarray::Array1;

    use super::*;

    /// The mean height of both wrists over six frames, as a network.
    fn wrists() -> onnx_grad::Model {
        let mut weights = vec![0.0; JOINTS * 3];
        weights[20 * 3 + 1] = 0.5 / 6.0;
        weights[21 * 3 + 1] = 0.5 / 6.0;
        GraphBuilder::new("wrists")
            .input("joints", &["batch", "6", "22", "3"])
            .output("score", &["batch", "1"])
            .weights("weights", &[1, 1, 22, 3], weights)
            .ints("all", &[1, 2, 3])
            .ints("flat", &[0, -1])
            .node("Mul", &["joints", "weights"], "weighted")
            .node("ReduceSum", &["weighted", "all"], "sum")
            .node("Reshape", &["sum", "flat"], "score")
            .model()
    }

    #[test]
    fn a_network_on_joints_is_the_loss_that_it_computes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wrists.onnx");
        wrists().write(&path).unwrap();
        let engine: Arc<dyn Engine> = Arc::new(BuiltIn::new(1));
        let options = SessionOptions::default();
        let mut network = ScoreNetwork::open(&engine, &path, FEATURES, &options).unwrap();
        let normalizer = Normalizer::new(
            Array1::from_elem(FEATURES, 0.1),
            Array1::from_shape_fn(FEATURES, |i| if i < 3 { 0.02 } else { 0.3 }),
        );
        let decoder = MotionDecoder::new(normalizer.unwrap(), vec![6; 2]);
        let x0 = ArrayD::from_shape_fn(IxDyn(&[2, 6, FEATURES]), |index| {
            (0.7 * index[0] as f32 + 0.9 * index[1] as f32 + 1.3 * index[2] as f32).sin()
        });
        let heights = JointHeight::new(vec![20, 21], Span::ALL).unwrap();
        let mut stated = MotionLossAdapter::new(decoder.clone())
            .with(1.0, heights)
            .unwrap();
        let mut loss = NetworkLoss {
            network: &mut network,
            decoder,
            is_reward: true,
        };
        let (got, expected) = (
            loss.value_and_grad(&x0).unwrap(),
            stated.value_and_grad(&x0).unwrap(),
        );
        for (got, expected) in got.values.iter().zip(&expected.values) {
            assert!((got - expected).abs() < 1e-5, "{got} {expected}");
        }
        let off = (&got.gradient - &expected.gradient).mapv(f32::abs);
        assert!(off.iter().all(|&off| off < 1e-6));
        assert!(expected.gradient.iter().any(|&g| g.abs() > 1e-4));
    }
}
