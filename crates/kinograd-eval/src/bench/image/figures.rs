//! Reports as pictures.

use std::path::Path;

use super::super::guidance::Budget;
use super::protocol::ImageGoal;
use super::run::{ImageBenchReport, ImageRow};
use crate::statistics::ConfidenceInterval;
use kinograd::Error;
use kinograd::image::Picture;
use kinograd::plot::{
    Bar, Bars, Chart, Panel, PictureBlock, Series, Tile, save_picture_grid, save_plot,
};

const PANEL_PX: (u32, u32) = (620, 460);

/// A number and its ends.
type Measured = (f64, Option<[f64; 2]>);
/// A goal, a title, a unit and the number.
type Column = (
    ImageGoal,
    &'static str,
    &'static str,
    fn(&ImageRow) -> Option<Measured>,
);

fn with_ends(interval: Option<ConfidenceInterval>) -> Option<Measured> {
    interval.map(|i| (i.mean, Some(i.ends())))
}

const COLUMNS: [Column; 10] = [
    (ImageGoal::Text, "text: judge's score", "cosine", |r| {
        with_ends(r.summary.judge_score)
    }),
    (ImageGoal::Text, "text: guide's score", "cosine", |r| {
        with_ends(r.summary.guide_score)
    }),
    (
        ImageGoal::Text,
        "text: named rightly by the judge",
        "share",
        |r| with_ends(r.summary.judge_named),
    ),
    (
        ImageGoal::Text,
        "text: Fréchet distance",
        "judge's embedding",
        |r| Some((r.frechet?, None)),
    ),
    (ImageGoal::Text, "text: time", "s a picture", |r| {
        with_ends(r.seconds_per_picture)
    }),
    (ImageGoal::Seg, "mask: overlap", "share", |r| {
        with_ends(r.summary.overlap)
    }),
    (
        ImageGoal::Seg,
        "mask: Fréchet distance",
        "judge's embedding",
        |r| Some((r.frechet?, None)),
    ),
    (
        ImageGoal::Sketch,
        "drawing: distance",
        "rms of the edge map",
        |r| with_ends(r.summary.distance),
    ),
    (
        ImageGoal::Sketch,
        "drawing: Fréchet distance",
        "judge's embedding",
        |r| Some((r.frechet?, None)),
    ),
    (ImageGoal::Sketch, "drawing: time", "s a picture", |r| {
        with_ends(r.seconds_per_picture)
    }),
];

impl ImageBenchReport {
    /// Draws the means and their intervals at equal calls, and the cost of augmentations.
    ///
    /// # Errors
    /// As [`save_plot`].
    pub fn save_plot(&self, path: &Path) -> Result<(), Error> {
        let mut panels = Vec::new();
        for (goal, title, unit, of) in COLUMNS {
            let bars: Vec<Bar> = self
                .rows_at(goal, Budget::Calls)
                .map(|row| {
                    let (value, interval) = of(row).unwrap_or((f64::NAN, None));
                    Bar {
                        label: row.candidate.label(),
                        value,
                        interval,
                    }
                })
                .collect();
            if bars.iter().any(|bar| bar.value.is_finite()) {
                panels.push(Panel::Bars(Bars {
                    title: format!("{title}, {} calls", self.protocol.calls),
                    x_label: unit.to_owned(),
                    bars,
                }));
            }
        }
        let costs = self.augmentation_costs.iter();
        let costs = costs.filter_map(|c| Some((c.augmentations as f64, 1e3 * c.seconds_per_step?)));
        panels.push(Panel::Chart(Chart {
            title: "cost of augmentations".to_owned(),
            x_label: "augmentations".to_owned(),
            y_label: "ms a picture and step".to_owned(),
            series: vec![Series::line("", costs)],
            ..Chart::default()
        }));
        Ok(save_plot(path, &panels, 3, PANEL_PX)?)
    }

    /// Draws the first picture of each target at equal calls: methods as rows, targets as columns.
    ///
    /// # Errors
    /// As [`save_picture_grid`]; a report that was read has no pictures.
    pub fn save_grid(&self, path: &Path) -> Result<(), Error> {
        let mut blocks = Vec::new();
        for &goal in &self.protocol.goals {
            let mut rows = Vec::new();
            for row in self.rows_at(goal, Budget::Calls) {
                rows.push((row.candidate.label(), row.shown.clone()));
            }
            let first = rows.iter().find_map(|row| row.1.iter().flatten().next());
            if let Some(size) = first.map(Picture::size) {
                let shapes = self.protocol.shapes.iter();
                let wanted: Vec<_> = match goal {
                    ImageGoal::Text => Vec::new(),
                    ImageGoal::Seg => shapes.map(|s| Some(s.mask(size))).collect(),
                    ImageGoal::Sketch => shapes.map(|s| Some(s.drawing(size))).collect(),
                };
                if !wanted.is_empty() {
                    rows.insert(0, ("wanted".to_owned(), wanted));
                }
                blocks.push(PictureBlock {
                    columns: (0..self.protocol.targets(goal))
                        .map(|target| self.protocol.target_name(goal, target))
                        .collect(),
                    rows: rows
                        .into_iter()
                        .map(|(name, row)| Ok((name, tiles(row)?)))
                        .collect::<Result<_, Error>>()?,
                });
            }
        }
        Ok(save_picture_grid(path, &blocks)?)
    }
}

fn tiles(pictures: Vec<Option<Picture>>) -> Result<Vec<Option<Tile>>, Error> {
    let tile = |picture: Picture| {
        Ok(Tile {
            size: picture.size(),
            rgb: picture.rgb()?,
        })
    };
    pictures
        .into_iter()
        .map(|p| p.map(tile).transpose())
        .collect()
}
