//! Which training steps a shorter sampling run visits.

use crate::DiffusionError;

/// How sampling timesteps are spread over the training steps (names of Lin et al. 2023, table 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Spacing {
    /// Starts at the last training step and leaves out the first ones.
    #[default]
    Trailing,
    /// Starts below the last training step and ends at 0.
    Leading,
    /// From the last training step to 0, both included.
    Linspace,
    /// Evenly among the `levels` trailing steps that a network was distilled for (Luo et al. 2023), from the
    /// last on.
    Distilled {
        /// How many steps the network knows.
        levels: usize,
    },
}

impl Spacing {
    /// `count` falling timesteps within `0..train_steps`.
    ///
    /// # Errors
    /// [`DiffusionError::Parameter`] if `count` is 0 or above `train_steps`, or above the steps that a
    /// distilled network knows.
    pub fn timesteps(self, train_steps: usize, count: usize) -> Result<Vec<f64>, DiffusionError> {
        if count == 0 || count > train_steps {
            return Err(DiffusionError::Parameter {
                name: "steps",
                value: count.to_string(),
                expected: "must be at least 1 and at most the number of training steps",
            });
        }
        let train = train_steps as f64;
        let steps = count as f64;
        let index = |i: usize| i as f64;
        Ok(match self {
            Self::Distilled { levels } => return distilled(train_steps, levels, count),
            Self::Trailing => (0..count)
                .map(|i| (train - index(i) * (train / steps)).round_ties_even() - 1.0)
                .collect(),
            Self::Leading => {
                let stride = (train / steps).floor();
                (0..count).rev().map(|i| index(i) * stride).collect()
            }
            Self::Linspace if count == 1 => vec![train - 1.0],
            Self::Linspace => (0..count)
                .rev()
                .map(|i| (index(i) * ((train - 1.0) / (steps - 1.0))).round_ties_even())
                .collect(),
        })
    }
}

/// `count` of the timesteps `k, 2k, …, levels · k`, less 1, where `k` is `train_steps / levels`: those at even
/// places from the last, each place rounded down.
fn distilled(train_steps: usize, levels: usize, count: usize) -> Result<Vec<f64>, DiffusionError> {
    if levels > train_steps || count > levels {
        return Err(DiffusionError::Parameter {
            name: "steps",
            value: count.to_string(),
            expected: "must be at most the number of steps that the network was distilled for",
        });
    }
    let stride = train_steps.div_euclid(levels);
    let place = |i: usize| (i * levels).div_euclid(count);
    Ok((0..count)
        .map(|i| ((levels - place(i)) * stride) as f64 - 1.0)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_published_table() {
        let at = |spacing: Spacing| spacing.timesteps(1000, 10).unwrap();
        assert_eq!(
            at(Spacing::Leading),
            [900., 800., 700., 600., 500., 400., 300., 200., 100., 0.]
        );
        assert_eq!(
            at(Spacing::Linspace),
            [999., 888., 777., 666., 555., 444., 333., 222., 111., 0.]
        );
        assert_eq!(
            at(Spacing::Trailing),
            [999., 899., 799., 699., 599., 499., 399., 299., 199., 99.]
        );
    }

    /// Those of `LCMScheduler` of diffusers 0.35 with 50 steps of training.
    #[test]
    fn a_distilled_network_sees_its_own_levels() {
        let spacing = Spacing::Distilled { levels: 50 };
        let at = |count| spacing.timesteps(1000, count).unwrap();
        assert_eq!(at(4), [999., 759., 499., 259.]);
        assert_eq!(at(3), [999., 679., 339.]);
        assert_eq!(at(50), Spacing::Trailing.timesteps(1000, 50).unwrap());
        let error = spacing.timesteps(1000, 51).unwrap_err().to_string();
        assert!(
            error.contains("distilled") && error.contains("51"),
            "{error}"
        );
        assert!(Spacing::Distilled { levels: 8 }.timesteps(7, 1).is_err());
    }

    #[test]
    fn always_falls_and_stays_inside() {
        for spacing in [Spacing::Trailing, Spacing::Leading, Spacing::Linspace] {
            for train in [1, 2, 7, 50, 1000] {
                for count in 1..=train.min(60) {
                    let timesteps = spacing.timesteps(train, count).unwrap();
                    assert_eq!(timesteps.len(), count);
                    assert!(timesteps.windows(2).all(|pair| pair[1] < pair[0]));
                    assert!(timesteps.iter().all(|&t| t >= 0.0 && t < train as f64));
                }
            }
        }
    }
}
