//! Rotations that align vectors.

use glam::{DMat3, DQuat, DVec3};

/// The rotation `R` that minimises `Σ w |R·from − to|²` (Horn 1987, "Closed-form solution of
/// absolute orientation using unit quaternions").
///
/// `prior` decides what the pairs leave open: all of it when there are none, the twist when all
/// are parallel.
pub(crate) fn best_rotation(pairs: &[(DVec3, DVec3, f64)], prior: DQuat) -> DQuat {
    let strength: f64 = pairs
        .iter()
        .map(|(from, to, w)| w * from.length() * to.length())
        .sum();
    // Strong enough to break ties above rounding, too weak to be seen in a result.
    let ridge = 1e-9 * strength.max(1e-30);
    let mut s = DMat3::from_quat(prior.conjugate()) * ridge;
    for &(from, to, w) in pairs {
        // s[(i, j)] = Σ w from_i to_j, with column j.
        s.x_axis += from * (w * to.x);
        s.y_axis += from * (w * to.y);
        s.z_axis += from * (w * to.z);
    }
    let m = |i: usize, j: usize| s.col(j)[i];
    let matrix = [
        [
            m(0, 0) + m(1, 1) + m(2, 2),
            m(1, 2) - m(2, 1),
            m(2, 0) - m(0, 2),
            m(0, 1) - m(1, 0),
        ],
        [
            m(1, 2) - m(2, 1),
            m(0, 0) - m(1, 1) - m(2, 2),
            m(0, 1) + m(1, 0),
            m(2, 0) + m(0, 2),
        ],
        [
            m(2, 0) - m(0, 2),
            m(0, 1) + m(1, 0),
            m(1, 1) - m(0, 0) - m(2, 2),
            m(1, 2) + m(2, 1),
        ],
        [
            m(0, 1) - m(1, 0),
            m(2, 0) + m(0, 2),
            m(1, 2) + m(2, 1),
            m(2, 2) - m(0, 0) - m(1, 1),
        ],
    ];
    let [w, x, y, z] = largest_eigenvector(matrix);
    let rotation = DQuat::from_xyzw(x, y, z, w);
    if rotation.is_finite() && rotation.length_squared() > 0.5 {
        rotation.normalize()
    } else {
        prior
    }
}

/// Eigenvector of the largest eigenvalue of a symmetric matrix, by cyclic Jacobi rotations
/// (Golub and Van Loan, "Matrix Computations", §8.5).
fn largest_eigenvector(mut a: [[f64; 4]; 4]) -> [f64; 4] {
    let mut v = [[0.0; 4]; 4];
    for (i, row) in v.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    for _ in 0..32 {
        let diagonal: f64 = (0..4).map(|i| a[i][i] * a[i][i]).sum();
        let off: f64 = (0..4)
            .flat_map(|i| (i + 1..4).map(move |j| (i, j)))
            .map(|(i, j)| a[i][j] * a[i][j])
            .sum();
        if off <= 1e-32 * diagonal || off == 0.0 {
            break;
        }
        for p in 0..3 {
            for q in p + 1..4 {
                rotate(&mut a, &mut v, p, q);
            }
        }
    }
    let best = (1..4).fold(0, |best, i| if a[i][i] > a[best][best] { i } else { best });
    [v[0][best], v[1][best], v[2][best], v[3][best]]
}

fn rotate(a: &mut [[f64; 4]; 4], v: &mut [[f64; 4]; 4], p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for row in a.iter_mut().chain(v.iter_mut()) {
        let (x, y) = (row[p], row[q]);
        row[p] = c * x - s * y;
        row[q] = s * x + c * y;
    }
    let (above, below) = a.split_at_mut(q);
    for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

/// The shortest rotation that takes direction `from` to direction `to`; `fallback_axis` is
/// turned about when they are opposite. Identity when either is zero.
pub(crate) fn swing(from: DVec3, to: DVec3, fallback_axis: DVec3) -> DQuat {
    let (Some(from), Some(to)) = (from.try_normalize(), to.try_normalize()) else {
        return DQuat::IDENTITY;
    };
    let w = 1.0 + from.dot(to);
    if w < 1e-12 {
        let axis = fallback_axis.reject_from_normalized(from);
        let axis = axis
            .try_normalize()
            .unwrap_or_else(|| from.any_orthonormal_vector());
        return DQuat::from_axis_angle(axis, std::f64::consts::PI);
    }
    let axis = from.cross(to);
    DQuat::from_xyzw(axis.x, axis.y, axis.z, w).normalize()
}

/// Signed angle of a rotation about a unit axis, in (−π, π]: the twist of swing-twist.
pub(crate) fn twist_about(rotation: DQuat, axis: DVec3) -> f64 {
    let along = DVec3::new(rotation.x, rotation.y, rotation.z).dot(axis);
    let angle = 2.0 * along.atan2(rotation.w);
    wrapped(angle)
}

/// An angle in (−π, π].
pub(crate) fn wrapped(angle: f64) -> f64 {
    let turn = std::f64::consts::TAU;
    angle - turn * (angle / turn).round()
}
