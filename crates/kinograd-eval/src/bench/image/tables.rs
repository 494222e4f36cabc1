//! Reports as text and as Markdown.

use std::fmt::{self, Write as _};

use super::super::guidance::Budget;
use super::super::run::Clock;
use super::super::tables::{percent, with_ends, with_half};
use super::protocol::ImageGoal;
use super::record::ImageSummary;
use super::run::{ImageBenchReport, ImageRow};
use crate::statistics::ConfidenceInterval;

/// A column: its name, its number and the digits after the point.
type Column = (
    &'static str,
    fn(&ImageSummary) -> Option<ConfidenceInterval>,
    usize,
);

const DISTANCE: Column = ("distance", |s| s.distance, 3);
const TEXT: [Column; 6] = [
    DISTANCE,
    ("guide", |s| s.guide_score, 3),
    ("judge", |s| s.judge_score, 3),
    ("gap", |s| s.gap, 3),
    ("named, guide %", |s| percent(s.guide_named), 0),
    ("named, judge %", |s| percent(s.judge_named), 0),
];
const SEG: [Column; 2] = [DISTANCE, ("overlap, %", |s| percent(s.overlap), 1)];
const SKETCH: [Column; 1] = [DISTANCE];

const LEGEND: &str = "distance: the loss that steers, without augmentation and on the finished \
    picture (text: 1 − cosine; seg: cross-entropy with the mask; sketch: root mean square of the \
    edge map's difference); guide, judge: cosine between picture and prompt by the encoders that \
    steer and by the encoders that do not; gap: the first less the second; named: share of pictures \
    whose own prompt is the likeliest of the prompts; overlap: intersection over union of the mask \
    and what is not white; Fréchet: distance from the training drawings in the judge's embedding; \
    s a picture: sampling";

fn columns(goal: ImageGoal) -> &'static [Column] {
    match goal {
        ImageGoal::Text => &TEXT,
        ImageGoal::Seg => &SEG,
        ImageGoal::Sketch => &SKETCH,
    }
}

fn pictures(row: &ImageRow) -> String {
    if row.failed.is_empty() {
        row.pictures.len().to_string()
    } else {
        format!("{}, {} failed", row.pictures.len(), row.failed.len())
    }
}

fn short(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
}

impl ImageBenchReport {
    fn title(&self, goal: ImageGoal, budget: Budget) -> String {
        match budget {
            Budget::Calls => format!("{goal}, equal denoiser calls: {}", self.protocol.calls),
            Budget::Time => {
                let mut equal = self.equal_seconds.iter();
                let seconds = equal.find(|(s, _)| *s == goal);
                format!(
                    "{goal}, equal time: {} s of sampling a picture",
                    short(seconds.map(|(_, seconds)| *seconds), 2)
                )
            }
        }
    }

    fn setting(&self) -> String {
        let p = &self.protocol;
        // A schedule that differs says so as its JSON, as a task holds it.
        let how = match serde_json::to_string(&p.schedule) {
            Ok(schedule) if !p.schedule.is_default() => format!(", {schedule}"),
            _ => String::new(),
        };
        format!(
            "{} prompts, {} silhouettes, {} picture(s) each, seeds from {}{how}",
            p.prompts.len(),
            p.shapes.len(),
            p.seeds,
            p.seed
        )
    }

    fn floors(&self) -> String {
        let mut text = String::new();
        for (count, distance) in &self.frechet_floor {
            let join = if text.is_empty() { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(text, "{join}{distance:.3} for {count}");
        }
        if text.is_empty() {
            return "The judge's package has no reference: no Fréchet distance".to_owned();
        }
        format!("Fréchet distance of draws from the reference's own Gaussian: {text}")
    }

    /// Tables that have rows.
    fn parts(&self) -> Vec<(ImageGoal, Budget)> {
        let all = self.protocol.goals.iter();
        let all = all.flat_map(|s| [Budget::Calls, Budget::Time].map(|budget| (*s, budget)));
        all.filter(|(s, budget)| self.rows_at(*s, *budget).next().is_some())
            .collect()
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
        writeln!(text, "# Guidance methods on pictures\n")?;
        writeln!(
            text,
            "`kinograd bench image` with {} on {}: {}. Means with their 95 % intervals (percentiles of \
             2000 bootstrap resamples over the pictures).",
            self.model,
            self.engine,
            self.setting()
        )?;
        for (goal, budget) in self.parts() {
            writeln!(text, "\n## {}\n", self.title(goal, budget))?;
            self.write_table(text, goal, budget)?;
        }
        let clock = match self.clock {
            Clock::Processor => "processor time of all threads",
            Clock::Wall => "on the wall",
        };
        writeln!(text, "\n{LEGEND}, {clock}. {}.", self.floors())?;
        if !self.augmentation_costs.is_empty() {
            writeln!(text, "\n## Cost of augmentations (polyak-capped)\n")?;
            writeln!(text, "| augmentations | ms a picture and step |\n|---|---|")?;
            for cost in &self.augmentation_costs {
                let time = short(cost.seconds_per_step.map(|s| 1e3 * s), 1);
                writeln!(text, "| {} | {time} |", cost.augmentations)?;
            }
        }
        for row in &self.rows {
            if let Some(first) = row.failed.first() {
                writeln!(
                    text,
                    "\n{} ({}) failed on {} pictures; the first, seed {}: {}",
                    row.candidate.label(),
                    row.goal,
                    row.failed.len(),
                    first.seed,
                    first.reason
                )?;
            }
        }
        Ok(())
    }

    fn write_table(&self, text: &mut String, goal: ImageGoal, budget: Budget) -> fmt::Result {
        let columns = columns(goal);
        write!(text, "| method | steps | scale |")?;
        for (name, ..) in columns {
            write!(text, " {name} |")?;
        }
        writeln!(text, " Fréchet | s a picture | pictures |")?;
        writeln!(text, "|{}", "---|".repeat(columns.len() + 6))?;
        for row in self.rows_at(goal, budget) {
            let (name, scale) = (row.candidate.label(), row.guidance_scale);
            write!(text, "| {name} | {} | {scale:.3} |", row.steps)?;
            for (_, of, digits) in columns {
                write!(text, " {} |", with_ends(of(&row.summary), *digits))?;
            }
            let seconds = with_ends(row.seconds_per_picture, 2);
            let frechet = short(row.frechet, 3);
            writeln!(text, " {frechet} | {seconds} | {} |", pictures(row))?;
        }
        Ok(())
    }
}

impl fmt::Display for ImageBenchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} on {}; {}", self.model, self.engine, self.setting())?;
        for (goal, budget) in self.parts() {
            let title = self.title(goal, budget);
            writeln!(f, "\n{title}; mean ± half of the 95 % interval")?;
            write!(f, "{:22} {:>5} {:>8} ", "method", "steps", "scale")?;
            for (name, ..) in columns(goal) {
                write!(f, " {name:>14}")?;
            }
            writeln!(f, " {:>8} {:>11}  pictures", "Fréchet", "s/picture")?;
            for row in self.rows_at(goal, budget) {
                let (name, scale) = (row.candidate.label(), row.guidance_scale);
                write!(f, "{name:22} {:>5} {scale:>8.3} ", row.steps)?;
                for (_, of, digits) in columns(goal) {
                    write!(f, " {:>14}", with_half(of(&row.summary), *digits))?;
                }
                let seconds = with_half(row.seconds_per_picture, 2);
                let frechet = short(row.frechet, 3);
                writeln!(f, " {frechet:>8} {seconds:>11}  {}", pictures(row))?;
            }
        }
        writeln!(f, "\n{}", self.floors())?;
        for cost in &self.augmentation_costs {
            let time = short(cost.seconds_per_step.map(|s| 1e3 * s), 1);
            let count = cost.augmentations;
            writeln!(f, "{count:>3} augmentations: {time} ms a picture and step")?;
        }
        for row in &self.rows {
            if let Some(first) = row.failed.first() {
                let (name, seed) = (row.candidate.label(), first.seed);
                writeln!(f, "{name} broke down on seed {seed}: {}", first.reason)?;
            }
        }
        Ok(())
    }
}
