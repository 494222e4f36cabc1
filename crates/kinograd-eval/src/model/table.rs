//! The reports as Markdown.

use std::fmt;

use super::real::{ActionQuality, RealShares, TestReport};
use super::report::{FLIP_DEG, ListRow, ModelReport, PromptRow};
use crate::statistics::{Share, mean};

impl fmt::Display for ModelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = &self.protocol;
        let lengths = words(protocol.lengths_secs.iter(), |secs| format!("{secs}"));
        writeln!(
            f,
            "{} on {}: {} seeds a prompt and length, {lengths} s, {} steps{}\n",
            self.model,
            self.engine,
            protocol.seeds,
            self.steps,
            if protocol.best_of > 1 {
                format!(", the best of {}", protocol.best_of)
            } else {
                String::new()
            }
        )?;
        for list in &self.lists {
            list_summary(f, list)?;
        }
        if let Some(least) = &self.least_text_score {
            writeln!(
                f,
                "- of clips that score below {:.3}, {:.0} % of all, at least 70 % do not obey: {:.0} % of those \
                 that do not",
                least.score,
                100.0 * least.below,
                100.0 * least.found
            )?;
        }
        self.physics(f)?;
        self.prompts(f)?;
        self.natures(f)?;
        self.actions(f)?;
        self.pairs(f)?;
        self.of_data(f)?;
        writeln!(f, "\n{:.0} s", self.seconds)
    }
}

fn list_summary(f: &mut fmt::Formatter<'_>, list: &ListRow) -> fmt::Result {
    writeln!(
        f,
        "- **{}**: {} of {} clips obey; {} of {} prompts work at every length",
        list.list.name(),
        list.obeyed.in_words(),
        list.obeyed.total,
        list.working,
        list.prompts
    )?;
    let lengths = words(list.lengths.iter(), |row| {
        format!("{} s {}", row.secs, row.obeyed.in_words())
    });
    writeln!(f, "  - {lengths}")?;
    writeln!(
        f,
        "  - wrong without a warning {}, warned of {}",
        list.wrong_without_warning.in_words(),
        list.warned.in_words()
    )?;
    if !list.best_of.is_empty() {
        let best = words(list.best_of.iter(), |row| {
            format!("of {} {}", row.draws, row.obeyed.in_words())
        });
        writeln!(f, "  - if the best were kept: {best}")?;
    }
    Ok(())
}

impl ModelReport {
    fn physics(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "- skate {:.3} (toes below 5 cm above 0.2 m/s), float {:.3}, foot-skate ratio {:.3} ({:.3} before the \
             foot lock), jerk {:.0} m/s³, text score {}",
            self.skate,
            self.float,
            self.foot_skate_ratio[0],
            self.foot_skate_ratio[1],
            self.jerk_m_s3,
            number(self.text_score, 2)
        )?;
        if let Some(judge) = &self.judge {
            write!(f, ", {} by {judge}", number(self.judge_score, 2))?;
        }
        writeln!(f)
    }

    /// Hits of each prompt at each length.
    fn prompts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = &self.protocol.lengths_secs;
        let columns = cells(lengths.iter(), |secs| format!("{secs} s"));
        let has_real = self.prompts.iter().any(|row| row.real.is_some());
        let real = if has_real { REAL_COLUMNS } else { "" };
        writeln!(
            f,
            "\n| prompt, hits of {} |{columns} wrong, not warned |{real} rule |",
            self.protocol.seeds
        )?;
        rule(f, 3 + lengths.len() + 3 * usize::from(has_real))?;
        for row in &self.prompts {
            let hits = cells(row.lengths.iter(), |cell| cell.obeyed.hits.to_string());
            let real = row.real.as_ref().map_or(String::new(), real_cells);
            let PromptRow { prompt, rule, .. } = row;
            writeln!(
                f,
                "| {prompt} |{hits} {} |{real} {rule} |",
                row.wrong_without_warning
            )?;
        }
        Ok(())
    }

    /// How the clips of each prompt move.
    fn natures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| prompt | m/s | skate | float | jerk, m/s³ | arm swing, m | turn, °/frame | above {FLIP_DEG:.0}° | \
             spread, cm | real | text | judge |"
        )?;
        rule(f, 12)?;
        for row in &self.prompts {
            let real = row.real.as_ref().and_then(|real| real.spread_m);
            writeln!(
                f,
                "| {} | {:.2} | {:.3} | {:.3} | {:.0} | {:.2} | {:.0} | {} | {} | {} | {} | {} |",
                row.prompt,
                row.speed_m_s,
                row.skate,
                row.float,
                row.jerk_m_s3,
                row.arm_swing_m,
                row.turn_deg_per_frame,
                row.flips,
                number(row.spread_m.map(|m| 100.0 * m), 1),
                number(real.map(|m| 100.0 * m), 1),
                number(row.text_score, 2),
                number(row.judge_score, 2)
            )?;
        }
        Ok(())
    }

    fn actions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| action | clips | jerk | arm swing | skate | float | real clips | jerk | arm swing | skate | float |"
        )?;
        rule(f, 11)?;
        for row in &self.actions {
            let of = |quality: &ActionQuality| {
                format!(
                    " {} | {:.0} | {:.2} | {:.3} | {:.3} |",
                    quality.clips,
                    quality.jerk_m_s3,
                    quality.arm_swing_m,
                    quality.skate,
                    quality.float
                )
            };
            let real = row
                .real
                .as_ref()
                .map_or(" – | – | – | – | – |".to_owned(), of);
            let action = row.action.name().replace('_', " ");
            writeln!(f, "| {action} |{}{real}", of(&row.samples))?;
        }
        Ok(())
    }

    fn pairs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pairs.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\n| prompts | apart, cm a joint | over the spread within |"
        )?;
        rule(f, 3)?;
        for pair in &self.pairs {
            writeln!(
                f,
                "| {}, {} | {:.1} | {:.2} |",
                pair.prompt, pair.other, pair.distance.cm, pair.distance.over_spread
            )?;
        }
        Ok(())
    }

    /// What took a data set.
    fn of_data(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(real) = &self.real {
            writeln!(
                f,
                "\n- held-out clips: skate {:.3}, float {:.3}, foot-skate ratio {:.3}, jerk {:.0} m/s³ ({} clips)",
                real.skate, real.float, real.foot_skate_ratio, real.jerk_m_s3, real.clips
            )?;
        }
        if let Some(v) = &self.validation {
            let levels = words(
                v.levels.iter().zip(&v.mean_squared_error),
                |(level, error)| format!("{level}: {error:.3}"),
            );
            writeln!(
                f,
                "- mean squared error of x̂0 on held-out clips: {:.3} ({levels})",
                v.mean
            )?;
        }
        if let Some(r) = &self.retrieval {
            writeln!(
                f,
                "- R-precision, top 3 of 32: samples {:.2}, real clips {:.2} ({} captions)",
                r.samples_top3, r.real_top3, r.captions
            )?;
        }
        if let Some(m) = &self.memory {
            writeln!(
                f,
                "- nearest of {} training clips: samples {:.3} (5 % below {:.3}), held-out clips {:.3} ({:.3})",
                m.training_clips, m.samples[1], m.samples[0], m.held_out[1], m.held_out[0]
            )?;
        }
        Ok(())
    }
}

/// Columns of [`real_cells`].
const REAL_COLUMNS: &str = " real, train | real, val | other real |";

impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares = |of: fn(&RealShares) -> Share| -> Vec<f64> {
            let own = self.tests.iter().map(|test| of(&test.real));
            own.filter(|share| share.total > 0)
                .map(|share| share.share)
                .collect()
        };
        let own = shares(|real| {
            Share::of(
                real.train.hits + real.val.hits,
                real.train.total + real.val.total,
            )
        });
        let others = shares(|real| real.others);
        let percent = |shares: &[f64]| number(mean(shares).map(|share| 100.0 * share), 0);
        writeln!(
            f,
            "{} tests on {} stretches of real clips: {} have clips of their captions, of which {} % pass in the \
             mean; of other actions {} % do\n",
            self.tests.len(),
            self.stretches,
            own.len(),
            percent(&own),
            percent(&others)
        )?;
        writeln!(f, "| prompt |{REAL_COLUMNS} most of them | rule |")?;
        rule(f, 6)?;
        for test in &self.tests {
            let confused = words(test.real.confused.iter(), |confused| {
                let action = confused.action.name().replace('_', " ");
                format!("{action} {:.0} %", 100.0 * confused.passed.share)
            });
            writeln!(
                f,
                "| {} |{} {confused} | {} |",
                test.prompt,
                real_cells(&test.real),
                test.rule
            )?;
        }
        Ok(())
    }
}

/// Real clips that pass: of the captions in both splits, and of other actions.
fn real_cells(real: &RealShares) -> String {
    let of = |share: &Share| match share.total {
        0 => " – |".to_owned(),
        total => format!(" {} of {total} |", share.hits),
    };
    let others = format!(" {:.1} % |", 100.0 * real.others.share);
    of(&real.train) + &of(&real.val) + &others
}

fn rule(f: &mut fmt::Formatter<'_>, columns: usize) -> fmt::Result {
    writeln!(f, "|{}", "---|".repeat(columns))
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
}

fn words<T>(values: impl Iterator<Item = T>, word: impl Fn(T) -> String) -> String {
    values.map(word).collect::<Vec<_>>().join(", ")
}

fn cells<T>(values: impl Iterator<Item = T>, cell: impl Fn(T) -> String) -> String {
    values.map(|value| format!(" {} |", cell(value))).collect()
}
