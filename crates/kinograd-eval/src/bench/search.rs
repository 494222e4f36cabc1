//! The search for a strength, the same for every method.

use kinograd::Error;

/// Strengths of the first round, in rising order, and the factor between those of the second.
pub(super) struct GridSearch {
    pub coarse: [f64; 5],
    pub factor: f64,
}

/// What a strength gave.
pub(super) trait GridTrial {
    /// The strength, in multiples of the method's own step.
    fn scale(&self) -> f64;
    /// What is least at the best strength.
    fn objective(&self) -> f64;
}

impl GridSearch {
    /// Trials of a method: the first round, and two further ones beside its best.
    pub const TRIALS: usize = 7;

    /// All that was tried, in the order of the scales, and which of it is best.
    pub fn search<T: GridTrial>(
        &self,
        mut attempt: impl FnMut(f64) -> Result<T, Error>,
    ) -> Result<(Vec<T>, usize), Error> {
        let first = self.coarse.into_iter().map(&mut attempt);
        let mut tried: Vec<T> = first.collect::<Result<_, _>>()?;
        for scale in self.beside(best(&tried)) {
            tried.push(attempt(scale)?);
        }
        tried.sort_by(|a, b| a.scale().total_cmp(&b.scale()));
        let best = best(&tried);
        Ok((tried, best))
    }

    /// The second round: a factor to either side of the best, or two outwards from an end.
    fn beside(&self, best: usize) -> [f64; 2] {
        let (scale, factor) = (self.coarse[best], self.factor);
        if best == 0 {
            [scale / factor, scale / factor / factor]
        } else if best + 1 == self.coarse.len() {
            [scale * factor, scale * factor * factor]
        } else {
            [scale / factor, scale * factor]
        }
    }
}

/// Index of the trial with the least objective.
fn best<T: GridTrial>(tried: &[T]) -> usize {
    let objectives = tried.iter().map(GridTrial::objective).enumerate();
    let least = objectives.min_by(|a, b| a.1.total_cmp(&b.1));
    least.map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl GridTrial for (f64, f64) {
        fn scale(&self) -> f64 {
            self.0
        }

        fn objective(&self) -> f64 {
            self.1
        }
    }

    const LADDER: GridSearch = GridSearch {
        coarse: [0.0625, 0.25, 1.0, 4.0, 16.0],
        factor: 2.0,
    };

    #[test]
    fn the_second_round_is_beside_the_best_and_never_inside_what_was_tried() {
        for (optimum, second, found) in [
            (1.0, [0.5, 2.0], 1.0),
            (0.01, [0.03125, 0.015625], 0.015625),
            (100.0, [32.0, 64.0], 64.0),
            (0.5, [0.125, 0.5], 0.5),
        ] {
            let distance = |scale: f64| (scale / optimum).ln().abs();
            let mut asked = Vec::new();
            let (tried, best) = LADDER
                .search(|scale| {
                    asked.push(scale);
                    Ok((scale, distance(scale)))
                })
                .unwrap();
            assert_eq!(asked[..5], LADDER.coarse);
            assert_eq!(asked[5..], second);
            assert_eq!((tried.len(), tried[best].0), (GridSearch::TRIALS, found));
            assert!(tried.is_sorted_by(|a, b| a.0 <= b.0));
        }
    }
}
