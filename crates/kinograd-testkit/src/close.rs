//! Comparing arrays.

use std::fmt::Display;

use ndarray::{ArrayViewD, Dimension};

/// How far two values may be apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// Equal bits (but 0 equals −0).
    Exact,
    /// Rounding of a few operations: 1e-6 absolute plus 1e-6 of the expected value.
    Close,
    /// Rounding of a long computation: 1e-4 absolute plus 1e-4 of the expected value.
    Approximate,
    /// At most this many representable f32 values between the two.
    Ulp(u32),
    /// `absolute + relative · |expected|`.
    Within {
        /// Absolute part.
        absolute: f64,
        /// Share of the expected value.
        relative: f64,
    },
}

impl Tolerance {
    /// Whether `got` is near enough to `expected`. Non-finite values never are.
    #[must_use]
    pub fn accepts(self, got: f64, expected: f64) -> bool {
        if !got.is_finite() || !expected.is_finite() {
            return false;
        }
        let within = |absolute: f64, relative: f64| {
            (got - expected).abs() <= absolute + relative * expected.abs()
        };
        match self {
            Self::Exact => got == expected,
            Self::Close => within(1e-6, 1e-6),
            Self::Approximate => within(1e-4, 1e-4),
            Self::Ulp(most) => ulps_between(got as f32, expected as f32) <= u64::from(most),
            Self::Within { absolute, relative } => within(absolute, relative),
        }
    }
}

fn ulps_between(a: f32, b: f32) -> u64 {
    // Orders the floats as integers: negative ones count down from zero.
    let ordered = |x: f32| {
        let bits = i64::from(x.to_bits() & 0x7fff_ffff);
        if x.is_sign_negative() { -bits } else { bits }
    };
    ordered(a).abs_diff(ordered(b))
}

/// Describes where two arrays differ: the first bad index, both values there, the share of bad
/// elements and the largest difference.
///
/// # Errors
/// That description, if the shapes differ or an element is out of tolerance.
pub fn compare<'a, 'b, A, B>(
    got: impl Into<ArrayViewD<'a, A>>,
    expected: impl Into<ArrayViewD<'b, B>>,
    tolerance: Tolerance,
) -> Result<(), String>
where
    A: Copy + Display + Into<f64> + 'a,
    B: Copy + Display + Into<f64> + 'b,
{
    let (got, expected) = (got.into(), expected.into());
    if got.shape() != expected.shape() {
        return Err(format!(
            "shape {:?}, expected {:?}",
            got.shape(),
            expected.shape()
        ));
    }
    let mut first = None;
    let (mut bad, mut largest) = (0_usize, 0.0_f64);
    for ((index, &g), &e) in got.indexed_iter().zip(expected.iter()) {
        let (g64, e64): (f64, f64) = (g.into(), e.into());
        largest = largest.max((g64 - e64).abs());
        if !tolerance.accepts(g64, e64) {
            bad += 1;
            first.get_or_insert_with(|| format!("at {:?}: got {g}, expected {e}", index.slice()));
        }
    }
    match first {
        None => Ok(()),
        Some(first) => Err(format!(
            "{first}; {bad} of {} bad ({:.1} %), largest difference {largest:e}, tolerance {tolerance:?}",
            got.len(),
            100.0 * bad as f64 / got.len() as f64,
        )),
    }
}

/// [`compare`], as an assertion.
///
/// # Panics
/// If the arrays are not close.
#[track_caller]
#[expect(clippy::panic, reason = "an assertion")]
pub fn assert_close<'a, 'b, A, B>(
    got: impl Into<ArrayViewD<'a, A>>,
    expected: impl Into<ArrayViewD<'b, B>>,
    tolerance: Tolerance,
) where
    A: Copy + Display + Into<f64> + 'a,
    B: Copy + Display + Into<f64> + 'b,
{
    if let Err(report) = compare(got, expected, tolerance) {
        panic!("{report}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_report_names_index_values_and_share() {
        let got = array![[1.0_f32, 2.0], [3.0, 5.0]].into_dyn();
        let expected = array![[1.0_f32, 2.0], [3.5, 4.0]].into_dyn();
        let report = compare(&got, &expected, Tolerance::Approximate).unwrap_err();
        assert!(
            report.contains("at [1, 0]: got 3, expected 3.5"),
            "{report}"
        );
        assert!(report.contains("2 of 4 bad (50.0 %)"), "{report}");
        assert!(report.contains("largest difference 1e0"), "{report}");
    }

    #[test]
    fn tolerances_draw_their_lines() {
        let next = f32::from_bits(1.0_f32.to_bits() + 1);
        assert!(Tolerance::Ulp(1).accepts(f64::from(next), 1.0));
        assert!(!Tolerance::Ulp(0).accepts(f64::from(next), 1.0));
        assert!(
            Tolerance::Ulp(2).accepts(f64::from(f32::from_bits(1)), -f64::from(f32::from_bits(1)))
        );
        assert!(!Tolerance::Exact.accepts(1.0 + 1e-15, 1.0));
        assert!(Tolerance::Close.accepts(1.0 + 1e-6, 1.0));
        assert!(!Tolerance::Close.accepts(1.0 + 1e-5, 1.0));
        assert!(!Tolerance::Approximate.accepts(f64::NAN, f64::NAN));
    }

    #[test]
    fn shapes_must_agree() {
        let report = compare(
            &array![1.0_f64].into_dyn(),
            &array![1.0_f64, 2.0].into_dyn(),
            Tolerance::Exact,
        );
        assert!(report.unwrap_err().contains("shape [1], expected [2]"));
    }
}
