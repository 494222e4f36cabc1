//! Eigenvalues of small symmetric matrices.

use ndarray::Array2;

/// Sweeps after which cyclic Jacobi has long converged.
const MAX_SWEEPS: usize = 60;

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix, by cyclic Jacobi rotations
/// (Golub and Van Loan, Matrix Computations, 4th edition, algorithm 8.5.3). Unordered.
pub(super) fn symmetric_eigen(mut a: Array2<f64>) -> (Vec<f64>, Array2<f64>) {
    let n = a.nrows();
    let mut vectors = Array2::eye(n);
    let total: f64 = a.iter().map(|v| v * v).sum();
    for _ in 0..MAX_SWEEPS {
        let mut off = 0.0;
        for p in 0..n {
            for q in p + 1..n {
                off += a[[p, q]] * a[[p, q]];
                rotate(&mut a, &mut vectors, p, q);
            }
        }
        if off <= 1e-30 * total {
            break;
        }
    }
    ((0..n).map(|i| a[[i, i]]).collect(), vectors)
}

/// Zeroes `a[p, q]` by a rotation in that plane.
fn rotate(a: &mut Array2<f64>, vectors: &mut Array2<f64>, p: usize, q: usize) {
    if a[[p, q]] == 0.0 {
        return;
    }
    let tau = (a[[q, q]] - a[[p, p]]) / (2.0 * a[[p, q]]);
    let t = tau.signum() / (tau.abs() + tau.hypot(1.0));
    let cos = 1.0 / t.hypot(1.0);
    let sin = t * cos;
    for k in 0..a.nrows() {
        let (kp, kq) = (a[[k, p]], a[[k, q]]);
        a[[k, p]] = cos * kp - sin * kq;
        a[[k, q]] = sin * kp + cos * kq;
    }
    for k in 0..a.nrows() {
        let (pk, qk) = (a[[p, k]], a[[q, k]]);
        a[[p, k]] = cos * pk - sin * qk;
        a[[q, k]] = sin * pk + cos * qk;
        let (kp, kq) = (vectors[[k, p]], vectors[[k, q]]);
        vectors[[k, p]] = cos * kp - sin * kq;
        vectors[[k, q]] = sin * kp + cos * kq;
    }
}

/// The symmetric square root of a positive semi-definite matrix; negative eigenvalues, which only
/// rounding brings, count as 0.
pub(super) fn sqrt_psd(matrix: Array2<f64>) -> Array2<f64> {
    let (values, vectors) = symmetric_eigen(matrix);
    let mut scaled = vectors.clone();
    for (mut column, value) in scaled.columns_mut().into_iter().zip(&values) {
        column.mapv_inplace(|v| v * value.max(0.0).sqrt());
    }
    scaled.dot(&vectors.t())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rebuilds_the_matrix_from_orthonormal_vectors() {
        let n = 12;
        let factor = Array2::from_shape_fn((n, 7), |(i, j)| ((i * 7 + j * j) as f64).sin());
        let matrix = factor.dot(&factor.t());
        let (values, vectors) = symmetric_eigen(matrix.clone());
        let diagonal = Array2::from_diag(&ndarray::Array1::from_vec(values));
        let rebuilt = vectors.dot(&diagonal).dot(&vectors.t());
        assert!((&rebuilt - &matrix).iter().all(|e| e.abs() < 1e-12));
        let unit = vectors.t().dot(&vectors) - Array2::<f64>::eye(n);
        assert!(unit.iter().all(|e| e.abs() < 1e-12));
        let root = sqrt_psd(matrix.clone());
        assert!((root.dot(&root) - matrix).iter().all(|e| e.abs() < 1e-10));
    }
}
