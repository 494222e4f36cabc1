//! Features on the canonical body.

use glam::DVec3;
use kinograd_motion::features::decode_joints;
use kinograd_motion::ik::fit_rotations;
use kinograd_motion::{Motion, Skeleton};
use ndarray::{Array2, Axis};

use crate::Error;
use crate::task::MODEL_FPS;

/// Rotations of the canonical body that come as near to the features' joints as they can.
pub(crate) fn motion_on_body(features: &Array2<f32>) -> Result<Motion, Error> {
    let joints = decode_joints(features.view())?;
    let frames: Vec<Vec<DVec3>> = joints
        .outer_iter()
        .map(|frame| {
            frame
                .axis_iter(Axis(0))
                .map(|p| DVec3::new(p[0], p[1], p[2]))
                .collect()
        })
        .collect();
    Ok(fit_rotations(&Skeleton::canonical(), &frames, MODEL_FPS)?)
}
