//! Summaries over measured clips.

use serde::Serialize;

use super::cell::{Cell, Measured};
use crate::statistics::{Share, mean};

/// Draws of which the best is kept.
const DRAWS: [usize; 2] = [2, 4];
/// A threshold finds clips of which at least this share does not obey.
const WRONG: f64 = 0.7;

/// What would obey if of every few clips the best were kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BestOf {
    /// Of how many: by the score for the prompt, less what slides or rushes, as `--best-of` chooses.
    pub draws: usize,
    /// Kept clips that obey.
    pub obeyed: Share,
}

/// A threshold of the text score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LeastScore {
    /// The highest score below which at least 70 % of the clips do not obey.
    pub score: f64,
    /// Share of all clips below it.
    pub below: f64,
    /// Share of the clips that do not obey below it.
    pub found: f64,
}

/// Of every 2 and 4 clips of a cell the best, where there are as many seeds.
pub(super) fn best_of(cells: &[&Cell], seeds: usize) -> Vec<BestOf> {
    let kept = |draws: usize| {
        let groups = cells.iter().flat_map(|cell| cell.clips.chunks_exact(draws));
        Share::counted(groups.map(|group| {
            let best = group.iter().reduce(|best, other| {
                // The first of equals.
                if other.choice > best.choice {
                    other
                } else {
                    best
                }
            });
            best.is_some_and(|clip| clip.obeyed)
        }))
    };
    let draws = DRAWS.into_iter().filter(|draws| *draws <= seeds);
    draws
        .map(|draws| BestOf {
            draws,
            obeyed: kept(draws),
        })
        .collect()
}

/// The highest score below which at least 70 % do not obey; `None` where there is none.
pub(super) fn least_score(clips: &[&Measured]) -> Option<LeastScore> {
    let mut scored: Vec<(f64, bool)> = clips
        .iter()
        .filter_map(|clip| Some((clip.text_score?, clip.obeyed)))
        .collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut failures, mut found) = (0_usize, None);
    for (index, (score, obeyed)) in scored.iter().enumerate() {
        failures += usize::from(!obeyed);
        if failures as f64 >= WRONG * (index + 1) as f64 {
            found = Some((*score, index + 1, failures));
        }
    }
    let (score, below, wrong) = found?;
    Some(LeastScore {
        score,
        below: below as f64 / scored.len() as f64,
        found: wrong as f64 / failures.max(1) as f64,
    })
}

/// Mean over the clips; NaN of none.
pub(super) fn mean_of(clips: &[&Measured], value: impl Fn(&Measured) -> f64) -> f64 {
    let values: Vec<f64> = clips.iter().map(|clip| value(clip)).collect();
    mean(&values).unwrap_or(f64::NAN)
}

/// Mean over the clips that have it.
pub(super) fn mean_of_some(
    clips: &[&Measured],
    value: impl Fn(&Measured) -> Option<f64>,
) -> Option<f64> {
    let values: Vec<f64> = clips.iter().filter_map(|clip| value(clip)).collect();
    mean(&values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::obey::{JointTrack, Quality};
    use kinograd::motion::synth::synth_walk;

    fn clip(score: f64, obeyed: bool) -> Measured {
        let track = JointTrack::of(&synth_walk(1.0, 1.0, 20.0)).unwrap();
        Measured {
            seed: 0,
            obeyed,
            warned: false,
            text_score: Some(score),
            judge_score: None,
            speed_mps: 0.0,
            quality: Quality::of(&track),
            foot_skate_ratio: [0.0; 2],
            bone_std_mm: 0.0,
            choice: score,
        }
    }

    fn clips() -> Vec<Measured> {
        [(0.2, false), (0.9, true), (0.3, false), (0.5, true)]
            .map(|(score, obeyed)| clip(score, obeyed))
            .into()
    }

    #[test]
    fn the_best_of_two_is_the_one_that_scores_higher() {
        let cell = Cell {
            secs: 2.0,
            clips: clips(),
            tracks: Vec::new(),
        };
        let rows = best_of(&[&cell], 4);
        assert_eq!(
            rows.iter().map(|r| r.obeyed.hits).collect::<Vec<_>>(),
            [2, 1]
        );
        assert!(best_of(&[&cell], 1).is_empty());
    }

    #[test]
    fn a_threshold_finds_the_clips_that_do_not_obey() {
        let clips = clips();
        let least = least_score(&clips.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!((least.score, least.below, least.found), (0.3, 0.5, 1.0));
        let good = [clip(0.1, true), clip(0.9, false)];
        assert_eq!(least_score(&good.iter().collect::<Vec<_>>()), None);
    }
}
