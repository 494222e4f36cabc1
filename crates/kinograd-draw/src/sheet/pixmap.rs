//! Pictures as pixels, and the colours that they share.

use std::path::Path;

use kinograd_motion::{MotionError, write_atomic};
use tiny_skia::Pixmap;

use super::canvas::Ink;

pub(super) const PAPER: Ink = Ink::hex(0xf6f7fa);
pub(super) const SKY: Ink = Ink::hex(0xe9eef6);
pub(super) const SHADOW: Ink = Ink(0.16, 0.2, 0.3, 0.17);
pub(super) const TEXT: Ink = Ink::hex(0x3d4655);
/// Longest side of a sheet, pixels.
const MAX_SIDE_PX: u32 = 16_384;

/// A picture with eight bits each of red, green, blue and alpha.
#[derive(Debug, Clone, PartialEq)]
pub struct RgbaPixmap(pub(super) Pixmap);

impl RgbaPixmap {
    /// Width, pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// Height, pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// Rows from the top, four bytes a pixel; sheets are opaque.
    #[must_use]
    pub fn rgba(&self) -> &[u8] {
        self.0.data()
    }

    /// Writes the picture as a PNG, whole or not at all.
    ///
    /// # Errors
    /// [`MotionError::Io`] with the path; [`MotionError::Format`] where it cannot be encoded.
    pub fn write_png(&self, path: &Path) -> Result<(), MotionError> {
        let bytes = self.0.encode_png().map_err(|error| MotionError::Format {
            format: "PNG",
            message: error.to_string(),
        })?;
        write_atomic(path, |file| std::io::Write::write_all(file, &bytes))
    }
}

pub(super) fn pixmap(width: u32, height: u32) -> Result<Pixmap, MotionError> {
    let fits = |side: u32| (16..=MAX_SIDE_PX).contains(&side);
    (fits(width) && fits(height))
        .then(|| Pixmap::new(width, height))
        .flatten()
        .ok_or_else(|| {
            sheet_error(format!(
                "{width} × {height} pixels; 64 to {MAX_SIDE_PX} fit"
            ))
        })
}

pub(super) fn sheet_error(message: String) -> MotionError {
    MotionError::Format {
        format: "contact sheet",
        message,
    }
}
