//! Bars with names.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::data::Bars;
use super::numbers::{digits_apart, short};
use super::style::{Area, COLORS, INK, PALE, PlotFault, builder, span, text};

/// How many times the median a bar may be long before it is cut.
const RUNAWAY: f64 = 8.0;

pub(super) fn draw_bars(area: &Area<'_, '_>, bars: &Bars) -> Result<(), PlotFault> {
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
pub(super) fn limit(bars: &Bars) -> f64 {
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
