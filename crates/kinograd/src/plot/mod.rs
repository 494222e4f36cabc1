//! Plots of measured numbers as PNG.

mod grid;
mod surface;

use std::convert::Infallible;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::{Deserialize, Serialize};
use tiny_skia::Pixmap;

use self::surface::Surface;
use crate::Error;
pub use grid::{PictureBlock, save_picture_grid};

/// A number and, where it is known, the interval that it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Place on the horizontal axis.
    pub x: f64,
    /// The number.
    pub y: f64,
    /// Ends of the interval of `y`.
    pub interval: Option<[f64; 2]>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// A line through the points, with the intervals as a band.
    #[default]
    Line,
    /// A dot at each point, with the intervals as bars.
    Dots,
}

/// Points that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub label: String,
    /// The points, from left to right for a line; what is not finite is left out.
    pub points: Vec<Point>,
    /// How it is drawn.
    pub mark: Mark,
}

impl Series {
    /// A line through `(x, y)`.
    #[must_use]
    pub fn line(label: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let point = |(x, y)| Point {
            x,
            y,
            interval: None,
        };
        Self {
            label: label.into(),
            points: points.into_iter().map(point).collect(),
            mark: Mark::Line,
        }
    }
}

/// An axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal factors; numbers that are not positive are left out.
    Log,
}

impl Scale {
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.log10(),
        }
    }

    /// The number at a place of an axis that is `width` long, told apart from its neighbours.
    fn label(self, place: f64, width: f64) -> String {
        match self {
            Self::Linear => short(place, digits_apart(width)),
            Self::Log => short(10_f64.powf(place), 0),
        }
    }
}

/// Series on two axes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chart {
    /// Above it.
    pub title: String,
    /// Below it, with its unit.
    pub x_label: String,
    /// Beside it, with its unit.
    pub y_label: String,
    /// Horizontal axis.
    pub x_scale: Scale,
    /// Vertical axis.
    pub y_scale: Scale,
    /// What is shown.
    pub series: Vec<Series>,
}

/// A bar from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Name beside it.
    pub label: String,
    /// Its length; not drawn if not finite.
    pub value: f64,
    /// Ends of its interval.
    pub interval: Option<[f64; 2]>,
}

/// Bars from left to right, one below the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bars {
    /// Above them.
    pub title: String,
    /// Below them, with its unit.
    pub x_label: String,
    /// From the top.
    pub bars: Vec<Bar>,
}

/// A part of a plot.
#[derive(Debug, Clone, PartialEq)]
pub enum Panel {
    /// Series on two axes.
    Chart(Chart),
    /// Bars with names.
    Bars(Bars),
}

const INK: RGBColor = RGBColor(0x3d, 0x46, 0x55);
const PALE: RGBColor = RGBColor(0xdd, 0xe2, 0xea);
/// Colours that are told apart with any colour vision (Okabe and Ito 2008), and two greys.
const COLORS: [RGBColor; 9] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x8c, 0x8c, 0x2c),
    RGBColor(0x55, 0x55, 0x55),
    RGBColor(0xaa, 0xaa, 0xaa),
];
const TEXT_PX: i32 = 18;

type Area<'a, 'b> = DrawingArea<Surface<'a>, Shift>;
type Axes = Cartesian2d<RangedCoordf64, RangedCoordf64>;
type PlotFault = DrawingAreaErrorKind<Infallible>;

/// Draws panels in rows of `columns`, each `panel_px` (width, height), and writes them as PNG,
/// whole or not at all.
///
/// ```
/// use kinograd::plot::{Chart, Panel, Series, save_plot};
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
/// [`Error::Write`] with the path and why; [`Error::Request`] for no panel or a size out of range.
pub fn save_plot(
    path: &Path,
    panels: &[Panel],
    columns: usize,
    panel_px: (u32, u32),
) -> Result<(), Error> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Write {
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
        return Err(Error::Request {
            field: "plot",
            message: format!(
                "{} panels of {panel_px:?} pixels cannot be drawn",
                panels.len()
            ),
        });
    };
    draw(&mut pixmap, panels, (rows, columns)).map_err(|error| failed(error.to_string().into()))?;
    encoded(path, &pixmap)
}

/// Writes a PNG, whole or not at all.
fn encoded(path: &Path, pixmap: &Pixmap) -> Result<(), Error> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Write {
        path: path.to_path_buf(),
        source,
    };
    let bytes = pixmap.encode_png().map_err(|error| failed(error.into()))?;
    kinograd_motion::write_atomic(path, |file| std::io::Write::write_all(file, &bytes))
        .map_err(|error| failed(error.into()))
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

/// A text style in the size and colour of all labels.
fn text<'a>() -> TextStyle<'a> {
    TextStyle::from(("sans-serif", TEXT_PX).into_font()).color(&INK)
}

/// Least and greatest of the finite numbers, with some room; 0 to 1 if there are none.
fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low > high {
        return (0.0, 1.0);
    }
    let room = if high > low { 0.06 * (high - low) } else { 0.5 };
    (low - room, high + room)
}

fn builder<'a, 'b, 'c>(
    area: &'a Area<'b, '_>,
    title: &str,
    left_px: u32,
) -> ChartBuilder<'a, 'c, Surface<'b>> {
    let mut builder = ChartBuilder::on(area);
    builder
        .margin(14)
        .caption(title, text())
        .x_label_area_size(48)
        .y_label_area_size(left_px);
    builder
}

fn draw_chart(area: &Area<'_, '_>, chart: &Chart) -> Result<(), PlotFault> {
    let (x_scale, y_scale) = (chart.x_scale, chart.y_scale);
    let points = || chart.series.iter().flat_map(|series| &series.points);
    let (left, right) = span(points().map(|point| x_scale.place(point.x)));
    let (low, high) = span(points().flat_map(|point| {
        let ends = point.interval.unwrap_or([point.y; 2]);
        [point.y, ends[0], ends[1]].map(|y| y_scale.place(y))
    }));
    let mut axes = builder(area, &chart.title, 84).build_cartesian_2d(left..right, low..high)?;
    axes.configure_mesh()
        .axis_style(INK)
        .bold_line_style(PALE)
        .light_line_style(TRANSPARENT)
        .label_style(text())
        .axis_desc_style(text())
        .x_desc(chart.x_label.as_str())
        .y_desc(chart.y_label.as_str())
        .x_labels(6)
        .y_labels(7)
        .x_label_formatter(&|place| x_scale.label(*place, right - left))
        .y_label_formatter(&|place| y_scale.label(*place, high - low))
        .draw()?;
    for (index, series) in chart.series.iter().enumerate() {
        draw_series(
            &mut axes,
            series,
            (x_scale, y_scale),
            COLORS[index % COLORS.len()],
        )?;
    }
    if chart.series.iter().any(|series| !series.label.is_empty()) {
        axes.configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .label_font(text())
            .draw()?;
    }
    Ok(())
}

fn draw_series(
    axes: &mut ChartContext<'_, Surface<'_>, Axes>,
    series: &Series,
    (x_scale, y_scale): (Scale, Scale),
    color: RGBColor,
) -> Result<(), PlotFault> {
    let placed: Vec<(f64, f64)> = series
        .points
        .iter()
        .map(|point| (x_scale.place(point.x), y_scale.place(point.y)))
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let ends: Vec<(f64, f64, f64)> = series
        .points
        .iter()
        .filter_map(|point| Some((x_scale.place(point.x), point.interval?)))
        .map(|(x, [low, high])| (x, y_scale.place(low), y_scale.place(high)))
        .filter(|(x, low, high)| x.is_finite() && low.is_finite() && high.is_finite())
        .collect();
    let thick = color.stroke_width(2);
    let drawn = match series.mark {
        Mark::Line => {
            let upper = ends.iter().map(|&(x, _, high)| (x, high));
            let lower = ends.iter().rev().map(|&(x, low, _)| (x, low));
            let band: Vec<(f64, f64)> = upper.chain(lower).collect();
            if band.len() > 3 {
                axes.draw_series([Polygon::new(band, color.mix(0.15).filled())])?;
            }
            axes.draw_series(LineSeries::new(placed, thick))?
        }
        Mark::Dots => {
            axes.draw_series(
                ends.iter()
                    .map(|&(x, low, high)| PathElement::new(vec![(x, low), (x, high)], thick)),
            )?;
            axes.draw_series(
                placed
                    .into_iter()
                    .map(|place| Circle::new(place, 5, color.filled())),
            )?
        }
    };
    if !series.label.is_empty() {
        drawn
            .label(&series.label)
            .legend(move |(x, y)| Rectangle::new([(x, y - 3), (x + 18, y + 3)], color.filled()));
    }
    Ok(())
}

/// How many times the median a bar may be long before it is cut.
const RUNAWAY: f64 = 8.0;

fn draw_bars(area: &Area<'_, '_>, bars: &Bars) -> Result<(), PlotFault> {
    let longest = bars.bars.iter().map(|bar| bar.label.chars().count()).max();
    let left_px = 12 * u32::try_from(longest.unwrap_or(0)).unwrap_or(0) + 24;
    let count = bars.bars.len() as f64;
    let limit = limit(bars);
    let (low, high) = span(
        bars.bars
            .iter()
            .flat_map(|bar| {
                let ends = bar.interval.unwrap_or([bar.value; 2]);
                [bar.value, ends[0], ends[1]].map(|end| end.min(limit))
            })
            .chain([0.0]),
    );
    let low = if low > -0.1 * high { 0.0 } else { low };
    let mut axes = builder(area, &bars.title, left_px.min(area.dim_in_pixel().0 / 2))
        .build_cartesian_2d(low..high, 0.0..count.max(1.0))?;
    axes.configure_mesh()
        .axis_style(INK)
        .bold_line_style(PALE)
        .light_line_style(TRANSPARENT)
        .disable_y_mesh()
        .y_labels(0)
        .label_style(text())
        .axis_desc_style(text())
        .x_desc(bars.x_label.as_str())
        .x_labels(6)
        .x_label_formatter(&|value| short(*value, digits_apart(high - low)))
        .draw()?;
    let names = text().pos(Pos::new(HPos::Right, VPos::Center));
    for (index, bar) in bars.bars.iter().enumerate() {
        let middle = count - index as f64 - 0.5;
        let named = (EmptyElement::at((low, middle))
            + Text::new(bar.label.clone(), (-10, 0), names.clone()))
        .into_dyn();
        axes.plotting_area().draw(&named)?;
        if bar.value.is_finite() {
            let ends = [(0.0, middle - 0.35), (bar.value.min(limit), middle + 0.35)];
            axes.draw_series([Rectangle::new(ends, COLORS[0].mix(0.75).filled())])?;
        }
        if bar.value > limit {
            let inside = text()
                .color(&WHITE)
                .pos(Pos::new(HPos::Right, VPos::Center));
            let number = (EmptyElement::at((limit, middle))
                + Text::new(format!("{} >", short(bar.value, 0)), (-6, 0), inside))
            .into_dyn();
            axes.plotting_area().draw(&number)?;
            continue;
        }
        if let Some([from, to]) = bar
            .interval
            .filter(|ends| ends.iter().all(|e| e.is_finite()))
        {
            let line = vec![(from, middle), (to.min(high), middle)];
            axes.draw_series([PathElement::new(line, INK.stroke_width(2))])?;
        }
    }
    Ok(())
}

/// Where bars are cut, so that one that runs away does not dwarf the others: infinite where none does.
fn limit(bars: &Bars) -> f64 {
    let mut values: Vec<f64> = bars
        .bars
        .iter()
        .map(|bar| bar.value)
        .filter(|value| value.is_finite())
        .collect();
    values.sort_by(f64::total_cmp);
    let (Some(&longest), Some(&median)) = (values.last(), values.get(values.len() / 2)) else {
        return f64::INFINITY;
    };
    let kept = values
        .iter()
        .rev()
        .find(|&&value| value <= RUNAWAY * median);
    match kept {
        Some(&kept) if median > 0.0 && longest > RUNAWAY * median => 1.2 * kept,
        _ => f64::INFINITY,
    }
}

/// Decimals that emit about six marks on this width apart.
fn digits_apart(width: f64) -> usize {
    let decimals = -(width / 6.0).log10();
    if decimals.is_finite() {
        decimals.ceil().clamp(0.0, 6.0) as usize
    } else {
        0
    }
}

/// A number in few letters, with at least so many decimals where they are not zero.
fn short(value: f64, decimals: usize) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e5).contains(&size) {
        return format!("{value:.0e}");
    }
    let digits = if size >= 100.0 || size == 0.0 {
        0
    } else if size >= 10.0 {
        1
    } else if size >= 0.1 {
        2
    } else {
        3
    };
    let digits = digits.max(decimals);
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
