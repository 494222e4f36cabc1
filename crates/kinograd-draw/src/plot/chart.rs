//! Series on two axes.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::data::{Chart, Mark, Scale, Series};
use super::style::{Area, COLORS, INK, PALE, PlotFault, builder, span, text};
use super::surface::Surface;

type Axes = Cartesian2d<RangedCoordf64, RangedCoordf64>;

pub(super) fn draw_chart(area: &Area<'_, '_>, chart: &Chart) -> Result<(), PlotFault> {
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
