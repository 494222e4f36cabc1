//! The rotation columns: what each slot holds, and the way back to local rotations.

use glam::{DMat3, DQuat, DVec3};
use ndarray::{ArrayView1, ArrayViewMut1};

use super::{CHAINS, ROTATIONS};
use crate::{JOINTS, MotionError, PARENTS};

/// Writes the 21 slots of a frame from its 22 local rotations.
pub(super) fn write_rotations(
    local_rotations: &[DQuat],
    heading_from_world: DQuat,
    row: &mut ArrayViewMut1<'_, f32>,
) -> Result<(), MotionError> {
    if local_rotations.len() != JOINTS {
        return Err(MotionError::Shape {
            what: "local rotations",
            expected: format!("[frames][{JOINTS}]"),
            got: vec![local_rotations.len()],
        });
    }
    let mut in_heading = [DQuat::IDENTITY; JOINTS];
    for joint in 0..JOINTS {
        in_heading[joint] = if joint == 0 {
            heading_from_world * local_rotations[0]
        } else {
            in_heading[PARENTS[joint]] * local_rotations[joint]
        };
    }
    for chain in CHAINS {
        let mut before = DQuat::IDENTITY;
        for bone in chain.windows(2) {
            let carrier = in_heading[bone[0]];
            let slot = DMat3::from_quat((before.inverse() * carrier).normalize());
            let column = ROTATIONS + 6 * (bone[1] - 1);
            for axis in 0..3 {
                row[column + axis] = slot.x_axis[axis] as f32;
                row[column + 3 + axis] = slot.y_axis[axis] as f32;
            }
            before = carrier;
        }
    }
    Ok(())
}

/// Local rotations of a frame, the root's in the world. A joint that carries several bones gets the
/// mean of their slots; joints that carry none (head, wrists, toes) get the identity.
pub(super) fn read_rotations(row: ArrayView1<'_, f32>, world_from_heading: DQuat) -> Vec<DQuat> {
    let mut sums = [DMat3::ZERO; JOINTS];
    let mut in_heading = [DQuat::IDENTITY; JOINTS];
    for chain in CHAINS {
        let mut before = DQuat::IDENTITY;
        for bone in chain.windows(2) {
            let carrier = before * rotation_from_columns(&row, ROTATIONS + 6 * (bone[1] - 1));
            sums[bone[0]] += DMat3::from_quat(carrier);
            before = carrier;
        }
    }
    let mut local = vec![DQuat::IDENTITY; JOINTS];
    for joint in 0..JOINTS {
        let carries = sums[joint] != DMat3::ZERO;
        let parent = if joint == 0 {
            DQuat::IDENTITY
        } else {
            in_heading[PARENTS[joint]]
        };
        in_heading[joint] = if carries {
            orthonormal(sums[joint].x_axis, sums[joint].y_axis)
        } else {
            parent
        };
        local[joint] = if joint == 0 {
            (world_from_heading * in_heading[0]).normalize()
        } else {
            (parent.inverse() * in_heading[joint]).normalize()
        };
    }
    local
}

fn rotation_from_columns(row: &ArrayView1<'_, f32>, column: usize) -> DQuat {
    let at = |start: usize| {
        DVec3::new(
            f64::from(row[start]),
            f64::from(row[start + 1]),
            f64::from(row[start + 2]),
        )
    };
    orthonormal(at(column), at(column + 3))
}

/// Gram–Schmidt on two columns (Zhou et al. 2019); degenerate columns give the nearest basis axes.
fn orthonormal(x: DVec3, y: DVec3) -> DQuat {
    let x = x.normalize_or(DVec3::X);
    let y = (y - x * x.dot(y)).normalize_or(x.any_orthonormal_vector());
    DQuat::from_mat3(&DMat3::from_cols(x, y, x.cross(y))).normalize()
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::super::FEATURES;
    use super::*;

    #[test]
    fn local_rotations_come_back() {
        let mut local: Vec<DQuat> = (0..JOINTS)
            .map(|j| DQuat::from_euler(glam::EulerRot::XYZ, 0.1 * j as f64, -0.07 * j as f64, 0.3))
            .collect();
        for leaf in [10, 11, 15, 20, 21] {
            local[leaf] = DQuat::IDENTITY;
        }
        let heading = DQuat::from_rotation_y(2.0);
        let mut row = Array1::<f32>::zeros(FEATURES);
        write_rotations(&local, heading.inverse(), &mut row.view_mut()).unwrap();
        let back = read_rotations(row.view(), heading);
        for (joint, (a, b)) in local.iter().zip(&back).enumerate() {
            assert!(
                a.dot(*b).abs() > 1.0 - 1e-10,
                "joint {joint}: {a} against {b}"
            );
        }
    }

    #[test]
    fn garbage_columns_give_rotations() {
        let row = Array1::<f32>::zeros(FEATURES);
        for rotation in read_rotations(row.view(), DQuat::IDENTITY) {
            assert!((rotation.length() - 1.0).abs() < 1e-9);
        }
    }
}
