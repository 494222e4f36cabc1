//! Losses on joints in the world.

use std::f64::consts::TAU;

use kinograd_motion::features::{
    Heading, YAW_VELOCITY, decode_headings, decode_joints, decode_joints_vjp, headings_from_joints,
};
use kinograd_motion::{FEATURE_FPS, JOINT_NAMES, JOINTS};
use ndarray::{Array2, Array3, ArrayD, ArrayView2};

use super::{Loss, LossValue, MotionDecoder, PathLoss};
use crate::{GuidanceError, WorldPoint};

/// A clip as losses see it: decoded from features, Y up, starting at the origin facing +Z.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedMotion {
    /// `[frames, 22, 3]`, metres.
    pub joints_m: Array3<f64>,
    /// Heading per frame: the angle about Y that turns +Z to the facing, radians, unwrapped.
    pub headings_rad: Vec<f64>,
    /// Frames per second.
    pub fps: f64,
}

impl DecodedMotion {
    /// A clip of joints `[frames, 22, 3]`, metres, with their published headings.
    ///
    /// # Errors
    /// [`GuidanceError::Motion`] for another shape.
    pub fn from_joints(joints_m: Array3<f64>, fps: f64) -> Result<Self, GuidanceError> {
        let mut headings_rad = headings_from_joints(joints_m.view(), Heading::Published)?;
        for frame in 1..headings_rad.len() {
            let turn = headings_rad[frame] - headings_rad[frame - 1];
            headings_rad[frame] -= TAU * (turn / TAU).round();
        }
        Ok(Self {
            joints_m,
            headings_rad,
            fps,
        })
    }

    /// Frames of the clip.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.headings_rad.len()
    }

    /// A joint in the world, metres.
    #[must_use]
    pub fn joint_m(&self, frame: usize, joint: usize) -> WorldPoint {
        [0, 1, 2].map(|axis| self.joints_m[[frame, joint, axis]])
    }

    /// A joint as the body sees it: x and z from the root in the heading's frame, y from the floor.
    #[must_use]
    pub fn local_m(&self, frame: usize, joint: usize) -> WorldPoint {
        let (root, at) = (self.joint_m(frame, 0), self.joint_m(frame, joint));
        let (sin, cos) = self.headings_rad[frame].sin_cos();
        let (x, z) = (at[0] - root[0], at[2] - root[2]);
        [x * cos - z * sin, at[1], x * sin + z * cos]
    }

    /// The place in the world of one that [`local_m`](Self::local_m) gives, metres.
    #[must_use]
    pub fn from_local_m(&self, frame: usize, local: WorldPoint) -> WorldPoint {
        let root = self.joint_m(frame, 0);
        let (sin, cos) = self.headings_rad[frame].sin_cos();
        let [x, y, z] = local;
        [root[0] + x * cos + z * sin, y, root[2] + z * cos - x * sin]
    }
}

/// The gradient of a loss on a [`DecodedMotion`].
#[derive(Debug, Clone, PartialEq)]
pub struct MotionGradient {
    /// `[frames, 22, 3]`.
    pub joints: Array3<f64>,
    /// `[frames]`, per radian.
    pub headings: Vec<f64>,
}

impl MotionGradient {
    /// Zero for a clip of this length.
    #[must_use]
    pub fn zeros(frames: usize) -> Self {
        Self {
            joints: Array3::zeros((frames, JOINTS, 3)),
            headings: vec![0.0; frames],
        }
    }

    /// Adds to a joint's gradient in the world.
    pub fn add(&mut self, frame: usize, joint: usize, value: WorldPoint) {
        for (axis, value) in value.into_iter().enumerate() {
            self.joints[[frame, joint, axis]] += value;
        }
    }

    /// Adds a gradient on [`DecodedMotion::local_m`].
    pub fn add_local(
        &mut self,
        motion: &DecodedMotion,
        frame: usize,
        joint: usize,
        value: WorldPoint,
    ) {
        let (sin, cos) = motion.headings_rad[frame].sin_cos();
        let local = motion.local_m(frame, joint);
        let [x, y, z] = value;
        let ground = [x * cos + z * sin, z * cos - x * sin];
        self.add(frame, joint, [ground[0], y, ground[1]]);
        self.add(frame, 0, [-ground[0], 0.0, -ground[1]]);
        self.headings[frame] += z * local[0] - x * local[2];
    }
}

impl DecodedMotion {
    /// Decodes features `[frames, 263]`, not normalised.
    fn decode(features: ArrayView2<'_, f32>) -> Result<Self, GuidanceError> {
        Ok(Self {
            joints_m: decode_joints(features)?,
            headings_rad: decode_headings(features)?,
            fps: FEATURE_FPS,
        })
    }
}

impl MotionGradient {
    /// Pulled back to the features `[frames, 263]` that were decoded.
    fn on_features(&self, features: ArrayView2<'_, f32>) -> Result<Array2<f64>, GuidanceError> {
        let mut on_features = decode_joints_vjp(features, self.joints.view())?;
        // A heading is −2 times the sum of the heading velocities before it.
        let mut later = 0.0;
        for frame in (1..self.headings.len()).rev() {
            later += self.headings[frame];
            on_features[[frame - 1, YAW_VELOCITY]] -= 2.0 * later;
        }
        Ok(on_features)
    }
}

/// A loss on one clip's joints and headings.
///
/// ```
/// use kinograd_guidance::{DecodedMotion, GuidanceError, MotionGradient, MotionLoss};
///
/// /// Mean height of the head below `height_m`, metres.
/// struct Tall { height_m: f64 }
///
/// impl MotionLoss for Tall {
///     fn name(&self) -> &str {
///         "tall"
///     }
///
///     fn accumulate(
///         &self,
///         motion: &DecodedMotion,
///         weight: f64,
///         gradient: &mut MotionGradient,
///     ) -> Result<f64, GuidanceError> {
///         let share = 1.0 / motion.frames() as f64;
///         let mut value = 0.0;
///         for frame in 0..motion.frames() {
///             value += share * (self.height_m - motion.joint_m(frame, 15)[1]);
///             gradient.add(frame, 15, [0.0, -weight * share, 0.0]);
///         }
///         Ok(value)
///     }
/// }
/// ```
pub trait MotionLoss {
    /// The loss's name, for messages and reports.
    fn name(&self) -> &str;

    /// Whether it makes sense for a clip of this length.
    ///
    /// # Errors
    /// [`GuidanceError::FrameOutOfRange`] if it needs a frame beyond the clip.
    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        let _ = frames;
        Ok(())
    }

    /// The value; `weight` times its gradient is added to `gradient`.
    ///
    /// # Errors
    /// As [`MotionLoss::check`].
    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError>;
}

impl<L: MotionLoss + ?Sized> MotionLoss for Box<L> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        (**self).check(frames)
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        (**self).accumulate(motion, weight, gradient)
    }
}

/// A loss on the root's ground path as one on a motion.
pub struct RootPathAsMotion<L>(pub L);

impl<L: PathLoss> MotionLoss for RootPathAsMotion<L> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.0.check(frames)
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let path = Array2::from_shape_fn((motion.frames(), 2), |(frame, axis)| {
            motion.joints_m[[frame, 0, 2 * axis]]
        });
        let (value, on_path) = self.0.value_and_grad(path.view())?;
        for ((frame, axis), g) in on_path.indexed_iter() {
            gradient.joints[[frame, 0, 2 * axis]] += weight * g;
        }
        Ok(value)
    }
}

/// A weighted sum of motion losses as a loss on normalised features.
pub struct MotionLossAdapter {
    decoder: MotionDecoder,
    terms: Vec<(f64, Box<dyn MotionLoss>)>,
}

impl MotionLossAdapter {
    /// No terms yet.
    #[must_use]
    pub fn new(decoder: MotionDecoder) -> Self {
        Self {
            decoder,
            terms: Vec::new(),
        }
    }

    /// Adds a term.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the weight is negative or not finite; what
    /// [`MotionLoss::check`] finds for the batch's clips.
    pub fn with(
        mut self,
        weight: f64,
        loss: impl MotionLoss + 'static,
    ) -> Result<Self, GuidanceError> {
        self.push(weight, Box::new(loss))?;
        Ok(self)
    }

    /// Adds a term.
    pub(crate) fn push(
        &mut self,
        weight: f64,
        loss: Box<dyn MotionLoss>,
    ) -> Result<(), GuidanceError> {
        check_not_negative("weight", weight)?;
        for &length in self.decoder.lengths() {
            loss.check(length)?;
        }
        self.terms.push((weight, loss));
        Ok(())
    }

    /// Number of terms.
    #[must_use]
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there is no term.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// A term's value for features `[frames, 263]`, not normalised, and its gradient on them.
    pub(crate) fn term_on_features(
        &self,
        term: usize,
        features: ArrayView2<'_, f32>,
    ) -> Result<(f64, Array2<f64>), GuidanceError> {
        let motion = DecodedMotion::decode(features)?;
        let mut gradient = MotionGradient::zeros(motion.frames());
        let Some((_, loss)) = self.terms.get(term) else {
            return Ok((0.0, Array2::zeros(features.raw_dim())));
        };
        let value = loss.accumulate(&motion, 1.0, &mut gradient)?;
        Ok((value, gradient.on_features(features)?))
    }

    /// Value of each term for each sample, unweighted: `[terms][batch]`, with the terms' names.
    ///
    /// # Errors
    /// As [`Loss::value_and_grad`].
    pub fn term_values(&self, x0: &ArrayD<f32>) -> Result<Vec<(String, Vec<f64>)>, GuidanceError> {
        let mut rows: Vec<_> = self
            .terms
            .iter()
            .map(|(_, term)| (term.name().to_owned(), Vec::new()))
            .collect();
        for sample in 0..self.decoder.lengths().len() {
            let motion = self.decoder.motion(x0, sample)?;
            let mut unused = MotionGradient::zeros(motion.frames());
            for ((_, term), (_, values)) in self.terms.iter().zip(&mut rows) {
                values.push(term.accumulate(&motion, 0.0, &mut unused)?);
            }
        }
        Ok(rows)
    }
}

impl MotionDecoder {
    /// One sample of `x0`, decoded.
    ///
    /// # Errors
    /// As [`MotionDecoder::features`].
    pub fn motion(&self, x0: &ArrayD<f32>, sample: usize) -> Result<DecodedMotion, GuidanceError> {
        DecodedMotion::decode(self.features(x0, sample)?.view())
    }

    /// Writes the gradient on `x0` that follows from one on a sample's decoded motion, into that
    /// sample's own frames of `gradient`.
    ///
    /// # Errors
    /// As [`MotionDecoder::features`].
    pub fn motion_gradient_into(
        &self,
        x0: &ArrayD<f32>,
        sample: usize,
        on_motion: &MotionGradient,
        gradient: &mut ArrayD<f32>,
    ) -> Result<(), GuidanceError> {
        let on_features = on_motion.on_features(self.features(x0, sample)?.view())?;
        self.features_into(x0, on_features.view(), sample, gradient)
    }
}

impl Loss for MotionLossAdapter {
    fn name(&self) -> &str {
        match self.terms.as_slice() {
            [(_, only)] => only.name(),
            _ => "motion",
        }
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let mut gradient = ArrayD::zeros(x0.raw_dim());
        let mut values = Vec::with_capacity(self.decoder.lengths().len());
        for sample in 0..self.decoder.lengths().len() {
            let features = self.decoder.features(x0, sample)?;
            let motion = DecodedMotion::decode(features.view())?;
            let mut on_motion = MotionGradient::zeros(motion.frames());
            let mut value = 0.0;
            for (weight, term) in &self.terms {
                let term_value = term.accumulate(&motion, *weight, &mut on_motion)?;
                if !term_value.is_finite() {
                    return Err(GuidanceError::NonFinite {
                        loss: term.name().to_owned(),
                        sample,
                    });
                }
                value += weight * term_value;
            }
            let on_features = on_motion.on_features(features.view())?;
            self.decoder
                .features_into(x0, on_features.view(), sample, &mut gradient)?;
            values.push(value);
        }
        Ok(LossValue { values, gradient })
    }
}

/// Index of a joint of the canonical skeleton.
///
/// # Errors
/// [`GuidanceError::UnknownName`] if there is none of this name.
pub fn joint_index(name: &str) -> Result<usize, GuidanceError> {
    JOINT_NAMES
        .iter()
        .position(|known| *known == name)
        .ok_or_else(|| GuidanceError::unknown_name("joint", name, &JOINT_NAMES))
}

pub(crate) fn check_joints(joints: &[usize]) -> Result<(), GuidanceError> {
    match joints.iter().find(|joint| **joint >= JOINTS) {
        Some(joint) => Err(GuidanceError::Field {
            field: "joint",
            value: joint.to_string(),
            expected: "must be one of the 22 joints of the canonical skeleton",
        }),
        None => Ok(()),
    }
}

pub(crate) fn check_finite(field: &'static str, values: &[f64]) -> Result<(), GuidanceError> {
    if values.iter().all(|value| value.is_finite()) {
        Ok(())
    } else {
        Err(GuidanceError::Field {
            field,
            value: format!("{values:?}"),
            expected: "must be finite numbers",
        })
    }
}

pub(crate) fn check_not_negative(field: &'static str, value: f64) -> Result<(), GuidanceError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(GuidanceError::Field {
            field,
            value: value.to_string(),
            expected: "must be a number that is not negative",
        })
    }
}
