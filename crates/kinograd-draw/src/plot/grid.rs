//! Pictures in rows and columns with names.

use std::path::Path;

use plotters::drawing::IntoDrawingArea;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use tiny_skia::{IntSize, Pixmap, PixmapPaint, Transform};

use super::file::write_pixmap;
use super::style::{INK, PlotFault};
use super::surface::Surface;
use crate::error::DrawError;

/// Pixels of the page to one of a picture.
const ZOOM: u32 = 2;
/// Pixels between pictures.
const GAP: u32 = 4;
/// Pixels above a block for the names of its columns.
const HEAD: u32 = 24;
/// Sizes of the names of rows and columns, and pixels of a row's letter with the gap beside it.
const ROW_TEXT: (f64, u32) = (14.0, 12);
const COLUMN_TEXT: f64 = 9.0;

/// A picture to put in a grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Height and width, pixels.
    pub size: [usize; 2],
    /// Red, green and blue bytes, rows from the top.
    pub rgb: Vec<u8>,
}

/// Rows of pictures that share columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PictureBlock {
    /// Names above the columns.
    pub columns: Vec<String>,
    /// Names and pictures from left to right, all of one size; a place may be empty.
    pub rows: Vec<(String, Vec<Option<Tile>>)>,
}

/// Draws blocks below each other, each picture twice as large as it is, and writes them as PNG,
/// whole or not at all.
///
/// # Errors
/// [`DrawError::Write`] with the path and why; [`DrawError::Request`] if there is nothing to draw, or too
/// much.
pub fn save_picture_grid(path: &Path, blocks: &[PictureBlock]) -> Result<(), DrawError> {
    let all = || blocks.iter().flat_map(|block| &block.rows);
    let tile = all().flat_map(|row| row.1.iter().flatten()).next();
    let [height, width] = tile.map_or([1, 1], |tile| tile.size);
    let letters = all().map(|row| row.0.chars().count()).max().unwrap_or(0);
    let pitch = |side: usize| u32::try_from(side).unwrap_or(u32::MAX).saturating_mul(ZOOM) + GAP;
    let columns = all().map(|row| row.1.len()).max().unwrap_or(0);
    let side = |count: usize, pitch: u32, more: u32| {
        let count = u32::try_from(count).ok()?;
        let side = pitch.checked_mul(count)?.checked_add(more)?;
        (1..=16_384).contains(&side).then_some(side)
    };
    let left = u32::try_from(letters).unwrap_or(0).min(100) * ROW_TEXT.1 + 2 * GAP;
    let heads = u32::try_from(blocks.len()).unwrap_or(u32::MAX).min(100) * HEAD;
    let page = side(columns, pitch(width), left).zip(side(all().count(), pitch(height), heads));
    let Some(mut pixmap) = page.and_then(|(width, height)| Pixmap::new(width, height)) else {
        return Err(DrawError::Request {
            field: "grid",
            message: format!(
                "{} rows of {columns} pictures cannot be drawn",
                all().count()
            ),
        });
    };
    pixmap.fill(tiny_skia::Color::WHITE);
    let step = (pitch(width), pitch(height));
    let mut top = 0;
    for block in blocks {
        let names = Names { left, step, top };
        let failed = |error: PlotFault| DrawError::Write {
            path: path.to_path_buf(),
            source: error.to_string().into(),
        };
        names.draw(&mut pixmap, block).map_err(failed)?;
        top += HEAD;
        for (_, pictures) in &block.rows {
            let mut x = left;
            for picture in pictures {
                if let Some(drawn) = picture.as_ref().and_then(drawable) {
                    let zoom = Transform::from_row(
                        ZOOM as f32,
                        0.0,
                        0.0,
                        ZOOM as f32,
                        x as f32,
                        top as f32,
                    );
                    pixmap.draw_pixmap(0, 0, drawn.as_ref(), &PixmapPaint::default(), zoom, None);
                }
                x += step.0;
            }
            top += step.1;
        }
    }
    write_pixmap(path, &pixmap)
}

fn drawable(tile: &Tile) -> Option<Pixmap> {
    let [height, width] = tile.size;
    let rgba = tile
        .rgb
        .chunks_exact(3)
        .flat_map(|p| [p[0], p[1], p[2], 255]);
    let size = IntSize::from_wh(u32::try_from(width).ok()?, u32::try_from(height).ok()?)?;
    Pixmap::from_vec(rgba.collect(), size)
}

/// Where a block's names stand.
struct Names {
    left: u32,
    step: (u32, u32),
    top: u32,
}

impl Names {
    fn draw(&self, pixmap: &mut Pixmap, block: &PictureBlock) -> Result<(), PlotFault> {
        let root = Surface(pixmap).into_drawing_area();
        let style = |size: f64, across: HPos| {
            TextStyle::from(("sans-serif", size).into_font())
                .color(&INK)
                .pos(Pos::new(across, VPos::Center))
        };
        let at = |x: u32, y: u32| (x.cast_signed(), y.cast_signed());
        let mut x = self.left + self.step.0 / 2;
        for name in &block.columns {
            let place = at(x, self.top + HEAD / 2);
            root.draw_text(name, &style(COLUMN_TEXT, HPos::Center), place)?;
            x += self.step.0;
        }
        let mut y = self.top + HEAD + self.step.1 / 2;
        for (name, _) in &block.rows {
            root.draw_text(name, &style(ROW_TEXT.0, HPos::Left), at(GAP, y))?;
            y += self.step.1;
        }
        root.present()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_in_their_rows_and_columns() {
        let red = Tile {
            size: [8, 8],
            rgb: [255, 0, 0].repeat(64),
        };
        let block = PictureBlock {
            columns: vec!["one".to_owned(), "two".to_owned()],
            rows: vec![
                ("a".to_owned(), vec![Some(red.clone()), None]),
                ("bb".to_owned(), vec![None, Some(red)]),
            ],
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        save_picture_grid(&path, &[block.clone(), block]).unwrap();
        let page = Pixmap::decode_png(&std::fs::read(&path).unwrap()).unwrap();
        let step = 8 * ZOOM + GAP;
        let left = 2 * ROW_TEXT.1 + 2 * GAP;
        let size = (left + 2 * step, 2 * (HEAD + 2 * step));
        assert_eq!((page.width(), page.height()), size);
        let is_red = |row: u32, column: u32, block: u32| {
            let y = block * (HEAD + 2 * step) + HEAD + row * step + 5;
            let x = left + column * step + 5;
            page.pixel(x, y).unwrap().green() == 0
        };
        for block in 0..2 {
            assert!(is_red(0, 0, block) && is_red(1, 1, block));
            assert!(!is_red(0, 1, block) && !is_red(1, 0, block));
        }
        assert!(save_picture_grid(&path, &[]).is_err());
    }
}
