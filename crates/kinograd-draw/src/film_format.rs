//! What pictures and films are written as.

use std::path::Path;

use crate::error::DrawError;

/// What is written, by the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenderFormat {
    /// One picture: the whole way, with poses along it, or a sheet.
    Png,
    /// An animation that repeats.
    Gif,
    /// A film, by the program ffmpeg.
    Mp4,
    /// A folder of pictures, for a path without an extension.
    Frames,
}

impl RenderFormat {
    /// By the extension, in any case.
    ///
    /// # Errors
    /// [`DrawError::FileFormat`] for any other extension.
    pub fn of(path: &Path) -> Result<Self, DrawError> {
        let Some(extension) = path.extension() else {
            return Ok(Self::Frames);
        };
        match extension.to_string_lossy().to_ascii_lowercase().as_str() {
            "png" => Ok(Self::Png),
            "gif" => Ok(Self::Gif),
            "mp4" => Ok(Self::Mp4),
            _ => Err(DrawError::FileFormat {
                path: path.to_path_buf(),
                message: "expected a name that ends in .png, .gif or .mp4, or a folder's"
                    .to_owned(),
            }),
        }
    }
}
