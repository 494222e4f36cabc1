//! Pictures in memory.

use std::path::Path;

use kinograd::draw::sheet::glyph;
use kinograd::motion::write_atomic;

/// A picture with eight bits each of red, green and blue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// Rows from the top, three bytes a pixel.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// The pixel at a place; black outside.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let at = 3 * (y as usize * self.width as usize + x as usize);
        match self.rgb.get(at..at + 3) {
            Some(&[r, g, b]) if x < self.width => [r, g, b],
            _ => [0; 3],
        }
    }

    /// Rows from the top, four bytes a pixel, opaque.
    #[must_use]
    pub fn rgba(&self) -> Vec<u8> {
        let pixels = self.rgb.chunks_exact(3);
        pixels.flat_map(|p| [p[0], p[1], p[2], 255]).collect()
    }

    /// Several pictures of one size side by side in rows, as a sheet.
    #[must_use]
    pub fn tiled(pictures: &[Self], columns: usize) -> Option<Self> {
        let first = pictures.first()?;
        let columns = columns.clamp(1, pictures.len());
        let rows = pictures.len().div_ceil(columns);
        let (width, height) = (first.width as usize, first.height as usize);
        let row_bytes = 3 * width * columns;
        let mut rgb = vec![255; row_bytes * height * rows];
        for (index, picture) in pictures.iter().enumerate() {
            let (left, top) = (3 * width * (index % columns), height * (index / columns));
            for (y, row) in picture.rgb.chunks_exact(3 * width).enumerate().take(height) {
                let at = (top + y) * row_bytes + left;
                rgb[at..at + row.len()].copy_from_slice(row);
            }
        }
        Some(Self {
            width: (width * columns) as u32,
            height: (height * rows) as u32,
            rgb,
        })
    }

    /// Writes a text from a corner on, in pixels `pixel` wide; what is outside is left out.
    pub fn write(&mut self, text: &str, (left, top): (u32, u32), pixel: u32, color: [u8; 3]) {
        for (place, letter) in (0_u32..).zip(text.chars()) {
            for (row, bits) in (0_u32..).zip(glyph(letter)) {
                for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                    let (x, y) = (left + (6 * place + column) * pixel, top + row * pixel);
                    self.fill((x, y), pixel, color);
                }
            }
        }
    }

    /// Fills a square.
    fn fill(&mut self, (left, top): (u32, u32), side: u32, color: [u8; 3]) {
        for y in top..(top + side).min(self.height) {
            for x in left..(left + side).min(self.width) {
                let at = 3 * (y as usize * self.width as usize + x as usize);
                if let Some(pixel) = self.rgb.get_mut(at..at + 3) {
                    pixel.copy_from_slice(&color);
                }
            }
        }
    }

    /// Mean |difference| of the channels and the share of pixels that differ by more than 32 in one,
    /// for pictures of one size.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<(f64, f64)> {
        if (self.width, self.height) != (other.width, other.height) || self.rgb.is_empty() {
            return None;
        }
        let pairs = || self.rgb.iter().zip(&other.rgb).map(|(a, b)| a.abs_diff(*b));
        let mean = pairs().map(f64::from).sum::<f64>() / self.rgb.len() as f64;
        let all: Vec<u8> = pairs().collect();
        let far = all
            .chunks_exact(3)
            .filter(|p| p.iter().any(|&d| d > 32))
            .count();
        Some((mean, 3.0 * far as f64 / self.rgb.len() as f64))
    }

    /// Writes a PNG, whole or not at all.
    ///
    /// # Errors
    /// In words, with the path.
    pub fn write_png(&self, path: &Path) -> Result<(), String> {
        let fail = |error: &dyn std::error::Error| format!("{}: {error}", path.display());
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(|error| fail(&error))?;
        writer
            .write_image_data(&self.rgb)
            .map_err(|error| fail(&error))?;
        writer.finish().map_err(|error| fail(&error))?;
        write_atomic(path, |file| std::io::Write::write_all(file, &bytes))
            .map_err(|error| fail(&error))
    }

    /// Reads a PNG of eight bits, with or without alpha.
    ///
    /// # Errors
    /// In words, with the path.
    pub fn read_png(path: &Path) -> Result<Self, String> {
        let fail = |error: &dyn std::error::Error| format!("{}: {error}", path.display());
        let budget = kinograd_files::Budget::of_process();
        let bytes = kinograd_files::read(path, budget).map_err(|error| fail(&error))?;
        let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        let mut reader = decoder.read_info().map_err(|error| fail(&error))?;
        let size = reader.output_buffer_size().unwrap_or(0);
        let mut bytes = vec![0; size];
        let info = reader
            .next_frame(&mut bytes)
            .map_err(|error| fail(&error))?;
        bytes.truncate(info.buffer_size());
        let rgb = match info.color_type {
            png::ColorType::Rgb => bytes,
            png::ColorType::Rgba => bytes
                .chunks_exact(4)
                .flat_map(|p| [p[0], p[1], p[2]])
                .collect(),
            other => return Err(format!("{}: {other:?} is not read", path.display())),
        };
        Ok(Self {
            width: info.width,
            height: info.height,
            rgb,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(value: u8) -> Picture {
        Picture {
            width: 2,
            height: 2,
            rgb: vec![value; 12],
        }
    }

    #[test]
    fn tiles_stand_in_rows_and_differences_are_measured() {
        let sheet = Picture::tiled(&[plain(1), plain(2), plain(3)], 2).unwrap();
        assert_eq!((sheet.width, sheet.height), (4, 4));
        assert_eq!(sheet.pixel(0, 0), [1; 3]);
        assert_eq!(sheet.pixel(3, 1), [2; 3]);
        assert_eq!(sheet.pixel(1, 3), [3; 3]);
        assert_eq!(sheet.pixel(3, 3), [255; 3]);
        assert_eq!(plain(0).difference(&plain(40)), Some((40.0, 1.0)));
        assert_eq!(plain(0).difference(&sheet), None);
        assert!(Picture::tiled(&[], 2).is_none());
    }

    #[test]
    fn letters_have_their_pixels_and_stay_within_the_picture() {
        let mut picture = Picture {
            width: 10,
            height: 7,
            rgb: vec![0; 210],
        };
        picture.write("11", (0, 0), 1, [255; 3]);
        let one: u32 = glyph('1').iter().map(|row| row.count_ones()).sum();
        // The second one's last column is cut off.
        let cut: u32 = glyph('1').iter().map(|row| u32::from(row & 1)).sum();
        let lit = picture.rgb.iter().filter(|value| **value > 0).count();
        assert_eq!(lit as u32, 3 * (2 * one - cut));
    }

    #[test]
    fn a_png_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let picture = Picture::tiled(&[plain(7), plain(200)], 2).unwrap();
        picture.write_png(&path).unwrap();
        assert_eq!(Picture::read_png(&path).unwrap(), picture);
    }
}
