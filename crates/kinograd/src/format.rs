//! File formats by extension.

use std::path::{Path, PathBuf};

use kinograd_formats::{FORMATS, Format, format_of};
use serde::Serializer;

use crate::Error;

/// What a file's extension says it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFormat {
    /// A clip, in one of the formats of clips.
    Clip(&'static Format),
    /// A sheet of poses and the path on the ground.
    Png,
    /// A report.
    Json,
}

impl FileFormat {
    /// By the extension, in any case.
    ///
    /// # Errors
    /// [`Error::FileFormat`] for any other extension or none.
    pub fn of(path: &Path) -> Result<Self, Error> {
        if let Some(format) = format_of(path) {
            return Ok(Self::Clip(format));
        }
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("png") => Ok(Self::Png),
            Some("json") => Ok(Self::Json),
            _ => {
                let clips: String = FORMATS
                    .iter()
                    .map(|f| format!(".{}, ", f.extension))
                    .collect();
                Err(Error::FileFormat {
                    path: path.to_path_buf(),
                    message: format!("expected a name that ends in {clips}.png or .json"),
                })
            }
        }
    }

    /// Whether files of this format end in `.extension`.
    #[must_use]
    pub fn has_extension(self, extension: &str) -> bool {
        let own = match self {
            Self::Clip(format) => format.extension,
            Self::Png => "png",
            Self::Json => "json",
        };
        own == extension
    }
}

/// Checks, before hours of work, that a file can be written: a known format, a folder that is
/// there and may be written to, and no folder in the file's place.
///
/// # Errors
/// [`Error::FileFormat`] or [`Error::Write`] with the path.
pub fn check_output(path: &Path) -> Result<FileFormat, Error> {
    let format = FileFormat::of(path)?;
    let fail = |source: std::io::Error| Error::Write {
        path: path.to_path_buf(),
        source: Box::new(source),
    };
    if path.is_dir() {
        return Err(fail(std::io::Error::new(
            std::io::ErrorKind::IsADirectory,
            "there is a folder of this name",
        )));
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let exists = path.try_exists().map_err(fail)?;
    let is_device = exists && !path.metadata().map_err(fail)?.is_file();
    if !is_device {
        tempfile::tempfile_in(folder).map_err(fail)?;
    }
    Ok(format)
}

/// Serialises a path as text; bytes that are no UTF-8 are replaced, where serde would fail.
///
/// # Errors
/// Those of the serialiser.
pub fn serialize_path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// [`serialize_path`] for several.
///
/// # Errors
/// Those of the serialiser.
pub fn serialize_paths<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_by_extension() {
        assert!(
            FileFormat::of(Path::new("a/b.GLB"))
                .unwrap()
                .has_extension("glb")
        );
        for bad in ["walk", "walk.abc", ".glb", "glb"] {
            let message = FileFormat::of(Path::new(bad)).unwrap_err().to_string();
            let expected = "expected a name that ends in .glb, .fbx, .bvh, .npz, .png or .json";
            assert_eq!(message, format!("{bad}: {expected}"));
        }
    }

    #[test]
    fn outputs_are_checked_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_output(&folder.path().join("walk.glb")).is_ok());
        assert!(check_output(&folder.path().join("none/walk.glb")).is_err());
        std::fs::create_dir(folder.path().join("taken.glb")).unwrap();
        assert!(check_output(&folder.path().join("taken.glb")).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
