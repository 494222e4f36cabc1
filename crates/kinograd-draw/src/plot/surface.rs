//! A pixel map that plotters draws on, with the letters of the sheets: no font is needed.

use std::convert::Infallible;

use plotters::prelude::DrawingBackend;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind,
};
use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform,
};

use crate::sheet::glyph;

/// Columns and rows of a letter, and columns from one to the next.
const LETTER: (i32, i32) = (5, 7);
const ADVANCE: i32 = 6;

pub(super) struct Surface<'a>(pub &'a mut Pixmap);

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

fn paint(color: BackendColor) -> Paint<'static> {
    let (r, g, b) = color.rgb;
    let mut paint = Paint::default();
    let alpha = (color.alpha.clamp(0.0, 1.0) * 255.0).round();
    paint.set_color_rgba8(r, g, b, alpha as u8);
    paint
}

fn traced(points: impl IntoIterator<Item = BackendCoord>, closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (index, (x, y)) in points.into_iter().enumerate() {
        let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
        if index == 0 {
            builder.move_to(x, y);
        } else {
            builder.line_to(x, y);
        }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

/// Pixels of a letter's side for a size in points.
fn scale_of(size: f64) -> i32 {
    ((size / 9.0).round() as i32).clamp(1, 8)
}

fn text_size(text: &str, size: f64) -> (i32, i32) {
    let letters = i32::try_from(text.chars().count()).unwrap_or(i32::MAX / 1000);
    let scale = scale_of(size);
    ((letters * ADVANCE - 1).max(0) * scale, LETTER.1 * scale)
}

impl DrawingBackend for Surface<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.0.width(), self.0.height())
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        if let Some(rect) = Rect::from_xywh(x as f32, y as f32, 1.0, 1.0) {
            let identity = Transform::identity();
            self.0.fill_rect(rect, &paint(color), identity, None);
        }
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        if fill {
            self.fill_polygon(corners, style)
        } else {
            self.draw_path(corners.into_iter().chain([(left, top)]), style)
        }
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        if let Some(path) = traced(path, false) {
            let stroke = Stroke {
                width: style.stroke_width() as f32,
                line_cap: LineCap::Butt,
                line_join: LineJoin::Round,
                ..Stroke::default()
            };
            let identity = Transform::identity();
            let paint = paint(style.color());
            self.0.stroke_path(&path, &paint, &stroke, identity, None);
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        let path = PathBuilder::from_circle(x as f32 + 0.5, y as f32 + 0.5, radius as f32);
        if let Some(path) = path {
            let identity = Transform::identity();
            let paint = paint(style.color());
            self.0
                .fill_path(&path, &paint, FillRule::Winding, identity, None);
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vert: I,
        style: &S,
    ) -> Drawn {
        if let Some(path) = traced(vert, true) {
            let identity = Transform::identity();
            let paint = paint(style.color());
            self.0
                .fill_path(&path, &paint, FillRule::Winding, identity, None);
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        let (width, height) = text_size(text, style.size());
        let left = match style.anchor().h_pos {
            HPos::Left => 0,
            HPos::Center => -width / 2,
            HPos::Right => -width,
        };
        let top = match style.anchor().v_pos {
            VPos::Top => 0,
            VPos::Center => -height / 2,
            VPos::Bottom => -height,
        };
        let (scale, turn, color) = (scale_of(style.size()), style.transform(), style.color());
        for (index, letter) in (0..).zip(text.chars()) {
            for (row, bits) in (0..).zip(glyph(letter)) {
                for column in (0..LETTER.0).filter(|c| bits >> (LETTER.0 - 1 - c) & 1 == 1) {
                    let x = left + (index * ADVANCE + column) * scale;
                    let y = top + row * scale;
                    for (dx, dy) in (0..scale * scale).map(|i| (i % scale, i / scale)) {
                        let (x, y) = turn.transform(x + dx, y + dy);
                        self.draw_pixel((at.0 + x, at.1 + y), color)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let (width, height) = text_size(text, style.size());
        Ok((width.unsigned_abs(), height.unsigned_abs()))
    }
}
