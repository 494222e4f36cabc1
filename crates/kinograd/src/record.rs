//! Records of how files came to be, in every format that holds them.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use kinograd_files::{Budget, FileError, catch_panic};
use kinograd_motion::{Provenance, write_atomic};

use crate::{Error, FileFormat};

/// Keyword of a PNG's text chunk.
const KEYWORD: &str = "kinograd";
/// Longest record, unpacked.
const MAX_RECORD_BYTES: usize = 64 << 20;

/// The record in a .glb, .npz or .png, or beside a .bvh, if there is one.
///
/// # Errors
/// [`Error::Read`] with the path if the file cannot be read or is broken; [`Error::FileFormat`] for
/// another extension.
pub fn read_record(path: &Path) -> Result<Option<Provenance>, Error> {
    match FileFormat::of(path)? {
        FileFormat::Clip(format) => match format.read_record {
            Some(read) => read(path).map_err(|error| Error::reading(path, error)),
            None => {
                let beside = record_beside(path);
                if beside.is_file() {
                    of_json(&beside)
                } else {
                    Ok(None)
                }
            }
        },
        FileFormat::Png => of_png(path),
        FileFormat::Json => of_json(path),
    }
}

/// Where the record of a file lies whose format holds none: `NAME.bvh.json`.
pub(crate) fn record_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".json");
    path.with_file_name(name)
}

fn of_json(path: &Path) -> Result<Option<Provenance>, Error> {
    let read = || -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
        let text =
            kinograd_files::read_text(path, Budget::of_process()).map_err(FileError::into_io)?;
        let document: serde_json::Value = serde_json::from_str(&text)?;
        let stated = document.get("provenance").cloned();
        Ok(stated.map(serde_json::from_value).transpose()?)
    };
    read().map_err(|source| Error::Read {
        path: path.to_path_buf(),
        source,
    })
}

fn of_png(path: &Path) -> Result<Option<Provenance>, Error> {
    let read = || -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
        let bytes = kinograd_files::read(path, Budget::of_process()).map_err(FileError::into_io)?;
        let text = catch_panic("png", || text_of(&bytes))??;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    };
    read().map_err(|source| Error::Read {
        path: path.to_path_buf(),
        source,
    })
}

fn text_of(png: &[u8]) -> Result<Option<String>, Box<dyn std::error::Error + Send + Sync>> {
    let limits = png::Limits {
        bytes: MAX_RECORD_BYTES,
    };
    let decoder = png::Decoder::new_with_limits(Cursor::new(png), limits);
    let reader = decoder.read_info()?;
    let chunks = &reader.info().utf8_text;
    let chunk = chunks.iter().find(|chunk| chunk.keyword == KEYWORD);
    let Some(chunk) = chunk else { return Ok(None) };
    let mut chunk = chunk.clone();
    chunk.decompress_text_with_limit(MAX_RECORD_BYTES)?;
    Ok(Some(chunk.get_text()?))
}

/// Writes a PNG of 8 bits a channel, whole or not at all, with its record in a text chunk.
pub(crate) fn write_png(
    path: &Path,
    [height, width]: [usize; 2],
    color: png::ColorType,
    pixels: &[u8],
    record: Option<&Provenance>,
) -> Result<(), Error> {
    let encode = || -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let mut bytes = Vec::new();
        let (width, height) = (u32::try_from(width)?, u32::try_from(height)?);
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        if let Some(record) = record {
            encoder.add_itxt_chunk(KEYWORD.to_owned(), record.to_json()?)?;
        }
        let mut writer = encoder.write_header()?;
        writer.write_image_data(pixels)?;
        writer.finish()?;
        Ok(bytes)
    };
    let bytes = encode().map_err(|source| Error::Write {
        path: path.to_path_buf(),
        source,
    })?;
    write_atomic(path, |file| std::io::Write::write_all(file, &bytes))
        .map_err(|error| Error::writing(path, error))
}
