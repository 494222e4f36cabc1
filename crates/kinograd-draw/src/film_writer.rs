//! Frames into files.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kinograd_files::{TemporaryFolder, program};
use kinograd_motion::write_atomic;

use crate::error::DrawError;
use crate::film_format::RenderFormat;

/// Of the colour quantiser: 1 is best and slowest, 30 worst.
const GIF_SPEED: i32 = 10;

/// A filter of ffmpeg: most players want even sides.
const EVEN_SIDES: &str = "crop=trunc(iw/2)*2:trunc(ih/2)*2";

/// What ffmpeg writes, in a folder of its own.
const FILM: &str = "film.mp4";

/// Takes pictures one by one; the film is there when it is finished.
///
/// ```no_run
/// use kinograd_draw::FilmWriter;
///
/// let mut film = FilmWriter::create("grey.gif".as_ref(), (64, 48), 20.0)?;
/// for level in 0..=255 {
///     film.add(&[level, level, level, 255].repeat(64 * 48))?;
/// }
/// film.finish()?;
/// # Ok::<(), kinograd_draw::DrawError>(())
/// ```
pub struct FilmWriter {
    size_px: (u32, u32),
    target: Target,
}

/// Where pictures go.
enum Target {
    Gif {
        path: PathBuf,
        gif: Box<gif::Encoder<Vec<u8>>>,
        fps: f64,
        count: usize,
        /// The picture before.
        shown: Vec<u8>,
    },
    Mp4 {
        path: PathBuf,
        ffmpeg: Ffmpeg,
        folder: TemporaryFolder,
    },
    Frames {
        folder: PathBuf,
        next: usize,
    },
}

impl FilmWriter {
    /// Begins a film of `size_px` (width, height) at `fps` frames per second (1 to 240): a `.gif` that
    /// repeats, an `.mp4` (by the program ffmpeg), or numbered PNG in a new folder for a path without
    /// an extension.
    ///
    /// # Errors
    /// [`DrawError::FileFormat`] for another extension; [`DrawError::Request`] for a rate or size that cannot
    /// be; [`DrawError::Write`] with the path and why, such as ffmpeg not being there.
    pub fn create(path: &Path, size_px: (u32, u32), fps: f64) -> Result<Self, DrawError> {
        if !(1.0..=240.0).contains(&fps) {
            return Err(DrawError::Request {
                field: "fps",
                message: format!("{fps} is outside 1 to 240"),
            });
        }
        let format = match RenderFormat::of(path)? {
            RenderFormat::Png => {
                return Err(DrawError::FileFormat {
                    path: path.to_path_buf(),
                    message: "a film is a .gif, an .mp4 or a folder".to_owned(),
                });
            }
            format => format,
        };
        Self::start(format, path, size_px, fps)
    }

    /// As [`FilmWriter::create`], for a format that is known.
    ///
    /// # Errors
    /// As [`FilmWriter::create`].
    pub fn start(
        format: RenderFormat,
        path: &Path,
        size_px: (u32, u32),
        fps: f64,
    ) -> Result<Self, DrawError> {
        let target = Target::open(format, path, size_px, fps)?;
        Ok(Self { size_px, target })
    }

    /// Adds a picture: rows from the top, four bytes a pixel, opaque.
    ///
    /// # Errors
    /// [`DrawError::Request`] if it has not as many bytes as the film's size says; [`DrawError::Write`].
    pub fn add(&mut self, rgba: &[u8]) -> Result<(), DrawError> {
        let (width, height) = self.size_px;
        if rgba.len() as u64 != 4 * u64::from(width) * u64::from(height) {
            return Err(DrawError::Request {
                field: "picture",
                message: format!("{} bytes for {width} x {height} pixels", rgba.len()),
            });
        }
        self.target.add(rgba, self.size_px)
    }

    /// Closes the film; the file is whole now.
    ///
    /// # Errors
    /// [`DrawError::Write`].
    pub fn finish(self) -> Result<(), DrawError> {
        self.target.finish()
    }
}

impl Target {
    fn open(
        format: RenderFormat,
        path: &Path,
        (width, height): (u32, u32),
        fps: f64,
    ) -> Result<Self, DrawError> {
        let failed = |error: std::io::Error| at(path, error);
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        match format {
            RenderFormat::Gif => {
                // Said before the drawing, not after it.
                tempfile::tempfile_in(folder).map_err(failed)?;
                let side = |side: u32| {
                    u16::try_from(side).map_err(|_| DrawError::Request {
                        field: "size",
                        message: format!("{side} pixels; a GIF's side has at most {}", u16::MAX),
                    })
                };
                let mut gif = gif::Encoder::new(Vec::new(), side(width)?, side(height)?, &[])
                    .map_err(|e| at(path, e))?;
                gif.set_repeat(gif::Repeat::Infinite)
                    .map_err(|e| at(path, e))?;
                Ok(Self::Gif {
                    path: path.to_path_buf(),
                    gif: Box::new(gif),
                    fps,
                    count: 0,
                    shown: Vec::new(),
                })
            }
            RenderFormat::Mp4 => {
                let missing = || {
                    let hint = "the program ffmpeg, which makes .mp4 files, is not installed; a \
                                .gif or a folder of pictures needs none";
                    failed(std::io::Error::new(std::io::ErrorKind::NotFound, hint))
                };
                let program = program("ffmpeg").ok_or_else(missing)?;
                let own = TemporaryFolder::new_in(folder).map_err(failed)?;
                let ffmpeg = Command::new(program)
                    // Away from what lies where the user stands; its file has a plain name there.
                    .current_dir(own.path())
                    .args([
                        "-loglevel",
                        "error",
                        "-y",
                        "-f",
                        "rawvideo",
                        "-pix_fmt",
                        "rgba",
                    ])
                    .args(["-s", &format!("{width}x{height}"), "-r", &fps.to_string()])
                    .args(["-i", "-", "-vf", EVEN_SIDES])
                    // Thin lines and flat colours: the usual 23 shows blocks.
                    .args([
                        "-crf",
                        "18",
                        "-pix_fmt",
                        "yuv420p",
                        "-movflags",
                        "+faststart",
                        "-f",
                        "mp4",
                    ])
                    .arg(FILM)
                    .stdin(Stdio::piped())
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped())
                    .spawn()
                    .map_err(failed)?;
                Ok(Self::Mp4 {
                    path: path.to_path_buf(),
                    ffmpeg: Ffmpeg(ffmpeg),
                    folder: own,
                })
            }
            RenderFormat::Frames | RenderFormat::Png => {
                std::fs::create_dir_all(path).map_err(failed)?;
                if path.read_dir().map_err(failed)?.next().is_some() {
                    let kind = std::io::ErrorKind::AlreadyExists;
                    let why = "the folder is not empty";
                    return Err(failed(std::io::Error::new(kind, why)));
                }
                Ok(Self::Frames {
                    folder: path.to_path_buf(),
                    next: 0,
                })
            }
        }
    }

    fn add(&mut self, rgba: &[u8], (width, height): (u32, u32)) -> Result<(), DrawError> {
        match self {
            Self::Gif {
                path,
                gif,
                fps,
                count,
                shown,
            } => {
                let mut frame = frame_of(rgba, shown, (width, height));
                frame.delay = delay_cs(*count, *fps);
                *count += 1;
                rgba.clone_into(shown);
                gif.write_frame(&frame).map_err(|error| at(path, error))
            }
            Self::Mp4 { path, ffmpeg, .. } => {
                let sent = match &mut ffmpeg.0.stdin {
                    Some(pipe) => pipe.write_all(rgba),
                    None => Ok(()),
                };
                match sent {
                    Ok(()) => Ok(()),
                    Err(error) => Err(said(path, ffmpeg).unwrap_or_else(|| at(path, error))),
                }
            }
            Self::Frames { folder, next } => {
                let path = folder.join(format!("frame-{next:04}.png"));
                *next += 1;
                let bytes = png_of(rgba, (width, height)).map_err(|error| at(&path, error))?;
                write_atomic(&path, |file| file.write_all(&bytes))
                    .map_err(|error| DrawError::writing(&path, error))
            }
        }
    }

    fn finish(self) -> Result<(), DrawError> {
        match self {
            Self::Gif { path, gif, .. } => {
                let bytes = gif.into_inner().map_err(|error| at(&path, error))?;
                write_atomic(&path, |file| file.write_all(&bytes))
                    .map_err(|error| DrawError::writing(&path, error))
            }
            Self::Mp4 {
                path,
                mut ffmpeg,
                folder,
            } => {
                drop(ffmpeg.0.stdin.take());
                if let Some(error) = said(&path, &mut ffmpeg) {
                    return Err(error);
                }
                let film = folder.path().join(FILM);
                write_atomic(&path, |file| {
                    std::io::copy(&mut std::fs::File::open(&film)?, file).map(|_| ())
                })
                .map_err(|error| DrawError::writing(&path, error))
            }
            Self::Frames { .. } => Ok(()),
        }
    }
}

/// A picture as a frame in which pixels that are as they were before are left out. The colours are chosen
/// for the whole picture: few pixels that change would be given those of others, for good.
fn frame_of(rgba: &[u8], before: &[u8], (width, height): (u32, u32)) -> gif::Frame<'static> {
    let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    let pixels = rgba.len() / 4;
    if before.is_empty() {
        let (width, height) = (side(width), side(height));
        return gif::Frame::from_rgba_speed(width, height, &mut rgba.to_vec(), GIF_SPEED);
    }
    // Rows of nothing below: the quantiser keeps a colour for it.
    let spare = height
        .div_ceil(8)
        .min(u32::from(u16::MAX).saturating_sub(height));
    let mut padded = rgba.to_vec();
    padded.resize(4 * (width * (height + spare)) as usize, 0);
    let mut frame =
        gif::Frame::from_rgba_speed(side(width), side(height + spare), &mut padded, GIF_SPEED);
    frame.height = side(height);
    let buffer = frame.buffer.to_mut();
    buffer.truncate(pixels);
    if let Some(nothing) = frame.transparent {
        let pairs = rgba.chunks_exact(4).zip(before.chunks_exact(4));
        for (index, (new, old)) in buffer.iter_mut().zip(pairs) {
            if new == old {
                *index = nothing;
            }
        }
    }
    frame
}

fn png_of(rgba: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgba)?;
    writer.finish()?;
    Ok(bytes)
}

/// How long a frame is shown, hundredths of a second: what rounding loses in one, the next ones make good.
fn delay_cs(index: usize, fps: f64) -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "1 to 240 frames per second"
    )]
    let at = |index: usize| (100.0 * index as f64 / fps).round() as u64;
    u16::try_from(at(index + 1) - at(index)).unwrap_or(u16::MAX)
}

/// The program at work; left alone, it would wait for frames.
struct Ffmpeg(Child);

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Both fail only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn at(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> DrawError {
    DrawError::Write {
        path: path.to_path_buf(),
        source: Box::new(error),
    }
}

/// What ffmpeg had to say, if it failed.
fn said(path: &Path, Ffmpeg(ffmpeg): &mut Ffmpeg) -> Option<DrawError> {
    let mut words = String::new();
    if let Some(pipe) = &mut ffmpeg.stderr {
        let _ = pipe.read_to_string(&mut words);
    }
    match ffmpeg.wait() {
        Ok(status) if status.success() => None,
        Ok(status) => {
            let why = format!("ffmpeg failed ({status}): {}", words.trim());
            Some(at(path, std::io::Error::other(why)))
        }
        Err(error) => Some(at(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (u32, u32) = (16, 8);

    /// A grey picture with one pixel of a red that grows.
    fn picture(red: u8) -> Vec<u8> {
        let mut rgba = [90, 90, 90, 255].repeat(16 * 8);
        rgba[..4].copy_from_slice(&[red, 0, 0, 255]);
        rgba
    }

    #[test]
    fn a_gif_shows_every_picture_for_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let mut film = FilmWriter::create(&path, SIZE, 30.0).unwrap();
        for frame in 0..30 {
            film.add(&picture(8 * frame)).unwrap();
        }
        assert!(film.add(&[0; 5]).is_err());
        film.finish().unwrap();
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let file = std::fs::File::open(&path).unwrap();
        let mut decoder = options.read_info(file).unwrap();
        let (mut canvas, mut frames, mut hundredths) = (vec![0; 4 * 16 * 8], 0, 0);
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            hundredths += frame.delay;
            for (old, new) in canvas.chunks_exact_mut(4).zip(frame.buffer.chunks_exact(4)) {
                if new[3] > 0 {
                    old.copy_from_slice(new);
                }
            }
            // Colours are quantised.
            let off = |(a, b): (&u8, &u8)| a.abs_diff(*b);
            let expected = picture(8 * frames);
            let worst = canvas.iter().zip(&expected).map(off).max().unwrap();
            assert!(worst <= 8, "frame {frames}: {worst}");
            frames += 1;
        }
        assert_eq!((frames, hundredths), (30, 100));
    }

    /// Many colours, of which all but a few pixels stay: those that change are not given the colours of
    /// others.
    #[test]
    fn what_changes_little_keeps_its_colour() {
        let scene = |frame: usize| -> Vec<u8> {
            let pixel = |at: usize| {
                let (x, y) = (at % 64, at / 64);
                if (50..62).contains(&x) && (50..62).contains(&y) {
                    // A red patch, of which one pixel changes once.
                    let flashes = frame == 2 && (x, y) == (55, 55);
                    return [if flashes { 205 } else { 199 }, 20, 20, 255];
                }
                let moves = (20..40).contains(&x) && (20..40).contains(&y);
                let by = if moves { frame * 7 } else { 0 };
                [10, (4 * x) as u8, (4 * y + by) as u8, 255]
            };
            (0..64 * 64).flat_map(pixel).collect()
        };
        let (mut shown, mut told) = (Vec::new(), 0);
        for frame in 0..4 {
            let now = scene(frame);
            let made = frame_of(&now, &shown, (64, 64));
            assert_eq!(made.buffer.len(), 64 * 64);
            let palette = made.palette.as_ref().unwrap();
            for (at, &index) in made.buffer.iter().enumerate() {
                if Some(index) == made.transparent {
                    assert_eq!(now[4 * at..4 * at + 4], shown[4 * at..4 * at + 4]);
                    continue;
                }
                let color = &palette[3 * index as usize..3 * index as usize + 3];
                if at == 55 * 64 + 55 {
                    told += 1;
                    assert!(color[0] > 150 && color[2] < 70, "{color:?}");
                }
                let off = color
                    .iter()
                    .zip(&now[4 * at..])
                    .map(|(a, b)| a.abs_diff(*b));
                assert!(
                    off.max().unwrap() < 90,
                    "frame {frame}, pixel {at}: {color:?}"
                );
            }
            shown = now;
        }
        assert_eq!(told, 3, "at first, as it changes, and as it changes back");
    }

    #[test]
    fn a_folder_gets_numbered_pictures_and_what_cannot_be_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let frames = folder.path().join("frames");
        let mut film = FilmWriter::create(&frames, SIZE, 20.0).unwrap();
        film.add(&picture(200)).unwrap();
        film.finish().unwrap();
        let file = std::fs::File::open(frames.join("frame-0000.png")).unwrap();
        let mut reader = png::Decoder::new(std::io::BufReader::new(file))
            .read_info()
            .unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        assert_eq!(bytes, picture(200));
        let refused = |name: &str, fps: f64| {
            FilmWriter::create(&folder.path().join(name), SIZE, fps)
                .err()
                .unwrap()
                .to_string()
        };
        assert!(refused("a.avi", 20.0).contains("a.avi"));
        assert!(refused("a.png", 20.0).contains("film"));
        assert!(refused("a.gif", f64::NAN).contains("240"));
    }

    #[test]
    fn a_film_lasts_as_long_as_its_clip() {
        for fps in [4.0, 20.0, 24.0, 30.0, 60.0] {
            let shown: u32 = (0..600).map(|index| u32::from(delay_cs(index, fps))).sum();
            assert!((f64::from(shown) - 60_000.0 / fps).abs() <= 0.5, "{fps}");
        }
    }
}
