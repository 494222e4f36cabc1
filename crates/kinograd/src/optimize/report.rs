//! What an optimisation reports.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::mean;
use super::settings::guidance_name;
use super::{Optimization, Reward};
use crate::{Error, Task};
use kinograd_draw::plot::{Chart, Mark, Panel, Point, Series, save_plot};

/// Measurements after a round; one value per sample where it is a list. What is not measured of a
/// modality is empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RoundReport {
    /// Which round; 0 is the unguided samples.
    pub round: usize,
    /// The reward, in its unit; of pictures minus the weighted sum of the goals as it was optimised,
    /// with augmentations.
    pub rewards: Vec<f64>,
    /// Cosine between the embeddings of the sample and of the prompt, by the network that may have
    /// steered; empty without one.
    pub text_scores: Vec<f64>,
    /// The same by a network that did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judge_scores: Vec<f64>,
    /// Share of frames in which a foot on the ground slides, before clean-up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub foot_skate_ratios: Vec<f64>,
    /// Mean jerk of the joints before clean-up, m/s³.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jerks_m_s3: Vec<f64>,
    /// Standard deviation of the bones' lengths over the clip before clean-up, metres: 0 for a body
    /// that stays whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bone_stds_m: Vec<f64>,
    /// How far a sample is from what the model expects: root mean square of `x − x̂0(x_t)` at 10 % of
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
    /// A round of which nothing is measured yet.
    pub(crate) fn new(round: usize) -> Self {
        Self {
            round,
            rewards: Vec::new(),
            text_scores: Vec::new(),
            judge_scores: Vec::new(),
            foot_skate_ratios: Vec::new(),
            jerks_m_s3: Vec::new(),
            bone_stds_m: Vec::new(),
            residuals: Vec::new(),
            seconds: 0.0,
            training_seconds: None,
            training_loss: None,
        }
    }

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
        Ok(save_plot(path, &panels, 2, (640, 400))?)
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
        let rows = self
            .rounds
            .iter()
            .map(|round| (round.round.to_string(), round));
        let table = RoundTable {
            head: "round",
            rows: rows.collect(),
            real: self.real.as_ref(),
        };
        table.fmt(f)
    }
}

/// Rounds as a table with the columns that were measured, a name before each.
pub struct RoundTable<'a> {
    /// What the names are.
    pub head: &'a str,
    /// Names and rounds.
    pub rows: Vec<(String, &'a RoundReport)>,
    /// Means over real clips that the model's makers measured: `skate`, `jerk` and `bone_std_mm`.
    pub real: Option<&'a serde_json::Value>,
}

/// A column of the rounds' table.
struct Column {
    head: &'static str,
    width: usize,
    digits: usize,
    of: fn(&RoundReport) -> Option<f64>,
    /// What it is called among the measures of real clips.
    real: Option<&'static str>,
}

const fn column(
    head: &'static str,
    [width, digits]: [usize; 2],
    of: fn(&RoundReport) -> Option<f64>,
    real: Option<&'static str>,
) -> Column {
    Column {
        head,
        width,
        digits,
        of,
        real,
    }
}

const COLUMNS: [Column; 11] = [
    column("reward", [10, 4], |r| mean(&r.rewards), None),
    column("least", [9, 4], least, None),
    column("text", [7, 3], |r| mean(&r.text_scores), None),
    column("judge", [7, 3], |r| mean(&r.judge_scores), None),
    column(
        "skate",
        [6, 3],
        |r| mean(&r.foot_skate_ratios),
        Some("skate"),
    ),
    column("jerk", [7, 1], |r| mean(&r.jerks_m_s3), Some("jerk")),
    column(
        "bones mm",
        [8, 2],
        |r| mean(&r.bone_stds_m).map(|metres| metres * 1e3),
        Some("bone_std_mm"),
    ),
    column("residual", [9, 4], |r| mean(&r.residuals), None),
    column("seconds", [8, 2], |r| Some(r.seconds), None),
    column("fit s", [6, 1], |r| r.training_seconds, None),
    column("loss", [7, 4], |r| r.training_loss, None),
];

fn least(round: &RoundReport) -> Option<f64> {
    round.rewards.iter().copied().reduce(f64::min)
}

impl fmt::Display for RoundTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_there = |column: &Column| self.rows.iter().any(|(_, r)| (column.of)(r).is_some());
        let columns: Vec<&Column> = COLUMNS.iter().filter(|column| is_there(column)).collect();
        let names = self.rows.iter().map(|(name, _)| name.chars().count());
        let first = names.chain([self.head.len()]).max().unwrap_or(0);
        let mut row = |name: &str, value: &dyn Fn(&Column) -> String| {
            write!(f, "{name:>first$}")?;
            for column in &columns {
                write!(f, " {:>width$}", value(column), width = column.width)?;
            }
            writeln!(f)
        };
        row(self.head, &|column| column.head.to_owned())?;
        for (name, round) in &self.rows {
            row(name, &|c| or_dash((c.of)(round), c.digits))?;
        }
        let Some(real) = self.real else { return Ok(()) };
        row("real", &|column| {
            let value = column.real.and_then(|key| real[key].as_f64());
            value.map_or(String::new(), |value| or_dash(Some(value), column.digits))
        })
    }
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
