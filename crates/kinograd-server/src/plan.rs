//! What is to be made for a request.

use std::sync::Arc;

use glam::{DQuat, DVec3};
use kinograd::motion::rig::{RigOptions, Travel};
use kinograd::motion::{JOINT_NAMES, Motion, Skeleton, joints_array};
use kinograd::{Character, Task};
use ndarray::Array3;
use serde_json::json;

use crate::error::{ApiError, Code};
use crate::placement::Placement;
use crate::request::skeleton::RequestSkeleton;

/// A joint's rest place that differs by less than this is the same, metres.
const SAME_M: f64 = 1e-4;

/// What is to be made, and how it is answered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plan {
    /// The task, in the clip's own frame.
    pub task: Task,
    /// Who does it.
    pub figure: Figure,
    /// Where the clip lies in the client's world.
    pub placement: Placement,
    /// Frames of the answer; the clip may have more.
    pub frames: usize,
    /// Frames per second of the answer.
    pub fps: f64,
    /// Whether the last pose shall be the first.
    pub is_loop: bool,
    pub(crate) skeleton: RequestSkeleton,
}

/// Who a request's skeleton is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Figure {
    /// Our canonical body.
    Body,
    /// Another humanoid.
    Rig(Arc<Character>),
}

impl Figure {
    /// The client's world is that of the figure, in metres: its feet do not slide.
    pub(crate) const OPTIONS: RigOptions = RigOptions {
        travel: Travel::Scaled,
    };

    /// Finds out who a skeleton is.
    pub(crate) fn of(request: &RequestSkeleton) -> Result<Self, ApiError> {
        if is_canonical(&request.skeleton) {
            return Ok(Self::Body);
        }
        let character = Character::of_skeleton(request.skeleton.clone(), "request");
        let character = character.map_err(|error| {
            let message = format!("the skeleton is no humanoid that can be told: {error}");
            ApiError::new(Code::RetargetingUnsupported, message)
                .with(json!({"canonical_joints": JOINT_NAMES}))
        })?;
        Ok(Self::Rig(Arc::new(character)))
    }

    /// Length of its legs over those of our body.
    pub(crate) fn scale(&self) -> f64 {
        match self {
            Self::Body => 1.0,
            Self::Rig(character) => character.rig().scale(),
        }
    }

    /// The canonical joint that a joint of the skeleton stands for.
    pub(crate) fn canonical(&self, joint: &str) -> Option<&'static str> {
        self.names()
            .into_iter()
            .find(|(_, own)| own == joint)
            .map(|(part, _)| part)
    }

    /// Canonical joints and the skeleton's own that stand for them.
    pub(crate) fn names(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Body => JOINT_NAMES
                .iter()
                .map(|name| (*name, (*name).to_owned()))
                .collect(),
            Self::Rig(character) => {
                let parts = character.rig().parts().into_iter();
                parts.map(|part| (part.part, part.joint)).collect()
            }
        }
    }

    /// The canonical joints of a motion, `[frames, 22, 3]`, metres.
    pub(crate) fn canonical_joints(&self, motion: &Motion) -> Array3<f64> {
        match self {
            Self::Body => joints_array(motion).mapv(f64::from),
            Self::Rig(character) => character.rig().canonical_joints(motion),
        }
    }
}

/// The skeleton of the protocol's canonical answer: our body, standing with its toes on the ground.
pub(crate) fn canonical_skeleton() -> Skeleton {
    let mut skeleton = Skeleton::canonical();
    let rest = Motion::new(
        skeleton.clone(),
        1.0,
        vec![skeleton.offsets_m[0]],
        vec![vec![DQuat::IDENTITY; skeleton.len()]],
    );
    let places = rest.joint_poses_in_world(0).0;
    let lowest = places
        .iter()
        .map(|place| place.y)
        .fold(f64::INFINITY, f64::min);
    skeleton.offsets_m[0] -= DVec3::Y * lowest;
    skeleton
}

/// Whether a skeleton is ours: names, parents and offsets; where its root rests is the client's.
fn is_canonical(skeleton: &Skeleton) -> bool {
    let own = Skeleton::canonical();
    let offsets = skeleton.offsets_m.iter().zip(&own.offsets_m).skip(1);
    skeleton.names == own.names
        && skeleton.parents == own.parents
        && offsets.clone().all(|(a, b)| a.abs_diff_eq(*b, SAME_M))
}
