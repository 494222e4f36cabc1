//! Curves over the frames of a clip.

/// How often a curve turns back by more than `amplitude`.
///
/// ```
/// use kinograd_eval::obey::reversals;
/// assert_eq!(reversals(&[0.0, 1.0, 0.0, 1.0, 0.9], 0.5), 2);
/// ```
#[must_use]
pub fn reversals(values: &[f64], amplitude: f64) -> usize {
    let Some(&first) = values.first() else {
        return 0;
    };
    let (mut extreme, mut rising, mut count) = (first, None, 0);
    for &value in values {
        match rising {
            None => {
                if (value - extreme).abs() > amplitude {
                    rising = Some(value > extreme);
                    extreme = value;
                }
            }
            Some(up) if (value > extreme) == up => extreme = value,
            Some(up) => {
                if (value - extreme).abs() > amplitude {
                    rising = Some(!up);
                    extreme = value;
                    count += 1;
                }
            }
        }
    }
    count
}

/// Number of stretches in which something holds; stretches whose frames are no more than `gap` apart
/// are one.
///
/// ```
/// use kinograd_eval::obey::stretches;
/// assert_eq!(stretches(&[true, false, true, false, false, true], 2), 2);
/// ```
#[must_use]
pub fn stretches(holds: &[bool], gap: usize) -> usize {
    let mut last = None;
    let mut count = 0;
    for (frame, _) in holds.iter().enumerate().filter(|(_, holds)| **holds) {
        if last.is_none_or(|last| frame - last > gap) {
            count += 1;
        }
        last = Some(frame);
    }
    count
}

/// Whether something holds within `reach` frames of each frame.
///
/// ```
/// use kinograd_eval::obey::any_near;
/// assert_eq!(any_near(&[true, false, false], 1), [true, true, false]);
/// ```
#[must_use]
pub fn any_near(holds: &[bool], reach: usize) -> Vec<bool> {
    (0..holds.len())
        .map(|frame| {
            let near = frame.saturating_sub(reach)..(frame + reach + 1).min(holds.len());
            holds[near].contains(&true)
        })
        .collect()
}

/// Longest stretch in which something holds, frames.
#[must_use]
pub fn longest(holds: &[bool]) -> usize {
    let mut best = 0;
    let mut now = 0;
    for holds in holds {
        now = if *holds { now + 1 } else { 0 };
        best = best.max(now);
    }
    best
}

/// Share of the frames in which something holds; 0 of none.
#[must_use]
pub fn share(holds: &[bool]) -> f64 {
    holds.iter().filter(|holds| **holds).count() as f64 / holds.len().max(1) as f64
}

/// Mean; 0 of none.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Least value.
#[must_use]
pub fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Greatest value.
#[must_use]
pub fn greatest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Greatest less least.
#[must_use]
pub fn range(values: &[f64]) -> f64 {
    greatest(values) - least(values)
}

/// Median as NumPy has it; 0 of none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(middle) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    f64::midpoint(sorted[middle / 2], sorted[sorted.len() / 2])
}

/// The first `count` values, or all.
#[must_use]
pub fn head<T>(values: &[T], count: usize) -> &[T] {
    &values[..count.min(values.len())]
}

/// The last `count` values, or all.
#[must_use]
pub fn tail<T>(values: &[T], count: usize) -> &[T] {
    &values[values.len().saturating_sub(count)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_turns_do_not_count() {
        assert_eq!(reversals(&[], 0.1), 0);
        assert_eq!(reversals(&[0.0, 0.05, 0.0, 0.05], 0.1), 0);
        assert_eq!(reversals(&[0.0, 0.2, 0.15, 0.3, 0.0], 0.1), 1);
    }

    #[test]
    fn stretches_and_their_ends() {
        assert_eq!(stretches(&[], 3), 0);
        assert_eq!(stretches(&[true, true, true], 1), 1);
        assert_eq!(longest(&[true, true, false, true]), 2);
        assert_eq!(median(&[3.0, 1.0, 2.0, 4.0]), 2.5);
        assert_eq!(median(&[5.0, 1.0, 2.0]), 2.0);
        assert_eq!(head(&[1, 2, 3], 5), [1, 2, 3]);
        assert_eq!(tail(&[1, 2, 3], 2), [2, 3]);
    }
}
