//! Smooth corrections over time.

use glam::DVec3;

/// Fills the gaps between runs of known values: each gap starts and ends with the value and the
/// slope of the runs beside it (cubic Hermite). A gap longer than three blends rests at zero in
/// its middle, and so does the time before the first run and after the last.
pub(crate) fn fill_gaps(values: &mut [DVec3], runs: &[(usize, usize)], blend_frames: f64) {
    let ends = |&(start, end): &(usize, usize), values: &[DVec3]| {
        let slope = |a: usize, b: usize| {
            if a == b {
                DVec3::ZERO
            } else {
                values[b] - values[a]
            }
        };
        (
            slope(start, (start + 1).min(end - 1)),
            slope((end - 1).max(start + 1) - 1, end - 1),
        )
    };
    let blend = blend_frames.max(1.0);
    for (index, run) in runs.iter().enumerate() {
        let (first_slope, last_slope) = ends(run, values);
        let (start, last) = (run.0, run.1 - 1);
        let before = index.checked_sub(1).map(|i| runs[i]);
        let direct = before.is_some_and(|b| (start - (b.1 - 1)) as f64 <= 3.0 * blend);
        if let (true, Some(before)) = (direct, before) {
            let (_, leaving) = ends(&before, values);
            let from = before.1 - 1;
            let span = (start - from) as f64;
            for frame in from + 1..start {
                let t = (frame - from) as f64 / span;
                values[frame] = hermite(
                    t,
                    values[from],
                    leaving * span,
                    values[start],
                    first_slope * span,
                );
            }
        } else {
            let reach = (blend.round() as usize).min(start);
            for back in 1..=reach {
                let t = back as f64 / blend;
                values[start - back] += hermite(
                    t.min(1.0),
                    values[start],
                    -first_slope * blend,
                    DVec3::ZERO,
                    DVec3::ZERO,
                );
            }
        }
        let after = runs.get(index + 1);
        if after.is_none_or(|after| (after.0 - last) as f64 > 3.0 * blend) {
            for ahead in 1..=(blend.round() as usize).min(values.len() - 1 - last) {
                let t = ahead as f64 / blend;
                values[last + ahead] += hermite(
                    t.min(1.0),
                    values[last],
                    last_slope * blend,
                    DVec3::ZERO,
                    DVec3::ZERO,
                );
            }
        }
    }
}

/// Cubic Hermite: value and slope at `t` = 0 and at `t` = 1.
fn hermite(t: f64, a: DVec3, a_slope: DVec3, b: DVec3, b_slope: DVec3) -> DVec3 {
    let (t2, t3) = (t * t, t * t * t);
    (2.0 * t3 - 3.0 * t2 + 1.0) * a
        + (t3 - 2.0 * t2 + t) * a_slope
        + (3.0 * t2 - 2.0 * t3) * b
        + (t3 - t2) * b_slope
}

/// A smooth curve that is nowhere below `needed`: the greatest of a window, averaged over a
/// window of the same size.
pub(crate) fn envelope(needed: &[f64], radius: usize) -> Vec<f64> {
    let window = |f: usize| f.saturating_sub(radius)..(f + radius + 1).min(needed.len());
    let highest: Vec<f64> = (0..needed.len())
        .map(|f| needed[window(f)].iter().copied().fold(0.0, f64::max))
        .collect();
    // A triangle: its slope is continuous. Beyond the ends the last value goes on.
    (0..needed.len())
        .map(|f| {
            let (mut sum, mut weights) = (0.0, 0.0);
            for at in window(f) {
                let weight = (radius + 1 - at.abs_diff(f)) as f64;
                sum += weight * highest[at];
                weights += weight;
            }
            sum / weights
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_meet_their_ends_smoothly() {
        let mut values = vec![DVec3::ZERO; 60];
        for (frame, value) in values.iter_mut().enumerate() {
            value.x = match frame {
                10..20 => 0.01 * frame as f64,
                26..40 => 0.3 - 0.01 * frame as f64,
                _ => 0.0,
            };
        }
        fill_gaps(&mut values, &[(10, 20), (26, 40)], 4.0);
        assert_eq!(values[0], DVec3::ZERO);
        assert_eq!(values[59], DVec3::ZERO);
        for frame in 1..60 {
            let step = (values[frame] - values[frame - 1]).length();
            assert!(step < 0.06, "frame {frame}: {step}");
        }
        // Slopes at the seams: what the runs had.
        assert!(((values[20] - values[19]).x - 0.01).abs() < 0.012);
    }

    #[test]
    fn the_envelope_holds() {
        let needed: Vec<f64> = (0..50)
            .map(|f| if f % 17 == 3 { 0.04 } else { 0.0 })
            .collect();
        let smooth = envelope(&needed, 3);
        for (high, low) in smooth.iter().zip(&needed) {
            assert!(high >= low);
        }
        assert!(
            smooth
                .windows(2)
                .all(|pair| (pair[0] - pair[1]).abs() < 0.012)
        );
    }
}
