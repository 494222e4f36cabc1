//! PNG files as arrays, and back.

use std::io::Cursor;
use std::path::Path;

use kinograd_files::{Budget, catch_panic};
use kinograd_image::{Preprocessing, resized};
use kinograd_motion::Provenance;
use ndarray::{Array2, Array3, ArrayView3, Axis, s};

use crate::Error;
use crate::record::write_png;

/// Longest side of a PNG that is read.
pub const MAX_SIDE_PX: u32 = 8192;
/// Most memory that decoding may take.
const MAX_BYTES: usize = 1 << 30;
/// What a PNG begins with.
const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A];
/// Gap between tiles, pixels.
const GAP: usize = 2;

/// An image in −1..1, `[channels, height, width]`: 1 for grey, 3 for red, green and blue, 4 for these and
/// opacity.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture(pub Array3<f32>);

/// A PNG as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadPicture {
    /// Its colours, over white where it is transparent.
    pub picture: Picture,
    /// Its opacity, `[height, width]` in 0..1, where not all of it is opaque.
    pub alpha: Option<Array2<f32>>,
}

impl ReadPicture {
    /// Reads a PNG. Grey and palettes become colours, 16 bits a channel become 8, and what is
    /// transparent stands on white.
    ///
    /// # Errors
    /// [`Error::Read`] with the path if it is no PNG, broken, animated, or longer than
    /// [`MAX_SIDE_PX`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let fail = |source: Box<dyn std::error::Error + Send + Sync>| Error::Read {
            path: path.to_path_buf(),
            source,
        };
        let bytes = kinograd_files::read(path, Budget::of_process())
            .map_err(|error| fail(error.into_io().into()))?;
        if !bytes.starts_with(&SIGNATURE) {
            return Err(fail(what_it_is(&bytes).into()));
        }
        catch_panic("png", || decode(Cursor::new(bytes)))
            .map_err(|error| fail(error.into()))?
            .map_err(fail)
    }
}

/// What a file is that begins otherwise than a PNG.
fn what_it_is(first: &[u8]) -> String {
    let kind = match first {
        [] => return "the file is empty".to_owned(),
        [0xFF, 0xD8, ..] => "a JPEG (CMYK or not)",
        [b'G', b'I', b'F', ..] => "a GIF",
        [b'R', b'I', b'F', b'F', ..] => "a WebP or another RIFF file",
        [b'B', b'M', ..] => "a BMP",
        [b'I', b'I', 42, ..] | [b'M', b'M', 0, ..] => "a TIFF",
        _ => return "the file is no PNG: it begins otherwise".to_owned(),
    };
    format!("the file is {kind}, not a PNG; convert it first")
}

fn decode<R: std::io::BufRead + std::io::Seek>(
    source: R,
) -> Result<ReadPicture, Box<dyn std::error::Error + Send + Sync>> {
    let limits = png::Limits { bytes: MAX_BYTES };
    let mut decoder = png::Decoder::new_with_limits(source, limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let info = decoder.read_header_info()?;
    if info.width > MAX_SIDE_PX || info.height > MAX_SIDE_PX {
        return Err(format!(
            "it is {} × {} pixels; at most {MAX_SIDE_PX} a side are read",
            info.width, info.height
        )
        .into());
    }
    let mut reader = decoder.read_info()?;
    if reader.info().animation_control.is_some() {
        return Err("it is animated; take out one frame first".into());
    }
    let size = reader.output_buffer_size().ok_or("it is too large")?;
    let mut bytes = vec![0; size];
    let frame = reader.next_frame(&mut bytes)?;
    let (height, width) = (frame.height as usize, frame.width as usize);
    let samples = frame.color_type.samples();
    let at = |y: usize, x: usize, sample: usize| {
        f32::from(bytes[y * frame.line_size + x * samples + sample]) / 255.0
    };
    let has_alpha = samples == 2 || samples == 4;
    let alpha =
        has_alpha.then(|| Array2::from_shape_fn((height, width), |(y, x)| at(y, x, samples - 1)));
    let alpha = alpha.filter(|alpha| alpha.iter().any(|a| *a < 1.0));
    let colours = samples - usize::from(has_alpha);
    let picture = Array3::from_shape_fn((3, height, width), |(channel, y, x)| {
        let value = at(y, x, channel.min(colours - 1));
        let opacity = alpha.as_ref().map_or(1.0, |alpha| alpha[[y, x]]);
        (value * opacity + 1.0 - opacity) * 2.0 - 1.0
    });
    Ok(ReadPicture {
        picture: Picture(picture),
        alpha,
    })
}

impl ReadPicture {
    /// The picture in so many channels: 1 is grey by Pillow's weights, 3 its colours over white, 4 its
    /// colours and opacity.
    ///
    /// # Errors
    /// [`Error::Request`] for other numbers of channels.
    pub fn with_channels(&self, channels: usize) -> Result<Picture, Error> {
        let colours = &self.picture.0;
        let (_, height, width) = colours.dim();
        if channels != 4 {
            return self.picture.with_channels(channels);
        }
        let picture = Array3::from_shape_fn((4, height, width), |(channel, y, x)| {
            let opacity = self.alpha.as_ref().map_or(1.0, |alpha| alpha[[y, x]]);
            match channel {
                3 => 2.0 * opacity - 1.0,
                // What stood on white, without it.
                _ if opacity > 0.0 => 1.0 + (colours[[channel, y, x]] - 1.0) / opacity,
                _ => 1.0,
            }
        });
        Ok(Picture(picture))
    }

    /// The mask that the picture shows, `[height, width]` in 0..1: its opacity where some of it is
    /// transparent, else its brightness.
    #[must_use]
    pub fn mask(&self) -> Array2<f32> {
        match &self.alpha {
            Some(alpha) => alpha.clone(),
            None => self.picture.brightness(),
        }
    }
}

impl Picture {
    /// Height and width.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        let (_, height, width) = self.0.dim();
        [height, width]
    }

    /// The picture in so many channels, opacity on white where it goes.
    ///
    /// # Errors
    /// [`Error::Request`] if either number of channels is not 1, 3 or 4.
    pub fn with_channels(&self, channels: usize) -> Result<Self, Error> {
        let (own, height, width) = self.0.dim();
        if own == channels {
            return Ok(self.clone());
        }
        let map = Preprocessing::between([own, height, width], [channels, height, width])?;
        let picture = map.apply(&self.0.clone().insert_axis(Axis(0)).into_dyn())?;
        let picture = picture.index_axis_move(Axis(0), 0).into_dimensionality();
        let picture = picture.map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self(picture))
    }

    /// Mean of the colours, 0 for black to 1 for white; opacity is left out.
    #[must_use]
    pub fn brightness(&self) -> Array2<f32> {
        let colours = self.0.slice(s![..self.0.len_of(Axis(0)).min(3), .., ..]);
        let channels = colours.len_of(Axis(0)).max(1) as f32;
        (colours.sum_axis(Axis(0)) / channels + 1.0) / 2.0
    }

    /// Red, green and blue bytes, rows from the top; what is outside −1..1 is cut, grey is repeated, and
    /// what is transparent stands on white.
    ///
    /// # Errors
    /// As [`Picture::with_channels`].
    pub fn rgb(&self) -> Result<Vec<u8>, Error> {
        Ok(self.with_channels(3)?.bytes())
    }

    /// Bytes of each pixel's channels, rows from the top; what is outside −1..1 is cut.
    fn bytes(&self) -> Vec<u8> {
        let by_pixel = self.0.view().permuted_axes([1, 2, 0]);
        let byte = |value: &f32| ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8;
        by_pixel.iter().map(byte).collect()
    }

    /// Writes a PNG of as many channels, whole or not at all; the record goes into a text chunk.
    ///
    /// # Errors
    /// [`Error::Write`] with the path.
    pub fn save(&self, path: &Path, record: Option<&Provenance>) -> Result<(), Error> {
        let colour = match self.0.len_of(Axis(0)) {
            1 => png::ColorType::Grayscale,
            3 => png::ColorType::Rgb,
            4 => png::ColorType::Rgba,
            other => {
                return Err(Error::Write {
                    path: path.to_path_buf(),
                    source: format!("pictures have 1, 3 or 4 channels, not {other}").into(),
                });
            }
        };
        write_png(path, self.size(), colour, &self.bytes(), record)
    }

    /// The picture at another size: means where it shrinks, linear in between where it grows.
    ///
    /// # Errors
    /// [`Error::Guidance`] if a side has no pixels.
    pub fn resized(&self, size: [usize; 2]) -> Result<Self, Error> {
        let [height, width] = size;
        let mut out = Array3::zeros((self.0.len_of(Axis(0)), height, width));
        for (mut to, from) in out.outer_iter_mut().zip(self.0.outer_iter()) {
            to.assign(&resized(&from.to_owned(), size)?);
        }
        Ok(Self(out))
    }
}

/// Pictures `[images][channels, height, width]` of one size side by side, `columns` to a row, on white.
#[must_use]
pub fn tiled(pictures: &[ArrayView3<'_, f32>], columns: usize) -> Picture {
    let columns = columns.clamp(1, pictures.len().max(1));
    let rows = pictures.len().div_ceil(columns);
    let (channels, height, width) = pictures.first().map_or((3, 1, 1), ArrayView3::dim);
    let mut sheet = Array3::ones((
        channels,
        (rows * (height + GAP)).saturating_sub(GAP).max(1),
        columns * (width + GAP) - GAP,
    ));
    for (index, picture) in pictures.iter().enumerate() {
        let (row, column) = (index.div_euclid(columns), index.rem_euclid(columns));
        let (top, left) = (row * (height + GAP), column * (width + GAP));
        sheet
            .slice_mut(s![.., top..top + height, left..left + width])
            .assign(picture);
    }
    Picture(sheet)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn ramp() -> Picture {
        Picture(Array3::from_shape_fn((3, 6, 5), |(c, y, x)| {
            (c as f32 * 30.0 + y as f32 * 20.0 + x as f32 * 5.0) / 127.5 - 1.0
        }))
    }

    /// A PNG with any header, colour type and depth.
    fn png_file(
        folder: &Path,
        color: png::ColorType,
        depth: png::BitDepth,
        data: &[u8],
    ) -> std::path::PathBuf {
        let path = folder.join("in.png");
        let mut encoder = png::Encoder::new(File::create(&path).unwrap(), 2, 1);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder
            .write_header()
            .unwrap()
            .write_image_data(data)
            .unwrap();
        path
    }

    fn values(read: &ReadPicture) -> Vec<u8> {
        read.picture.rgb().unwrap()
    }

    #[test]
    fn a_picture_comes_back_with_its_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ramp.png");
        let record = Provenance::new().by_command("ein rötes Herz ♥");
        ramp().save(&path, Some(&record)).unwrap();
        let read = ReadPicture::open(&path).unwrap();
        let worst = (&read.picture.0 - &ramp().0).fold(0.0_f32, |a, d| a.max(d.abs()));
        assert!(worst < 0.5 / 127.5 + 1e-6, "{worst}");
        assert_eq!(read.alpha, None);
        assert_eq!(crate::read_record(&path).unwrap(), Some(record));
        ramp().save(&path, None).unwrap();
        assert_eq!(crate::read_record(&path).unwrap(), None);
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
    }

    #[test]
    fn grey_and_transparent_pictures_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.png");
        for channels in [1, 3, 4] {
            let picture = Picture(Array3::from_shape_fn((channels, 4, 5), |(c, y, x)| {
                let byte = 40 + 30 * c + 20 * y + 7 * x;
                byte as f32 / 127.5 - 1.0
            }));
            picture.save(&path, None).unwrap();
            let read = ReadPicture::open(&path).unwrap();
            assert_eq!(read.alpha.is_some(), channels == 4);
            let back = read.with_channels(channels).unwrap();
            let worst = (&back.0 - &picture.0).fold(0.0_f32, |a, d| a.max(d.abs()));
            assert!(worst < 1e-5, "{channels}: {worst}");
            // On white, as every reader of three channels sees it.
            assert_eq!(read.picture.rgb().unwrap(), picture.rgb().unwrap());
            let sheet = tiled(&[picture.0.view(), picture.0.view()], 2);
            assert_eq!(sheet.0.dim(), (channels, 4, 12));
        }
        let two = Picture(Array3::zeros((2, 4, 5)));
        let source = |error: Error| std::error::Error::source(&error).unwrap().to_string();
        assert!(source(two.save(&path, None).unwrap_err()).contains("not 2"));
        assert!(two.rgb().is_err());
    }

    #[test]
    fn other_kinds_of_png_are_converted() {
        use png::{BitDepth, ColorType};
        let folder = tempfile::tempdir().unwrap();
        let read = |color, depth, data: &[u8]| {
            ReadPicture::open(&png_file(folder.path(), color, depth, data)).unwrap()
        };
        let grey = read(ColorType::Grayscale, BitDepth::Eight, &[0, 200]);
        assert_eq!(values(&grey), [0, 0, 0, 200, 200, 200]);
        let bits = read(ColorType::Grayscale, BitDepth::One, &[0b0100_0000]);
        assert_eq!(values(&bits), [0, 0, 0, 255, 255, 255]);
        let deep = read(
            ColorType::Rgb,
            BitDepth::Sixteen,
            &[255, 255, 128, 0, 0, 0, 1, 2, 3, 4, 5, 6],
        );
        assert_eq!(values(&deep), [255, 128, 0, 1, 3, 5]);
        let clear = read(
            ColorType::Rgba,
            BitDepth::Eight,
            &[255, 0, 0, 255, 0, 0, 0, 0],
        );
        assert_eq!(values(&clear), [255, 0, 0, 255, 255, 255]);
        assert_eq!(clear.mask().as_slice(), Some(&[1.0, 0.0][..]));
        assert_eq!(grey.mask()[[0, 0]], 0.0);
    }

    #[test]
    fn what_is_no_picture_is_refused_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in.png");
        let chain = |path: &Path| {
            let error = ReadPicture::open(path).unwrap_err();
            let source = std::error::Error::source(&error).unwrap();
            format!("{error}: {source}")
        };
        for (bytes, part) in [
            (&b""[..], "the file is empty"),
            (b"hello, this is text", "the file is no PNG"),
            (b"\xFF\xD8\xFF\xEE\0\x0EAdobe", "a JPEG (CMYK or not)"),
            (b"GIF89a", "a GIF"),
            (&SIGNATURE[..], "unexpected end"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let message = chain(&path);
            assert!(message.contains(part), "{message} lacks {part}");
            assert!(message.contains("in.png"), "{message}");
        }
        let mut encoder = png::Encoder::new(File::create(&path).unwrap(), 1, 1);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_animated(2, 0).unwrap();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0]).unwrap();
        writer.write_image_data(&[1]).unwrap();
        writer.finish().unwrap();
        assert!(chain(&path).contains("animated"));
        // A header alone that claims more than is read.
        let mut encoder = png::Encoder::new(File::create(&path).unwrap(), 100_000, 100_000);
        encoder.set_color(png::ColorType::Rgba);
        drop(encoder.write_header().unwrap());
        assert!(
            chain(&path).contains("100000 × 100000 pixels"),
            "{}",
            chain(&path)
        );
        assert!(chain(&folder.path().join("none.png")).contains("none.png"));
        ramp().save(&path, None).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(ReadPicture::open(&path).is_err());
    }

    #[test]
    fn resizing_keeps_constants_and_means() {
        let flat = Picture(Array3::from_elem((3, 7, 9), 0.25));
        for size in [[3, 4], [14, 18], [7, 9], [1, 1]] {
            let out = flat.resized(size).unwrap();
            assert_eq!(out.size(), size);
            assert!(out.0.iter().all(|v| (v - 0.25).abs() < 1e-6));
        }
        let halves = ramp().resized([3, 5]).unwrap();
        assert!(halves.0[[0, 1, 2]] > halves.0[[0, 0, 2]]);
    }

    #[test]
    fn tiles_lie_in_rows() {
        let (a, b) = (Array3::zeros((3, 2, 3)), Array3::from_elem((3, 2, 3), -1.0));
        let sheet = tiled(&[a.view(), b.view(), a.view()], 2);
        assert_eq!(sheet.size(), [6, 8]);
        assert_eq!(sheet.0[[0, 0, 0]], 0.0);
        assert_eq!(sheet.0[[1, 1, 5]], -1.0);
        assert_eq!(sheet.0[[2, 4, 7]], 1.0);
    }
}
