//! Losses written in Python.

use kinograd::guidance::{GuidanceError, Loss, LossValue, MotionDecoder, MotionGradient};
use kinograd::motion::JOINTS;
use numpy::ndarray::{Array4, ArrayD, ArrayView4, Axis};
use numpy::{IntoPyArray, PyReadonlyArray1, PyReadonlyArray4};
use pyo3::prelude::*;

use crate::error::refused;
use crate::watch::Raised;

const NAME: &str = "Python loss";

/// A function of joints `[batch, frames, 22, 3]`, metres, that returns values `[batch]` and their
/// gradient on the joints, all `f64`.
pub(crate) struct PythonLoss {
    pub function: Py<PyAny>,
    pub decoder: MotionDecoder,
    pub raised: Raised,
}

impl PythonLoss {
    fn joints(&self, x0: &ArrayD<f32>) -> Result<Array4<f64>, GuidanceError> {
        let lengths = self.decoder.lengths();
        let frames = lengths.iter().copied().max().unwrap_or(0);
        let mut joints = Array4::zeros((lengths.len(), frames, JOINTS, 3));
        for (sample, mut own) in joints.axis_iter_mut(Axis(0)).enumerate() {
            let motion = self.decoder.motion(x0, sample)?;
            // Row-major, so a sample's own frames are its first elements.
            for (to, from) in own.iter_mut().zip(motion.joints_m) {
                *to = from;
            }
        }
        Ok(joints)
    }

    /// The values, and the gradient on `x0`.
    fn called(
        &self,
        py: Python<'_>,
        joints: Array4<f64>,
        x0: &ArrayD<f32>,
    ) -> Result<LossValue, CallError> {
        let expected = joints.dim();
        let returned = self.function.call1(py, (joints.into_pyarray(py),))?;
        let (values, gradient): (PyReadonlyArray1<'_, f64>, PyReadonlyArray4<'_, f64>) =
            returned.extract(py)?;
        let (values, gradient) = (values.as_array(), gradient.as_array());
        if values.len() != expected.0 || gradient.dim() != expected {
            return Err(refused("a loss returned arrays of other shapes").into());
        }
        Ok(LossValue {
            values: values.to_vec(),
            gradient: self.on_features(gradient, x0)?,
        })
    }

    fn on_features(
        &self,
        on_joints: ArrayView4<'_, f64>,
        x0: &ArrayD<f32>,
    ) -> Result<ArrayD<f32>, GuidanceError> {
        let mut gradient = ArrayD::zeros(x0.raw_dim());
        for (sample, own) in on_joints.axis_iter(Axis(0)).enumerate() {
            let mut on_motion = MotionGradient::zeros(self.decoder.lengths()[sample]);
            for (to, &from) in on_motion.joints.iter_mut().zip(own) {
                *to = from;
            }
            self.decoder
                .motion_gradient_into(x0, sample, &on_motion, &mut gradient)?;
        }
        Ok(gradient)
    }
}

enum CallError {
    Raised(PyErr),
    Guidance(GuidanceError),
}

impl From<PyErr> for CallError {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl From<GuidanceError> for CallError {
    fn from(error: GuidanceError) -> Self {
        Self::Guidance(error)
    }
}

impl Loss for PythonLoss {
    fn name(&self) -> &str {
        NAME
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let joints = self.joints(x0)?;
        Python::attach(|py| self.called(py, joints, x0)).map_err(|error| match error {
            CallError::Guidance(error) => error,
            CallError::Raised(error) => {
                let source = error.to_string().into();
                self.raised.note(error);
                GuidanceError::Loss {
                    loss: NAME.to_owned(),
                    source,
                }
            }
        })
    }
}
