//! Summaries of measured numbers.

use serde::{Deserialize, Serialize};

/// Mean of the values; `None` of none.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Median of the values; `None` of none.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Quantile by linear interpolation between order statistics; `None` of none.
#[must_use]
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let at = share.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (at - at.floor()))
}

/// Median and the whole spread of repeated timings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Median.
    pub median: f64,
    /// Least.
    pub min: f64,
    /// Greatest.
    pub max: f64,
    /// How many.
    pub runs: usize,
}

impl Spread {
    /// Of the values; `None` of none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            median: median(values)?,
            min: quantile(values, 0.0)?,
            max: quantile(values, 1.0)?,
            runs: values.len(),
        })
    }
}

/// Resamples of an [`ConfidenceInterval`].
const RESAMPLES: usize = 2000;

/// A mean and the 95 % interval that it lies in: percentiles of the means of 2000 bootstrap
/// resamples (Efron 1979), drawn with a fixed seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceInterval {
    /// Mean.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Values that it was made of.
    pub count: usize,
}

impl ConfidenceInterval {
    /// Of the values; `None` of none.
    ///
    /// ```
    /// use kinograd_eval::statistics::ConfidenceInterval;
    /// let interval = ConfidenceInterval::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
    /// assert_eq!(interval.mean, 2.5);
    /// assert!(interval.low < 2.0 && interval.high > 3.0);
    /// ```
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mean_of_all = mean(values)?;
        let count = values.len();
        let mut state = 0_u64;
        let mut draw = || values[(split_mix(&mut state) % count as u64) as usize];
        let means: Vec<f64> = (0..RESAMPLES)
            .map(|_| (0..count).map(|_| draw()).sum::<f64>() / count as f64)
            .collect();
        Some(Self {
            mean: mean_of_all,
            low: quantile(&means, 0.025)?,
            high: quantile(&means, 0.975)?,
            count,
        })
    }

    /// Its ends.
    #[must_use]
    pub fn ends(&self) -> [f64; 2] {
        [self.low, self.high]
    }
}

/// How many of how many, and the 95 % interval of the share (Wilson 1927).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// How many.
    pub hits: usize,
    /// Of how many.
    pub total: usize,
    /// Their share; 0 of none.
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Share {
    /// `hits` of `total`.
    ///
    /// ```
    /// use kinograd_eval::statistics::Share;
    /// let half = Share::of(50, 100);
    /// assert!((half.low - 0.404).abs() < 1e-3 && (half.high - 0.596).abs() < 1e-3);
    /// ```
    #[must_use]
    pub fn of(hits: usize, total: usize) -> Self {
        const Z: f64 = 1.96;
        if total == 0 {
            return Self {
                hits,
                total,
                share: 0.0,
                low: 0.0,
                high: 1.0,
            };
        }
        let n = total as f64;
        let share = hits as f64 / n;
        let scale = 1.0 + Z * Z / n;
        let centre = (share + Z * Z / (2.0 * n)) / scale;
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
        Self {
            hits,
            total,
            share,
            low: (centre - half).max(0.0),
            high: (centre + half).min(1.0),
        }
    }

    /// Counts what is true.
    #[must_use]
    pub fn counted(of: impl IntoIterator<Item = bool>) -> Self {
        let (mut hits, mut total) = (0, 0);
        for hit in of {
            hits += usize::from(hit);
            total += 1;
        }
        Self::of(hits, total)
    }

    /// The share and its interval, in per cent.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!(
            "{:.1} % ({:.1} to {:.1})",
            100.0 * self.share,
            100.0 * self.low,
            100.0 * self.high
        )
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): enough for resampling.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_statistics_of_known_numbers() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(mean(&values), Some(2.5));
        assert_eq!(median(&values), Some(2.5));
        assert_eq!(quantile(&values, 1.0), Some(4.0));
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
        assert_eq!(Spread::of(&values).map(|spread| spread.min), Some(1.0));
    }

    #[test]
    fn shares_have_the_interval_of_wilson() {
        // Newcombe 1998, table I: 81 of 263 and 15 of 148; 0 of 20.
        for (hits, total, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
        ] {
            let share = Share::of(hits, total);
            assert!((share.low - low).abs() < 1e-4, "{share:?}");
            assert!((share.high - high).abs() < 1e-4, "{share:?}");
        }
        assert_eq!(Share::of(0, 0).high, 1.0);
        assert_eq!(Share::counted([true, false, true]).hits, 2);
    }

    #[test]
    fn an_interval_is_that_of_the_normal_law_for_many_values() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
        let interval = ConfidenceInterval::of(&values).unwrap();
        // Deviation of a uniform law on 0..=19, √((20² − 1)/12), over √400.
        let half = 1.96 * (399.0_f64 / 12.0).sqrt() / 20.0;
        assert_eq!(interval.mean, 9.5);
        assert!((interval.high - 9.5 - half).abs() < 0.1 * half);
        assert!((9.5 - interval.low - half).abs() < 0.1 * half);
        let one = ConfidenceInterval::of(&[3.0]).unwrap();
        assert_eq!(one.ends(), [3.0, 3.0]);
        assert_eq!(ConfidenceInterval::of(&[]), None);
    }
}
