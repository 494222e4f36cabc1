//! What an optimisation reports.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::mean;
use super::settings::guidance_name;
use super::{Optimization, Reward};
use crate::plot::{Chart, Mark, Panel, Point, Series, save_plot};
use crate::{Error, Task};

/// Measurements after a round; one value per clip where it is a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RoundReport {
    /// Which round; 0 is the unguided clips.
    pub round: usize,
    /// The reward, in its unit.
    pub rewards: Vec<f64>,
    /// Cosine between the embeddings of the clip and of the prompt; empty where the model has no
    /// motion embedding.
    pub text_scores: Vec<f64>,
    /// Share of frames in which a foot on the ground slides, before clean-up.
    pub foot_skate_ratios: Vec<f64>,
    /// Mean jerk of the joints before clean-up, m/s³.
    pub jerks_m_s3: Vec<f64>,
    /// Standard deviation of the bones' lengths over the clip before clean-up, metres: 0 for a body
    /// that stays whole.
    pub bone_stds_m: Vec<f64>,
    /// How far a clip is from what the model expects: root mean square of `x − x̂0(x_t)` at 10 % of
    /// the schedule, with the same noise for every round, by the model as it was before the run,
    /// in deviations of the features.
    pub residuals: Vec<f64>,
    /// Wall time of the round, seconds.
    pub seconds: f64,
    /// Of those, the fine-tuning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_seconds: Option<f64>,
    /// Mean loss of the round's fine-tuning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_loss: Option<f64>,
}

/// What was asked for and what every round gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OptimizeReport {
    /// `kinograd.optimize/1`.
    pub schema: &'static str,
    /// Name and version of the model.
    pub model: String,
    /// The engine.
    pub engine: String,
    /// What was asked for.
    pub task: Task,
    /// What was made large.
    pub reward: Reward,
    /// The reward's unit.
    pub unit: &'static str,
    /// δ that was taken.
    pub delta: f64,
    /// σ that was taken.
    pub sigma: f64,
    /// Means over real clips that the model's makers measured: `skate` and `jerk`, where they say.
    pub real: Option<serde_json::Value>,
    /// What the rounds gave, first the unguided clips.
    pub rounds: Vec<RoundReport>,
}

impl RoundReport {
    /// Mean reward.
    #[must_use]
    pub fn reward(&self) -> f64 {
        mean(&self.rewards).unwrap_or(f64::NAN)
    }
}

impl OptimizeReport {
    /// Draws reward, residual, text score and jerk against the rounds.
    ///
    /// # Errors
    /// [`Error::Write`] with the path and why.
    pub fn save_plot(&self, path: &Path) -> Result<(), Error> {
        let reward = labelled(&self.reward.to_string(), self.unit);
        let panels = [
            self.panel(&reward, |round| &round.rewards),
            self.panel("residual, deviations", |round| &round.residuals),
            self.panel("text score", |round| &round.text_scores),
            self.panel("jerk, m/s/s/s", |round| &round.jerks_m_s3),
        ];
        save_plot(path, &panels, 2, (640, 400))
    }

    /// The mean over the clips, from the least to the greatest of them.
    fn panel(&self, name: &str, values: impl Fn(&RoundReport) -> &Vec<f64>) -> Panel {
        let point = |round: &RoundReport| {
            let values = values(round);
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            Point {
                x: round.round as f64,
                y: mean(values).unwrap_or(f64::NAN),
                interval: (values.len() > 1).then_some([least, greatest]),
            }
        };
        Panel::Chart(Chart {
            title: format!("\"{}\"", self.task.prompts_in_words()),
            x_label: "round".to_owned(),
            y_label: name.to_owned(),
            series: vec![Series {
                label: String::new(),
                points: self.rounds.iter().map(point).collect(),
                mark: Mark::Line,
            }],
            ..Chart::default()
        })
    }
}

impl fmt::Display for OptimizeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lookahead = self.task.optimization.as_ref();
        let lookahead = lookahead.map_or_else(Default::default, |o: &Optimization| o.lookahead);
        writeln!(
            f,
            "\"{}\", {} s, {} clips, {} by {}, δ {:.3} {}, {}",
            self.task.prompts_in_words(),
            self.task.duration_secs,
            self.task.sampling.count,
            self.reward,
            guidance_name(lookahead),
            self.delta,
            self.unit,
            self.engine
        )?;
        let trained = self
            .rounds
            .iter()
            .any(|round| round.training_loss.is_some());
        write!(f, "{:>5}  {COLUMNS}  {:>7}", "round", "seconds")?;
        writeln!(f, "{}", if trained { "  fit s  loss" } else { "" })?;
        for round in &self.rounds {
            write!(
                f,
                "{:>5}  {}  {:>7.2}",
                round.round,
                Columns(round),
                round.seconds
            )?;
            if let (Some(seconds), Some(loss)) = (round.training_seconds, round.training_loss) {
                write!(f, "  {seconds:>5.1}  {loss:.4}")?;
            }
            writeln!(f)?;
        }
        write_real(f, 5, self.real.as_ref())
    }
}

/// Heads of [`Columns`].
pub(super) const COLUMNS: &str = "    reward     least    text  skate    jerk bones mm  residual";

/// What a round gave, as columns.
pub(super) struct Columns<'a>(pub(super) &'a RoundReport);

impl fmt::Display for Columns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let round = self.0;
        let least = round.rewards.iter().copied().fold(f64::INFINITY, f64::min);
        write!(
            f,
            "{:>10.4} {:>9.4}  {:>6} {:>6} {:>7} {:>8} {:>9}",
            round.reward(),
            least,
            or_dash(mean(&round.text_scores), 2),
            or_dash(mean(&round.foot_skate_ratios), 3),
            or_dash(mean(&round.jerks_m_s3), 1),
            or_dash(mean(&round.bone_stds_m).map(|m| m * 1e3), 2),
            or_dash(mean(&round.residuals), 4),
        )
    }
}

/// The real clips' line below [`Columns`], after a first column of a given width.
pub(super) fn write_real(
    f: &mut fmt::Formatter<'_>,
    width: usize,
    real: Option<&serde_json::Value>,
) -> fmt::Result {
    let Some(real) = real else { return Ok(()) };
    let number = |key: &str, digits| or_dash(real[key].as_f64(), digits);
    writeln!(
        f,
        "{:>width$}  {:>20}  {:>6} {:>6} {:>7} {:>8}",
        "real",
        "",
        "",
        number("skate", 3),
        number("jerk", 1),
        number("bone_std_mm", 2)
    )
}

fn or_dash(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
}

/// A name with its unit, where it has one.
pub(super) fn labelled(name: &str, unit: &str) -> String {
    match unit {
        "" => name.to_owned(),
        unit => format!("{name}, {unit}"),
    }
}
