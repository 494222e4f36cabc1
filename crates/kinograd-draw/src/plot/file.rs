//! Pixels into a file.

use std::path::Path;

use kinograd_motion::write_atomic;
use tiny_skia::Pixmap;

use crate::error::DrawError;

/// Writes a PNG, whole or not at all.
pub(super) fn write_pixmap(path: &Path, pixmap: &Pixmap) -> Result<(), DrawError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| DrawError::Write {
        path: path.to_path_buf(),
        source,
    };
    let bytes = pixmap.encode_png().map_err(|error| failed(error.into()))?;
    write_atomic(path, |file| std::io::Write::write_all(file, &bytes))
        .map_err(|error| failed(error.into()))
}
