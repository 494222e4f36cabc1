//! Reports as text and as Markdown.

use std::fmt::{self, Write as _};

use super::guidance::{Budget, GuidanceReport, GuidanceRow};
use super::record::Summary;
use super::run::Clock;
use crate::statistics::ConfidenceInterval;

/// Target + avoidance loss / text score, on the authors' model, with targets 8.5 and 11.3 m away
/// (Shen et al. 2024, table of the motion experiment).
const PUBLISHED: [(&str, [&str; 4]); 4] = [
    (
        "unconditional",
        [
            "3.55 + 9.66 / 65.6",
            "47.92 + 0 / 70.8",
            "48.88 + 0 / 37.6",
            "144.84 + 0 / 61.7",
        ],
    ),
    (
        "FreeDoM",
        [
            "1.09 + 6.63 / 67.2",
            "9.83 + 4.48 / 62.7",
            "1.64 + 7.55 / 40.1",
            "34.95 + 7.83 / 58.7",
        ],
    ),
    (
        "LGD-MC",
        [
            "0.98 + 6.48 / 67.3",
            "4.42 + 0.02 / 63.1",
            "1.30 + 0.39 / 38.8",
            "6.12 + 2.38 / 57.9",
        ],
    ),
    (
        "theirs (Polyak)",
        [
            "0.68 + 1.32 / 67.5",
            "1.13 + 0.30 / 63.0",
            "0.43 + 0.31 / 40.4",
            "2.93 + 1.15 / 60.0",
        ],
    ),
];

/// A column: its name, its number and the digits after the point.
type Column = (
    &'static str,
    fn(&Summary) -> Option<ConfidenceInterval>,
    usize,
);

const COLUMNS: [Column; 12] = [
    ("target, m", |s| s.target_error_m, 3),
    ("target, m²", |s| s.target_loss_m2, 2),
    ("avoid", |s| s.avoidance, 2),
    ("depth, m", |s| s.penetration_m, 3),
    ("inside, %", |s| percent(s.inside_share), 1),
    ("text", |s| s.text_score, 2),
    ("judge", |s| s.judge_score, 2),
    ("skate", |s| s.foot_skate_ratio, 3),
    ("before", |s| s.foot_skate_ratio_before, 3),
    ("jerk", |s| s.jerk_m_s3, 0),
    ("real", |s| s.real_distance, 2),
    ("fast, %", |s| percent(s.implausible_share), 0),
];

const LEGEND: &str = "target: distance of the root from its goal in the last frame, and its square, \
    which is the published target loss; avoid: 100 · mean sigmoid(−50 (d − r)), the published \
    avoidance loss; depth: deepest penetration of the circle; inside: share of frames in it; text: \
    cosine between the embeddings of clip and prompt; judge: the same by networks that steered \
    nothing; skate: share of frames with a sliding foot, \
    after and before the foot lock; jerk: m/s³; real: distance from the nearest real clip in the \
    embedding (the judge's, where there is one); fast: clips above 2.6 m/s for half a second; s a clip: text, sampling and clean-up";

pub(super) fn percent(interval: Option<ConfidenceInterval>) -> Option<ConfidenceInterval> {
    interval.map(|i| ConfidenceInterval {
        mean: 100.0 * i.mean,
        low: 100.0 * i.low,
        high: 100.0 * i.high,
        count: i.count,
    })
}

/// `0.42 ± 0.06`, half of the interval's width.
pub(super) fn with_half(interval: Option<ConfidenceInterval>, digits: usize) -> String {
    interval.map_or("-".to_owned(), |i| {
        format!("{:.digits$}±{:.digits$}", i.mean, (i.high - i.low) / 2.0)
    })
}

/// `0.42 (0.36–0.49)`.
pub(super) fn with_ends(interval: Option<ConfidenceInterval>, digits: usize) -> String {
    interval.map_or("–".to_owned(), |i| {
        format!(
            "{:.digits$} ({:.digits$}–{:.digits$})",
            i.mean, i.low, i.high
        )
    })
}

fn clips(row: &GuidanceRow) -> String {
    if row.failed.is_empty() {
        row.clips.len().to_string()
    } else {
        format!("{}, {} failed", row.clips.len(), row.failed.len())
    }
}

/// Target + avoidance / text score × 100, as published.
fn as_published(summary: &Summary) -> String {
    let mean = |interval: Option<ConfidenceInterval>, factor: f64, digits: usize| {
        interval.map_or("–".to_owned(), |i| {
            format!("{:.digits$}", factor * i.mean)
        })
    };
    format!(
        "{} + {} / {}",
        mean(summary.target_loss_m2, 1.0, 2),
        mean(summary.avoidance, 1.0, 2),
        mean(summary.text_score, 100.0, 1)
    )
}

impl Budget {
    fn title(self, report: &GuidanceReport) -> String {
        match self {
            Self::Calls => format!("Equal denoiser calls: {}", report.protocol.calls),
            Self::Time => format!(
                "Equal time: {:.2} s of sampling a clip",
                report.equal_seconds.unwrap_or(f64::NAN)
            ),
        }
    }
}

impl fmt::Display for GuidanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} on {}; {}", self.model, self.engine, self.setting())?;
        for scenario in &self.scenarios {
            writeln!(
                f,
                "  \"{}\": unguided way {:.1} m, target {:.1} m away (heading {}°), circle {:.2} m",
                scenario.prompt,
                scenario.unguided_way_m,
                scenario.distance_m,
                scenario.heading_deg,
                scenario.radius_m
            )?;
        }
        for budget in [Budget::Calls, Budget::Time] {
            if self.rows_at(budget).next().is_none() {
                continue;
            }
            writeln!(
                f,
                "\n{}; mean ± half of the 95 % interval",
                budget.title(self)
            )?;
            write!(f, "{:18} {:>5} {:>7} ", "method", "steps", "scale")?;
            for (name, ..) in COLUMNS {
                write!(f, " {name:>13}")?;
            }
            writeln!(f, " {:>11}  clips", "s/clip")?;
            for row in self.rows_at(budget) {
                let name = row.candidate.label();
                write!(f, "{name:18} {:>5} {:>7} ", row.steps, row.guidance_scale)?;
                for (_, of, digits) in COLUMNS {
                    write!(f, " {:>13}", with_half(of(&row.summary), digits))?;
                }
                let seconds = with_half(row.seconds_per_clip, 2);
                writeln!(f, " {seconds:>11}  {}", clips(row))?;
            }
        }
        for row in &self.rows {
            if let Some(first) = row.failed.first() {
                let name = row.candidate.label();
                writeln!(
                    f,
                    "{name} broke down on seed {}: {}",
                    first.seed, first.reason
                )?;
            }
        }
        Ok(())
    }
}

impl GuidanceReport {
    fn setting(&self) -> String {
        let p = &self.protocol;
        format!(
            "{} s, directions {:?}°, {} seeds from {}",
            p.duration_secs, p.directions_deg, p.seeds, p.seed
        )
    }

    /// The report as a Markdown document.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_markdown(&mut text);
        text
    }

    fn write_markdown(&self, text: &mut String) -> fmt::Result {
        writeln!(text, "# Guidance methods beside each other\n")?;
        writeln!(
            text,
            "`kinograd bench guidance` with {} on {}: {}. Means with their 95 % intervals (percentiles of \
             2000 bootstrap resamples over the clips).\n",
            self.model,
            self.engine,
            self.setting()
        )?;
        writeln!(
            text,
            "The target lies at {} of the median way that unguided clips of the prompt walk in that time; the \
             circle is half-way, its radius in the reference's proportion (1 to 6√2). All methods follow the \
             same loss, and no text loss unless the name says so.\n",
            self.protocol.reach
        )?;
        writeln!(
            text,
            "| prompt | unguided way, m | target, m | heading | circle, m |\n|---|---|---|---|---|"
        )?;
        for scenario in &self.scenarios {
            writeln!(
                text,
                "| {} | {:.1} | {:.1} | {}° | {:.2} |",
                scenario.prompt,
                scenario.unguided_way_m,
                scenario.distance_m,
                scenario.heading_deg,
                scenario.radius_m
            )?;
        }
        for budget in [Budget::Calls, Budget::Time] {
            if self.rows_at(budget).next().is_some() {
                writeln!(text, "\n## {}\n", budget.title(self))?;
                self.write_table(text, budget)?;
            }
        }
        let clock = match self.clock {
            Clock::Processor => "processor time of all threads",
            Clock::Wall => "on the wall",
        };
        writeln!(text, "\n{LEGEND}, {clock}.")?;
        writeln!(
            text,
            "\n## As published: target m² + avoidance / text score × 100\n"
        )?;
        self.write_published(text)?;
        for row in &self.rows {
            if let Some(first) = row.failed.first() {
                writeln!(
                    text,
                    "\n{} failed on {} clips; the first, seed {}: {}",
                    row.candidate.label(),
                    row.failed.len(),
                    first.seed,
                    first.reason
                )?;
            }
        }
        Ok(())
    }

    fn write_table(&self, text: &mut String, budget: Budget) -> fmt::Result {
        write!(text, "| method | steps | scale |")?;
        for (name, ..) in COLUMNS {
            write!(text, " {name} |")?;
        }
        writeln!(text, " s a clip | clips |")?;
        writeln!(text, "|{}", "---|".repeat(COLUMNS.len() + 5))?;
        for row in self.rows_at(budget) {
            write!(
                text,
                "| {} | {} | {} |",
                row.candidate.label(),
                row.steps,
                row.guidance_scale
            )?;
            for (_, of, digits) in COLUMNS {
                write!(text, " {} |", with_ends(of(&row.summary), digits))?;
            }
            let seconds = with_ends(row.seconds_per_clip, 2);
            writeln!(text, " {seconds} | {} |", clips(row))?;
        }
        Ok(())
    }

    fn write_published(&self, text: &mut String) -> fmt::Result {
        write!(text, "| method |")?;
        for scenario in &self.scenarios {
            write!(text, " {} |", scenario.prompt)?;
        }
        writeln!(text, "\n|{}", "---|".repeat(self.scenarios.len() + 1))?;
        for row in self.rows_at(Budget::Calls) {
            write!(text, "| {} |", row.candidate.label())?;
            for summary in &row.by_scenario {
                write!(text, " {} |", as_published(summary))?;
            }
            writeln!(text)?;
        }
        if self.protocol.prompts == super::GuidanceProtocol::default().prompts {
            for (name, cells) in PUBLISHED {
                writeln!(text, "| *published: {name}* | *{}* |", cells.join("* | *"))?;
            }
            writeln!(
                text,
                "\nThe published rows are of another model (MDM on HumanML3D, 100 steps, 9.8 s), with targets \
                 8.5 m away (jogging 11.3 m), another embedding and the mean of all joints as the position: \
                 compare the order of the methods, not the numbers."
            )?;
        }
        Ok(())
    }
}
