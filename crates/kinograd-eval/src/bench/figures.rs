//! Reports as pictures.

use std::path::Path;

use super::guidance::{Budget, GuidanceReport};
use super::record::Summary;
use crate::statistics::ConfidenceInterval;
use kinograd::Error;
use kinograd::plot::{Bar, Bars, Panel, save_plot};

/// A title, a unit and the number.
type Column = (
    &'static str,
    &'static str,
    fn(&Summary) -> Option<ConfidenceInterval>,
);

const PANEL_PX: (u32, u32) = (620, 520);

impl GuidanceReport {
    /// Draws the means and their intervals at equal calls.
    ///
    /// # Errors
    /// As [`save_plot`].
    pub fn save_plot(&self, path: &Path) -> Result<(), Error> {
        let text: Column = if self.judge.is_some() {
            ("text score by the judge", "cosine", |s| s.judge_score)
        } else {
            ("text score", "cosine", |s| s.text_score)
        };
        let columns: [Column; 6] = [
            ("distance from the target", "m", |s| s.target_error_m),
            ("penetration of the obstacle", "m", |s| s.penetration_m),
            text,
            ("foot skate after foot lock", "share of frames", |s| {
                s.foot_skate_ratio
            }),
            ("jerk", "m/s/s/s", |s| s.jerk_m_s3),
            ("time", "s a clip", |_| None),
        ];
        let mut panels = Vec::new();
        for (title, unit, of) in columns {
            let bars = self
                .rows_at(Budget::Calls)
                .map(|row| {
                    let interval = if title == "time" {
                        row.seconds_per_clip
                    } else {
                        of(&row.summary)
                    };
                    Bar {
                        label: row.candidate.label(),
                        value: interval.map_or(f64::NAN, |i| i.mean),
                        interval: interval.map(|i| i.ends()),
                    }
                })
                .collect();
            panels.push(Panel::Bars(Bars {
                title: format!("{title}, {} calls", self.protocol.calls),
                x_label: unit.to_owned(),
                bars,
            }));
        }
        Ok(save_plot(path, &panels, 3, PANEL_PX)?)
    }
}
