//! Left–right mirror of a clip.

use glam::{DQuat, DVec3};

use crate::{JOINTS, Motion, MotionError};

/// The joint on the other side, per canonical joint.
pub const MIRRORED_JOINTS: [usize; JOINTS] = [
    0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20,
];

/// Mirrors a clip on the canonical skeleton in the plane x = 0: left and right change places.
///
/// # Errors
/// [`MotionError::Shape`] if the motion is not on the canonical skeleton.
pub fn mirror(motion: &Motion) -> Result<Motion, MotionError> {
    if motion.skeleton.len() != JOINTS {
        return Err(MotionError::Shape {
            what: "skeleton",
            expected: format!("{JOINTS} canonical joints"),
            got: vec![motion.skeleton.len()],
        });
    }
    Ok(Motion {
        skeleton: motion.skeleton.clone(),
        fps: motion.fps,
        root_in_world_m: motion
            .root_in_world_m
            .iter()
            .map(|root| DVec3::new(-root.x, root.y, root.z))
            .collect(),
        local_rotations: motion
            .local_rotations
            .iter()
            .map(|rotations| {
                MIRRORED_JOINTS
                    .iter()
                    .map(|&joint| mirrored(rotations[joint]))
                    .collect()
            })
            .collect(),
        translations: std::collections::BTreeMap::new(),
    })
}

/// The rotation seen in the mirror: its axis is an axial vector, so y and z change sign.
fn mirrored(rotation: DQuat) -> DQuat {
    DQuat::from_xyzw(rotation.x, -rotation.y, -rotation.z, rotation.w)
}
