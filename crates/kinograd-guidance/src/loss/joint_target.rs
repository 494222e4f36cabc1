use super::motion::{check_finite, check_joints};
use super::{DecodedMotion, MotionGradient, MotionLoss};
use crate::{Frame, GuidanceError};

/// What a joint's position is measured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// The world's.
    #[default]
    World,
    /// Another joint, along the world's axes.
    Joint(usize),
    /// The root on the ground, in the heading's frame; y from the floor.
    Body,
}

/// Squared distance of a joint from a place at one frame, m². Axes without a value are free, as
/// with the masked hints of OmniControl (Xie et al. 2024).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointTarget {
    joint: usize,
    frame: Frame,
    position_m: [Option<f64>; 3],
    origin: Origin,
}

impl JointTarget {
    /// `position_m`: x, y, z from the origin, metres; `None` leaves an axis free.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a joint is unknown, a number not finite or every axis free.
    pub fn new(
        joint: usize,
        frame: Frame,
        position_m: [Option<f64>; 3],
        origin: Origin,
    ) -> Result<Self, GuidanceError> {
        check_joints(&[joint])?;
        if let Origin::Joint(other) = origin {
            check_joints(&[other])?;
        }
        let given: Vec<f64> = position_m.into_iter().flatten().collect();
        check_finite("position_m", &given)?;
        if given.is_empty() {
            return Err(GuidanceError::Field {
                field: "position_m",
                value: "all axes free".to_owned(),
                expected: "must give at least one of x, y and z",
            });
        }
        Ok(Self {
            joint,
            frame,
            position_m,
            origin,
        })
    }
}

impl MotionLoss for JointTarget {
    fn name(&self) -> &str {
        "joint target"
    }

    fn check(&self, frames: usize) -> Result<(), GuidanceError> {
        self.frame.index("joint target", frames).map(|_| ())
    }

    fn accumulate(
        &self,
        motion: &DecodedMotion,
        weight: f64,
        gradient: &mut MotionGradient,
    ) -> Result<f64, GuidanceError> {
        let frame = self.frame.index("joint target", motion.frames())?;
        let here = match self.origin {
            Origin::World => motion.joint_m(frame, self.joint),
            Origin::Body => motion.local_m(frame, self.joint),
            Origin::Joint(other) => {
                let from = motion.joint_m(frame, other);
                let at = motion.joint_m(frame, self.joint);
                [0, 1, 2].map(|axis| at[axis] - from[axis])
            }
        };
        let gap = [0, 1, 2].map(|axis| {
            let target = self.position_m[axis];
            target.map_or(0.0, |target| here[axis] - target)
        });
        let slope = gap.map(|gap| 2.0 * weight * gap);
        match self.origin {
            Origin::World => gradient.add(frame, self.joint, slope),
            Origin::Body => gradient.add_local(motion, frame, self.joint, slope),
            Origin::Joint(other) => {
                gradient.add(frame, self.joint, slope);
                gradient.add(frame, other, slope.map(|s| -s));
            }
        }
        Ok(gap.iter().map(|gap| gap * gap).sum())
    }
}
