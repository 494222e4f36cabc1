//! A small symmetric system.

use ndarray::Array2;

/// Solves `A x = b` for a positive definite A by Cholesky; `None` if A is not.
pub(crate) fn solve_positive(mut a: Array2<f64>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for column in 0..n {
        for row in column..n {
            let dot: f64 = (0..column).map(|k| a[[row, k]] * a[[column, k]]).sum();
            let value = a[[row, column]] - dot;
            a[[row, column]] = if row == column {
                if !(value > 0.0 && value.is_finite()) {
                    return None;
                }
                value.sqrt()
            } else {
                value / a[[column, column]]
            };
        }
    }
    for row in 0..n {
        let dot: f64 = (0..row).map(|k| a[[row, k]] * b[k]).sum();
        b[row] = (b[row] - dot) / a[[row, row]];
    }
    for row in (0..n).rev() {
        let dot: f64 = (row + 1..n).map(|k| a[[k, row]] * b[k]).sum();
        b[row] = (b[row] - dot) / a[[row, row]];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn solves_a_known_system_and_refuses_an_indefinite_one() {
        let a = array![[4.0, 2.0, 0.4], [2.0, 3.0, -0.5], [0.4, -0.5, 2.0]];
        let x = [1.0, -2.0, 0.5];
        let b: Vec<f64> = a.dot(&ndarray::arr1(&x)).to_vec();
        let got = solve_positive(a, b).unwrap();
        for (got, expected) in got.iter().zip(x) {
            assert!((got - expected).abs() < 1e-12);
        }
        assert!(solve_positive(array![[1.0, 2.0], [2.0, 1.0]], vec![1.0, 1.0]).is_none());
    }
}
