//! Smooth changes of a whole motion that meet goals for its joints.

use kinograd_motion::features::{POSITIONS, ROOT_VELOCITY, YAW_VELOCITY};
use kinograd_motion::{JOINTS, PARENTS};
use ndarray::{Array1, Array2, ArrayView2};

use super::{CHANNELS, Correction};
use crate::{GuidanceError, MotionLossAdapter};

/// Terms below this count as met, in their own units (mostly m²: a centimetre).
const MET: f64 = 1e-4;
/// Steps as a share of Polyak's: 2 would close a squared gap at once, and 1 a linear one.
const RELAXATION: f64 = 1.5;
/// Deviation of the smoothing in time, frames: a hand gets to a place in about half a second.
const SMOOTHING_FRAMES: f64 = 5.0;
/// How willingly the part of the body beyond each joint is moved, m²: the pelvis is left to the
/// root's own channels, and arms and legs move before the trunk does.
const WILLINGNESS_M2: [f64; JOINTS] = [
    0.0, 0.01, 0.01, 0.003, 0.02, 0.02, 0.003, 0.02, 0.02, 0.003, 0.01, 0.01, 0.01, 0.005, 0.005,
    0.01, 0.01, 0.01, 0.02, 0.02, 0.02, 0.02,
];

/// Finds the change of x̂0 that meets every term of a loss, by covariant Polyak steps.
///
/// Plain gradients of a joint's place at one frame tear that joint off its neighbours in the body
/// and in time. Here a step is `K g`: smoothed in time by a Gaussian, and spread over the body as
/// independent moves of everything beyond each joint (Zucker et al. 2013, CHOMP, takes such a
/// metric for trajectories of robots).
#[derive(Debug, Clone)]
pub(crate) struct MotionSolver {
    /// Standard deviation of every feature.
    std: Array1<f32>,
    /// Squared willingness to change the three root channels, normalised.
    root_weights: [f64; CHANNELS],
    /// Kernel over joints, m².
    body: Array2<f64>,
    /// One side of the kernel in time, from the frame itself on.
    time: Vec<f64>,
}

impl MotionSolver {
    /// `std`: of every feature; `root_weights`: squared willingness to change the root's heading
    /// velocity and planar velocities, normalised.
    pub fn new(std: Array1<f32>, root_weights: [f64; CHANNELS]) -> Self {
        let reach = (3.0 * SMOOTHING_FRAMES).ceil() as usize;
        let gauss = |frame: usize| (-0.5 * (frame as f64 / SMOOTHING_FRAMES).powi(2)).exp();
        Self {
            std,
            root_weights,
            body: body_kernel(),
            time: (0..=reach).map(gauss).collect(),
        }
    }

    /// For `features` `[frames, 263]`, not normalised: at most `sweeps` times through the terms of
    /// `goals`, one after another.
    pub fn correct(
        &self,
        features: ArrayView2<'_, f32>,
        goals: &MotionLossAdapter,
        sweeps: usize,
    ) -> Result<Correction, GuidanceError> {
        let mut moved = features.to_owned();
        let mut correction = Correction {
            change: Array2::zeros(features.raw_dim()),
            covector: Array2::zeros(features.raw_dim()),
        };
        for _ in 0..sweeps {
            let mut met = true;
            for term in 0..goals.len() {
                let (value, on_features) = goals.term_on_features(term, moved.view())?;
                if value < MET {
                    continue;
                }
                let mut gradient = on_features;
                for (mut column, &std) in gradient.columns_mut().into_iter().zip(&self.std) {
                    column *= f64::from(std);
                }
                let direction = self.spread(gradient.view());
                let squared = (&gradient * &direction).sum();
                if !(squared.is_finite() && squared > 0.0) {
                    continue;
                }
                met = false;
                let step = -RELAXATION * value / squared;
                correction.change.scaled_add(step, &direction);
                correction.covector.scaled_add(step, &gradient);
                correction.apply(features, &self.std, &mut moved);
            }
            if met {
                break;
            }
        }
        Ok(correction)
    }

    /// `K g`, both `[frames, 263]`, normalised.
    fn spread(&self, gradient: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut out = Array2::zeros(gradient.raw_dim());
        for (channel, weight) in [YAW_VELOCITY, ROOT_VELOCITY, ROOT_VELOCITY + 1]
            .into_iter()
            .zip(self.root_weights)
        {
            let column = gradient.column(channel).mapv(|g| weight * g);
            out.column_mut(channel).assign(&column);
        }
        for axis in 0..3 {
            let column = |joint: usize| POSITIONS + 3 * (joint - 1) + axis;
            for to in 1..JOINTS {
                let mut sum = Array1::<f64>::zeros(gradient.nrows());
                for from in 1..JOINTS {
                    let share = self.body[[to, from]] / f64::from(self.std[column(from)]);
                    if share != 0.0 {
                        sum.scaled_add(share, &gradient.column(column(from)));
                    }
                }
                if sum.iter().any(|value| *value != 0.0) {
                    let smooth = self.smoothed(&sum) / f64::from(self.std[column(to)]);
                    out.column_mut(column(to)).assign(&smooth);
                }
            }
        }
        out
    }

    fn smoothed(&self, values: &Array1<f64>) -> Array1<f64> {
        let mut out = Array1::zeros(values.len());
        for (frame, &value) in values.iter().enumerate() {
            if value == 0.0 {
                continue;
            }
            for (offset, weight) in self.time.iter().enumerate() {
                if frame + offset < values.len() {
                    out[frame + offset] += weight * value;
                }
                if offset > 0 && offset <= frame {
                    out[frame - offset] += weight * value;
                }
            }
        }
        out
    }
}

/// `Σ_k willingness_k · beyond_k beyond_kᵀ`, with `beyond_k` the joints from k outwards.
fn body_kernel() -> Array2<f64> {
    let is_beyond = |joint: usize, of: usize| {
        let mut at = joint;
        while at != of && at != 0 {
            at = PARENTS[at];
        }
        at == of
    };
    Array2::from_shape_fn((JOINTS, JOINTS), |(a, b)| {
        let shared = (1..JOINTS).filter(|&of| is_beyond(a, of) && is_beyond(b, of));
        shared.map(|of| WILLINGNESS_M2[of]).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{JointTarget, Keyframes, MotionLoss, Origin};
    use crate::{DecodedMotion, Frame, MotionDecoder};
    use kinograd_motion::{FEATURES, Normalizer};

    const LEFT_WRIST: usize = 20;

    fn features(frames: usize) -> Array2<f32> {
        Array2::from_shape_fn((frames, FEATURES), |(frame, column)| match column {
            0..3 => 0.01 * (0.3 * frame as f32 + column as f32).sin(),
            3 => 0.9,
            _ => 0.5 + 0.2 * (0.1 * frame as f32 + column as f32).sin(),
        })
    }

    fn decoder(frames: usize) -> MotionDecoder {
        let std = Array1::from_shape_fn(FEATURES, |column| 0.05 + 0.001 * column as f32);
        let normalizer = Normalizer::new(Array1::zeros(FEATURES), std).unwrap();
        MotionDecoder::new(normalizer, vec![frames])
    }

    fn solved(goals: &MotionLossAdapter, features: &Array2<f32>) -> (Correction, DecodedMotion) {
        let decoder = decoder(features.nrows());
        let solver = MotionSolver::new(decoder.normalizer().std().clone(), [0.1, 1.0, 1.0]);
        let correction = solver.correct(features.view(), goals, 40).unwrap();
        let mut moved = decoder.normalizer().apply(features.view()).unwrap();
        moved.zip_mut_with(&correction.change, |x, change| *x += *change as f32);
        let batch = moved.insert_axis(ndarray::Axis(0)).into_dyn();
        (correction, decoder.motion(&batch, 0).unwrap())
    }

    #[test]
    fn a_wrist_gets_to_its_place_and_takes_the_elbow_along() {
        let features = features(60);
        let target = JointTarget::new(
            LEFT_WRIST,
            Frame::At(30),
            [Some(0.4), Some(1.6), Some(0.9)],
            Origin::World,
        )
        .unwrap();
        let goals = MotionLossAdapter::new(decoder(60))
            .with(1.0, target)
            .unwrap();
        let (correction, motion) = solved(&goals, &features);
        for (got, wanted) in motion.joint_m(30, LEFT_WRIST).iter().zip([0.4, 1.6, 0.9]) {
            assert!((got - wanted).abs() < 0.012, "{got} {wanted}");
        }
        // Height of the elbow, and that of the wrist around the time and long before it.
        let column = |joint: usize| POSITIONS + 3 * (joint - 1) + 1;
        let metres = |frame, joint| {
            let std = 0.05 + 0.001 * column(joint) as f64;
            correction.change[[frame, column(joint)]] * std
        };
        let (elbow, wrist) = (metres(30, 18), metres(30, LEFT_WRIST));
        assert!(
            elbow / wrist > 0.4 && elbow / wrist < 0.9,
            "{elbow} {wrist}"
        );
        assert!(metres(28, LEFT_WRIST) / wrist > 0.9);
        assert!(metres(5, LEFT_WRIST).abs() < 1e-9);
        assert!(
            metres(30, 21).abs() < 0.2 * wrist,
            "the other arm follows the trunk only"
        );
    }

    #[test]
    fn the_change_is_the_covector_through_a_symmetric_positive_kernel() {
        let features = features(40);
        let pose: Vec<_> = (0..JOINTS)
            .map(|joint| (joint, [0.3, 0.1 * joint as f64, 0.2]))
            .collect();
        let key = Keyframes::new(vec![crate::loss::KeyPose {
            frame: Frame::At(20),
            joints: pose,
        }])
        .unwrap();
        assert!(key.check(40).is_ok());
        let goals = MotionLossAdapter::new(decoder(40)).with(1.0, key).unwrap();
        let (correction, _) = solved(&goals, &features);
        let decoder = decoder(40);
        let solver = MotionSolver::new(decoder.normalizer().std().clone(), [0.1, 1.0, 1.0]);
        let again = solver.spread(correction.covector.view());
        let gap = (&again - &correction.change).mapv(f64::abs);
        let most = gap.iter().copied().fold(0.0, f64::max);
        assert!(most < 1e-9, "{most}");
        assert!((&correction.change * &correction.covector).sum() > 0.0);
        let probe = Array2::from_shape_fn((40, FEATURES), |(f, c)| ((f * 7 + c * 3) as f64).sin());
        let left = (&solver.spread(probe.view()) * &correction.covector).sum();
        let right = (&probe * &correction.change).sum();
        assert!(
            (left - right).abs() < 1e-9 * left.abs().max(1.0),
            "{left} {right}"
        );
    }
}
