use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::advice::Recommendation;
use super::figures::{AttemptReport, StepReport, TermReport};
use crate::{Error, Task};
use kinograd_draw::plot::{Bar, Bars, Chart, Panel, Scale, Series, save_plot};

/// What a diagnosis gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DiagnoseReport {
    /// `kinograd.diagnose/1`.
    pub schema: &'static str,
    /// Name and version of the model.
    pub model: String,
    /// The engine.
    pub engine: String,
    /// The task that makes the clips.
    pub task: Task,
    /// Steps of the task's own run.
    pub steps: Vec<StepReport>,
    /// ℓ*, the least that ℓ can be: 0, but for a network's score the least that was seen.
    pub least_loss: f64,
    /// Every loss.
    pub terms: Vec<TermReport>,
    /// The unguided clips, by [`Method::None`](crate::Method::None).
    pub unguided: AttemptReport,
    /// The task's method at several numbers of calls.
    pub calls: Vec<AttemptReport>,
    /// Other methods at the task's steps.
    pub methods: Vec<AttemptReport>,
    /// What follows.
    pub recommendation: Recommendation,
}

impl DiagnoseReport {
    /// Draws loss and PL ratio by step, loss by calls, and smoothness.
    ///
    /// # Errors
    /// [`Error::Write`] with the path and why.
    pub fn save_plot(&self, path: &Path) -> Result<(), Error> {
        let chart = |title: &str, x_label: &str, points: Vec<(f64, f64)>, y_scale| {
            Panel::Chart(Chart {
                title: title.to_owned(),
                x_label: x_label.to_owned(),
                y_scale,
                series: vec![Series::line("", points)],
                ..Chart::default()
            })
        };
        let by_step = |value: &dyn Fn(&StepReport) -> Option<f64>| -> Vec<(f64, f64)> {
            let steps = self.steps.iter().enumerate();
            steps
                .filter_map(|(index, step)| Some((index as f64, value(step)?)))
                .collect()
        };
        let by_calls = self
            .calls
            .iter()
            .filter_map(|row| Some((row.calls as f64, row.loss?)));
        let bars = self.terms.iter().flat_map(|term| {
            let bar = |label: String, value| Bar {
                label,
                value,
                interval: None,
            };
            let plain = bar(term.name.clone(), term.smoothness.plain);
            let augmented = term.smoothness.augmented;
            let augmented = augmented.map(|value| bar(format!("{}, augmented", term.name), value));
            [Some(plain), augmented].into_iter().flatten()
        });
        let panels = [
            chart("loss", "step", by_step(&|step| Some(step.loss)), Scale::Log),
            chart(
                "PL ratio",
                "step",
                by_step(&|step| step.pl_ratio),
                Scale::Log,
            ),
            chart("loss", "calls", by_calls.collect(), Scale::Log),
            Panel::Bars(Bars {
                title: "Lipschitz constant of the gradient".to_owned(),
                bars: bars.collect(),
                ..Bars::default()
            }),
        ];
        Ok(save_plot(path, &panels, 2, (640, 420))?)
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.4}"))
}

impl fmt::Display for DiagnoseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} on {}", self.model, self.engine)?;
        writeln!(
            f,
            "{:>8}  {:>11} {:>11} {:>11}",
            "timestep", "loss", "descent", "PL ratio"
        )?;
        for step in &self.steps {
            writeln!(
                f,
                "{:>8.0}  {:>11.4} {:>11} {:>11}",
                step.timestep,
                step.loss,
                number(step.descent),
                number(step.pl_ratio)
            )?;
        }
        writeln!(
            f,
            "{:16} {:>6} {:>9} {:>9}  {:>10} {:>10}  {:>11}",
            "loss", "weight", "unguided", "guided", "Lipschitz", "augmented", "adversarial"
        )?;
        for term in &self.terms {
            let share = match (term.smoothness.augmented, term.adversarial_share) {
                (None, _) => "not applicable: analytic".to_owned(),
                (_, share) => number(share),
            };
            writeln!(
                f,
                "{:16} {:>6} {:>9.4} {:>9.4}  {:>10.3} {:>10}  {share:>11}",
                term.name,
                term.weight,
                term.unguided,
                term.guided,
                term.smoothness.plain,
                number(term.smoothness.augmented)
            )?;
            if let Some(judge) = &term.judge {
                writeln!(f, "{:16} judged by {judge}", "")?;
            }
        }
        writeln!(
            f,
            "{:14} {:>5} {:>11} {:>6} {:>7}",
            "method", "calls", "loss", "text", "s/clip"
        )?;
        let rows = std::iter::once(&self.unguided)
            .chain(&self.calls)
            .chain(&self.methods);
        for row in rows {
            write!(f, "{:14} {:>5} ", row.method.name(), row.calls)?;
            match &row.failure {
                Some(why) => writeln!(f, "broke down: {why}")?,
                None => writeln!(
                    f,
                    "{:>11} {:>6} {:>7.2}",
                    number(row.loss),
                    number(row.text_score),
                    row.seconds_per_clip
                )?,
            }
        }
        self.recommendation.fmt(f)
    }
}
