//! What more reward costs: the same clips for several δ.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::mean;
use super::report::{RoundTable, labelled};
use super::{Reward, RoundReport};
use crate::{Error, MotionGenerator, Observer, Task};
use kinograd_draw::plot::{Chart, Panel, Series, save_plot};

/// Most δ of one curve.
const MAX_DELTAS: usize = 20;

/// The rounds of one δ.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TradeOffRow {
    /// How far above the present reward each round aimed, in the reward's unit.
    pub delta: f64,
    /// What the rounds gave, first the unguided clips.
    pub rounds: Vec<RoundReport>,
}

/// Reward against naturalness.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TradeOffReport {
    /// `kinograd.trade-off/1`.
    pub schema: &'static str,
    /// Name and version of the model.
    pub model: String,
    /// The engine.
    pub engine: String,
    /// What was asked for; its δ is that of no row.
    pub task: Task,
    /// What was made large.
    pub reward: Reward,
    /// The reward's unit.
    pub unit: &'static str,
    /// Means over real clips that the model's makers measured: `skate` and `jerk`, where they say.
    pub real: Option<serde_json::Value>,
    /// By δ, in the order that was asked for.
    pub rows: Vec<TradeOffRow>,
}

impl MotionGenerator {
    /// Optimises the same clips, from the same seeds, once for every δ.
    ///
    /// # Errors
    /// [`Error::Request`] if a δ is not a number from 0 on, or there is none or too many; otherwise
    /// as [`optimize`](Self::optimize).
    pub fn trade_off(
        &mut self,
        task: &Task,
        deltas: &[f64],
        observer: &mut dyn Observer,
    ) -> Result<TradeOffReport, Error> {
        if deltas.is_empty() || deltas.len() > MAX_DELTAS {
            return Err(Error::Request {
                field: "trade-off",
                message: format!(
                    "{} values of delta; 1 to {MAX_DELTAS} are run",
                    deltas.len()
                ),
            });
        }
        let tasks = deltas.iter().map(|&delta| {
            task.edited(|spec| {
                if let Some(optimization) = &mut spec.optimization {
                    optimization.delta = Some(delta);
                }
            })
        });
        let tasks: Vec<Task> = tasks.collect::<Result<_, Error>>()?;
        let mut rows = Vec::with_capacity(deltas.len());
        for task in &tasks {
            let report = self.optimize(task, observer)?.report;
            rows.push(TradeOffRow {
                delta: report.delta,
                rounds: report.rounds,
            });
        }
        let reward = task.asked_optimization()?.reward.clone();
        let manifest = self.manifest();
        Ok(TradeOffReport {
            schema: "kinograd.trade-off/1",
            model: format!("{} {}", manifest.name, manifest.version),
            engine: self.engine_name(),
            unit: reward.unit(),
            task: task.clone(),
            reward,
            real: manifest.metrics.get("val_real").cloned(),
            rows,
        })
    }
}

impl TradeOffReport {
    /// Draws how the clips change as their reward rises, a line per δ, a point per round.
    ///
    /// # Errors
    /// As [`save_plot`].
    pub fn save_plot(&self, path: &Path) -> Result<(), Error> {
        let reward = labelled(&self.reward.to_string(), self.unit);
        let panel = |name: &str, of: fn(&RoundReport) -> &[f64]| {
            let line = |row: &TradeOffRow| {
                let point = |round: &RoundReport| (round.reward(), mean(of(round)));
                let points = row.rounds.iter().map(point);
                let points = points.filter_map(|(x, y)| Some((x, y?)));
                Series::line(format!("δ {}", row.delta), points.collect::<Vec<_>>())
            };
            Panel::Chart(Chart {
                title: format!("\"{}\"", self.task.prompts_in_words()),
                x_label: reward.clone(),
                y_label: name.to_owned(),
                series: self.rows.iter().map(line).collect(),
                ..Chart::default()
            })
        };
        let panels = [
            panel("residual, deviations", |round| &round.residuals),
            panel("text score", |round| &round.text_scores),
            panel("jerk, m/s/s/s", |round| &round.jerks_m_s3),
            panel("foot skate", |round| &round.foot_skate_ratios),
        ];
        Ok(save_plot(path, &panels, 2, (640, 400))?)
    }
}

impl fmt::Display for TradeOffReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\"{}\", {} s, {} clips, {} after {} rounds, {}",
            self.task.prompts_in_words(),
            self.task.duration_secs,
            self.task.sampling.count,
            self.reward,
            self.task.optimization.as_ref().map_or(0, |o| o.rounds),
            self.engine
        )?;
        let start = self.rows.first().and_then(|row| row.rounds.first());
        let ends = self.rows.iter();
        let ends = ends.filter_map(|row| Some((row.delta.to_string(), row.rounds.last()?)));
        let start = start.map(|round| ("none".to_owned(), round));
        let table = RoundTable {
            head: "delta",
            rows: start.into_iter().chain(ends).collect(),
            real: self.real.as_ref(),
        };
        table.fmt(f)
    }
}
