use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::loss::joint_index;
use crate::{
    Derivative, ForwardDistance, GuidanceError, JointHeight, JumpHeight, MotionLoss, Smoothness,
    Span,
};

/// What a motion can be rewarded for.
///
/// ```
/// use kinograd_guidance::optimize::MotionReward;
///
/// assert_eq!("jump-height".parse::<MotionReward>()?.unit(), "m");
/// let error = "jump-hight".parse::<MotionReward>().unwrap_err();
/// assert!(error.to_string().contains("jump-height"));
/// # Ok::<(), kinograd_guidance::GuidanceError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MotionReward {
    /// How far the root's highest place lies above its height when standing, metres
    /// ([`JumpHeight`]).
    JumpHeight,
    /// Mean height of both wrists above the floor, metres ([`JointHeight`]).
    HandRaise,
    /// As `HandRaise`, of the left wrist.
    LeftHandRaise,
    /// As `HandRaise`, of the right wrist.
    RightHandRaise,
    /// Minus the mean squared acceleration of the joints, (m/s²)² ([`Smoothness`]).
    EnergySaved,
    /// The way that the root comes along its first facing, metres ([`ForwardDistance`]).
    ForwardDistance,
}

impl MotionReward {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::JumpHeight,
        Self::HandRaise,
        Self::LeftHandRaise,
        Self::RightHandRaise,
        Self::EnergySaved,
        Self::ForwardDistance,
    ];

    /// Its name, as the command line writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::JumpHeight => "jump-height",
            Self::HandRaise => "hand-raise",
            Self::LeftHandRaise => "left-hand-raise",
            Self::RightHandRaise => "right-hand-raise",
            Self::EnergySaved => "energy-saved",
            Self::ForwardDistance => "forward-distance",
        }
    }

    /// The reward's unit.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::EnergySaved => "(m/s²)²",
            _ => "m",
        }
    }

    /// A δ that motion follows, in the reward's unit.
    #[must_use]
    pub fn delta(self) -> f64 {
        match self {
            Self::JumpHeight | Self::HandRaise | Self::LeftHandRaise | Self::RightHandRaise => 0.1,
            Self::EnergySaved => 20.0,
            Self::ForwardDistance => 0.2,
        }
    }

    /// A σ at which motion follows that δ, in the reward's unit: the smaller, the closer to δ and
    /// the farther from the data.
    #[must_use]
    pub fn deviation(self) -> f64 {
        match self {
            Self::JumpHeight => 0.005,
            Self::HandRaise | Self::LeftHandRaise | Self::RightHandRaise => 0.001,
            Self::EnergySaved => 0.5,
            Self::ForwardDistance => 0.01,
        }
    }

    /// Minus the reward, as a loss. `span` is where hands are raised; the others look at the whole
    /// clip.
    ///
    /// # Errors
    /// [`GuidanceError::UnknownName`] if the skeleton had no wrists.
    pub fn cost(self, span: Span) -> Result<Box<dyn MotionLoss>, GuidanceError> {
        let raised = |joints: &[&str]| -> Result<Box<dyn MotionLoss>, GuidanceError> {
            let joints = joints.iter().map(|joint| joint_index(joint));
            let joints = joints.collect::<Result<Vec<_>, _>>()?;
            Ok(Box::new(JointHeight::new(joints, span)?))
        };
        match self {
            Self::JumpHeight => Ok(Box::new(JumpHeight)),
            Self::HandRaise => raised(&["left_wrist", "right_wrist"]),
            Self::LeftHandRaise => raised(&["left_wrist"]),
            Self::RightHandRaise => raised(&["right_wrist"]),
            Self::EnergySaved => Ok(Box::new(Smoothness(Derivative::Acceleration))),
            Self::ForwardDistance => Ok(Box::new(ForwardDistance)),
        }
    }

    /// Whether it looks at a span of the clip.
    #[must_use]
    pub fn has_span(self) -> bool {
        matches!(
            self,
            Self::HandRaise | Self::LeftHandRaise | Self::RightHandRaise
        )
    }
}

impl fmt::Display for MotionReward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for MotionReward {
    type Err = GuidanceError;

    fn from_str(name: &str) -> Result<Self, GuidanceError> {
        Self::ALL
            .into_iter()
            .find(|reward| reward.name() == name)
            .ok_or_else(|| GuidanceError::unknown_name("reward", name, &Self::ALL.map(Self::name)))
    }
}
