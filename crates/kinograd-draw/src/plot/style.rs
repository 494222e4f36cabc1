//! Colours, letters and frames that all panels share.

use std::convert::Infallible;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::surface::Surface;

pub(super) const INK: RGBColor = RGBColor(0x3d, 0x46, 0x55);
pub(super) const PALE: RGBColor = RGBColor(0xdd, 0xe2, 0xea);
/// Colours that are told apart with any colour vision (Okabe and Ito 2008), and two greys.
pub(super) const COLORS: [RGBColor; 9] = [
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

pub(super) type Area<'a, 'b> = DrawingArea<Surface<'a>, Shift>;
pub(super) type PlotFault = DrawingAreaErrorKind<Infallible>;

/// A text style in the size and colour of all labels.
pub(super) fn text<'a>() -> TextStyle<'a> {
    TextStyle::from(("sans-serif", TEXT_PX).into_font()).color(&INK)
}

/// Least and greatest of the finite numbers, with some room; 0 to 1 if there are none.
pub(super) fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
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

pub(super) fn builder<'a, 'b, 'c>(
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
