//! Panels as a picture in a file.

use std::path::Path;

use plotters::prelude::*;
use tiny_skia::Pixmap;

use super::bars::draw_bars;
use super::chart::draw_chart;
use super::data::Panel;
use super::file::write_pixmap;
use super::style::PlotFault;
use super::surface::Surface;
use crate::error::DrawError;

/// Draws panels in rows of `columns`, each `panel_px` (width, height), and writes them as PNG,
/// whole or not at all.
///
/// ```
/// use kinograd_draw::plot::{Chart, Panel, Series, save_plot};
/// let chart = Chart {
///     title: "a square".to_owned(),
///     series: vec![Series::line("x²", (0..9).map(|x| (f64::from(x), f64::from(x * x))))],
///     ..Chart::default()
/// };
/// let folder = tempfile::tempdir()?;
/// save_plot(&folder.path().join("square.png"), &[Panel::Chart(chart)], 1, (480, 320))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DrawError::Write`] with the path and why; [`DrawError::Request`] for no panel or a size out of range.
pub fn save_plot(
    path: &Path,
    panels: &[Panel],
    columns: usize,
    panel_px: (u32, u32),
) -> Result<(), DrawError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| DrawError::Write {
        path: path.to_path_buf(),
        source,
    };
    let columns = columns.clamp(1, panels.len().max(1));
    let rows = panels.len().div_ceil(columns);
    let side = |px: u32, count: usize| {
        let count = u32::try_from(count).ok()?;
        px.checked_mul(count).filter(|px| (1..=16_384).contains(px))
    };
    let size = side(panel_px.0, columns).zip(side(panel_px.1, rows));
    let Some(mut pixmap) = size.and_then(|(width, height)| Pixmap::new(width, height)) else {
        return Err(DrawError::Request {
            field: "plot",
            message: format!(
                "{} panels of {panel_px:?} pixels cannot be drawn",
                panels.len()
            ),
        });
    };
    draw(&mut pixmap, panels, (rows, columns)).map_err(|error| failed(error.to_string().into()))?;
    write_pixmap(path, &pixmap)
}

fn draw(
    pixmap: &mut Pixmap,
    panels: &[Panel],
    (rows, columns): (usize, usize),
) -> Result<(), PlotFault> {
    let root = Surface(pixmap).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, panel) in root.split_evenly((rows, columns)).iter().zip(panels) {
        match panel {
            Panel::Chart(chart) => draw_chart(area, chart)?,
            Panel::Bars(bars) => draw_bars(area, bars)?,
        }
    }
    root.present()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::bars::limit;
    use crate::plot::data::{Bar, Bars, Chart, Mark, Point, Scale, Series};
    use crate::plot::numbers::short;
    use crate::plot::style::COLORS;

    fn chart() -> Chart {
        Chart {
            title: "error against calls".to_owned(),
            x_label: "denoiser calls".to_owned(),
            y_label: "error, m".to_owned(),
            x_scale: Scale::Log,
            y_scale: Scale::Log,
            series: vec![Series {
                label: "dps".to_owned(),
                points: [(5.0, 2.0), (10.0, 1.0), (20.0, f64::NAN), (40.0, 0.1)]
                    .map(|(x, y)| Point {
                        x,
                        y,
                        interval: Some([y * 0.8, y * 1.2]),
                    })
                    .to_vec(),
                mark: Mark::Dots,
            }],
        }
    }

    #[test]
    fn draws_what_is_finite_and_refuses_what_has_no_size() {
        let bars = Bars {
            bars: vec![Bar {
                label: "mpgd".to_owned(),
                value: 1.0,
                interval: Some([0.5, 1.5]),
            }],
            ..Bars::default()
        };
        let panels = [Panel::Chart(chart()), Panel::Bars(bars.clone())];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plot.png");
        save_plot(&path, &panels, 2, (400, 300)).unwrap();
        let picture = Pixmap::decode_png(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (800, 300));
        let color = COLORS[0];
        let dots = picture
            .pixels()
            .iter()
            .filter(|p| (p.red(), p.green(), p.blue()) == (color.0, color.1, color.2))
            .count();
        // Three finite points, each a disc of radius 5.
        assert!((150..700).contains(&dots), "{dots}");
        assert!(save_plot(&path, &[], 1, (400, 300)).is_err());
        assert!(save_plot(&path, &[Panel::Bars(bars)], 1, (0, 300)).is_err());
        let nothing = [Panel::Chart(Chart::default()), Panel::Bars(Bars::default())];
        save_plot(&path, &nothing, 1, (200, 200)).unwrap();
    }

    #[test]
    fn a_bar_that_runs_away_is_cut() {
        let bars = |values: &[f64]| Bars {
            bars: values
                .iter()
                .map(|&value| Bar {
                    label: "m".to_owned(),
                    value,
                    interval: Some([0.9 * value, 1.1 * value]),
                })
                .collect(),
            ..Bars::default()
        };
        assert_eq!(limit(&bars(&[])), f64::INFINITY);
        assert_eq!(limit(&bars(&[f64::NAN, 0.0, 0.0])), f64::INFINITY);
        assert_eq!(limit(&bars(&[70.0, 60.0, 80.0, 300.0])), f64::INFINITY);
        let runaway = bars(&[70.0, 60.0, 80.0, 40_000.0]);
        assert_eq!(limit(&runaway), 1.2 * 80.0);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plot.png");
        save_plot(&path, &[Panel::Bars(runaway)], 1, (400, 300)).unwrap();
        let picture = Pixmap::decode_png(&std::fs::read(&path).unwrap()).unwrap();
        let blue = |row: u32| {
            let row = (0..400).filter_map(|x| picture.pixel(x, row));
            row.filter(|p| p.blue() > p.red().saturating_add(40))
                .count()
        };
        // The first bar is most of the longest one that is shown.
        let lengths: Vec<usize> = (0..300).map(blue).collect();
        let longest = lengths.iter().max().unwrap();
        let shorter = lengths
            .iter()
            .filter(|&&l| l > longest / 2 && l < longest * 9 / 10);
        assert!(shorter.count() > 20, "{lengths:?}");
    }

    #[test]
    fn marks_close_together_are_told_apart() {
        let width = 0.843 - 0.838;
        let marks = [0.838, 0.839, 0.840, 0.841].map(|at| Scale::Linear.label(at, width));
        assert_eq!(marks, ["0.838", "0.839", "0.84", "0.841"]);
        assert_eq!(Scale::Linear.label(20.0, 45.0), "20");
        assert_eq!(Scale::Linear.label(1.0, 0.0), "1");
    }

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (0.25, "0.25"),
            (20.0, "20"),
            (-1.5, "-1.5"),
            (1e-4, "1e-4"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value, 0), text);
        }
    }
}
