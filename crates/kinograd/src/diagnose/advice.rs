use std::fmt;

use serde::Serialize;

use super::figures::{AttemptReport, StepReport, TermReport};
use crate::Method;

/// Loss above the best that still counts as reached, as a share of what guidance gains.
const NEAR_BEST: f64 = 0.05;
/// Text score that a method may cost beside the unguided clips.
const TEXT_LOSS: f64 = 0.05;
/// Share of the descent that the recommended interval holds.
const INTERVAL_SHARE: f64 = 0.95;
/// Adversarial share from which augmentations are advised.
const ADVERSARIAL: f64 = 0.25;

/// What follows from the measurements, by the rules that the evidence states.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Recommendation {
    /// The method.
    pub method: Method,
    /// Denoiser calls.
    pub steps: usize,
    /// Timesteps, clean and noisy end, within which guidance earns its cost.
    pub interval: [f64; 2],
    /// Longest step along the gradient on x̂0 that must make ℓ fall, 1/L.
    pub step_size: f64,
    /// Whether a loss should be averaged over augmentations.
    pub augment: bool,
    /// Why, one sentence each.
    pub evidence: Vec<String>,
}

pub(super) fn recommended(
    own: Method,
    steps: &[StepReport],
    terms: &[TermReport],
    unguided: &AttemptReport,
    calls: &[AttemptReport],
    methods: &[AttemptReport],
    own_at_steps: &AttemptReport,
) -> Recommendation {
    let mut evidence = Vec::new();
    let method = best_method(own, unguided, methods, own_at_steps, &mut evidence);
    let steps_advised = fewest_calls(unguided, calls, &mut evidence);
    let interval = where_it_falls(steps, &mut evidence);
    let lipschitz: f64 = terms
        .iter()
        .map(|term| term.weight * term.smoothness.plain)
        .sum();
    let step_size = if lipschitz > 0.0 {
        1.0 / lipschitz
    } else {
        f64::INFINITY
    };
    evidence.push(format!(
        "step size: the gradient's Lipschitz constant is {lipschitz:.3}, and a step of {step_size:.4} \
         or less lets ℓ fall"
    ));
    let deceived: Vec<String> = terms
        .iter()
        .filter(|term| {
            term.adversarial_share
                .is_some_and(|share| share > ADVERSARIAL)
        })
        .map(|term| format!("`{}`", term.name))
        .collect();
    let augment = !deceived.is_empty();
    evidence.push(if augment {
        format!(
            "augmentations: more than {:.0} % of the fall of {} does not hold under held-out ones",
            ADVERSARIAL * 100.0,
            deceived.join(", ")
        )
    } else {
        "augmentations: none needed; what falls holds under held-out ones, or is analytic"
            .to_owned()
    });
    Recommendation {
        method,
        steps: steps_advised,
        interval,
        step_size,
        augment,
        evidence,
    }
}

fn best_method(
    own: Method,
    unguided: &AttemptReport,
    methods: &[AttemptReport],
    own_at_steps: &AttemptReport,
    evidence: &mut Vec<String>,
) -> Method {
    let keeps_text = |row: &&AttemptReport| match (row.text_score, unguided.text_score) {
        (Some(score), Some(plain)) => score >= plain - TEXT_LOSS,
        _ => true,
    };
    let best = methods
        .iter()
        .chain([own_at_steps])
        .filter(keeps_text)
        .filter_map(|row| Some((row, row.loss?)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let Some((row, loss)) = best else {
        evidence.push(format!(
            "method: every one costs more than {TEXT_LOSS} of text score; the request's is kept"
        ));
        return own;
    };
    evidence.push(format!(
        "method: {} has the least loss, {loss:.4}, of those that keep the text score within {TEXT_LOSS}",
        row.method
    ));
    row.method
}

fn fewest_calls(
    unguided: &AttemptReport,
    calls: &[AttemptReport],
    evidence: &mut Vec<String>,
) -> usize {
    let done: Vec<(usize, f64)> = calls
        .iter()
        .filter_map(|row| Some((row.calls, row.loss?)))
        .collect();
    let least = done.iter().map(|row| row.1).fold(f64::INFINITY, f64::min);
    let gain = (unguided.loss.unwrap_or(least) - least).max(0.0);
    let enough = done
        .iter()
        .filter(|row| row.1 <= least + NEAR_BEST * gain)
        .map(|row| row.0)
        .min();
    let steps = enough
        .or_else(|| calls.first().map(|row| row.calls))
        .unwrap_or(20);
    evidence.push(format!(
        "steps: {steps} is the fewest within {:.0} % of what guidance gains at best ({least:.4})",
        NEAR_BEST * 100.0
    ));
    steps
}

/// The timesteps between which all but a twentieth of the descent happens.
fn where_it_falls(steps: &[StepReport], evidence: &mut Vec<String>) -> [f64; 2] {
    let gains: Vec<f64> = steps
        .iter()
        .map(|step| step.descent.unwrap_or(0.0).max(0.0))
        .collect();
    let total: f64 = gains.iter().sum();
    let margin = 0.5 * (1.0 - INTERVAL_SHARE) * total;
    let reached = |gains: Vec<(usize, f64)>| -> Option<usize> {
        let mut sum = 0.0;
        gains
            .into_iter()
            .find(|(_, gain)| {
                sum += gain;
                sum > margin
            })
            .map(|(index, _)| index)
    };
    let first = reached(gains.iter().copied().enumerate().collect());
    let last = reached(gains.iter().copied().enumerate().rev().collect());
    let at = |index: Option<usize>| index.and_then(|index| steps.get(index)).map(|s| s.timestep);
    let ends = [
        at(last).unwrap_or(0.0),
        at(first).unwrap_or_else(|| steps.first().map_or(0.0, |step| step.timestep)),
    ];
    evidence.push(format!(
        "interval: {:.0} % of the descent is between timesteps {:.0} and {:.0}",
        INTERVAL_SHARE * 100.0,
        ends[1],
        ends[0]
    ));
    ends
}

impl fmt::Display for Recommendation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "recommended: --method {} --steps {}{}",
            self.method,
            self.steps,
            if self.augment {
                ", with augmentations"
            } else {
                ""
            }
        )?;
        self.evidence
            .iter()
            .try_for_each(|line| writeln!(f, "  {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Smoothness;

    fn attempt(method: Method, calls: usize, loss: f64, text: f64) -> AttemptReport {
        AttemptReport {
            method,
            calls,
            loss: Some(loss),
            text_score: Some(text),
            seconds_per_clip: 1.0,
            failure: None,
        }
    }

    #[test]
    fn the_rules_follow_the_measurements() {
        let losses = [4.0, 4.0, 1.0, 0.1, 0.1];
        let steps: Vec<StepReport> = losses
            .iter()
            .enumerate()
            .map(|(index, &loss)| StepReport {
                timestep: 900.0 - 200.0 * index as f64,
                loss,
                descent: losses.get(index + 1).map(|next| loss - next),
                pl_ratio: None,
            })
            .collect();
        let term = |share| TermReport {
            name: "text".to_owned(),
            weight: 2.0,
            unguided: 1.0,
            guided: 0.5,
            smoothness: Smoothness {
                plain: 0.25,
                augmented: Some(0.2),
            },
            augmentations: "crops",
            judge: None,
            adversarial_share: Some(share),
        };
        let unguided = attempt(Method::None, 20, 4.0, 0.8);
        let calls = [
            attempt(Method::Projection, 5, 1.0, 0.8),
            attempt(Method::Projection, 10, 0.15, 0.8),
            attempt(Method::Projection, 20, 0.1, 0.8),
        ];
        // The better loss is not worth the text score that it costs.
        let others = [attempt(Method::Mpgd, 20, 0.01, 0.6)];
        let advice = |share| {
            recommended(
                Method::Projection,
                &steps,
                &[term(share)],
                &unguided,
                &calls,
                &others,
                &calls[2],
            )
        };
        let got = advice(0.1);
        assert_eq!((got.method, got.steps), (Method::Projection, 10));
        assert_eq!(got.interval, [500.0, 700.0]);
        assert!((got.step_size - 2.0).abs() < 1e-12);
        assert!(!got.augment && advice(0.4).augment);
        assert_eq!(got.evidence.len(), 5);
    }
}
