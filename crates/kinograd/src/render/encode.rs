//! Frames into files.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kinograd_motion::sheet::RgbaPixmap;
use kinograd_motion::write_atomic;
use tempfile::TempDir;

use super::RenderFormat;
use crate::Error;
use crate::clip::write_error;

/// Of the colour quantiser: 1 is best and slowest, 30 worst.
const GIF_SPEED: i32 = 10;

/// Takes frames one by one; the file is there when all are.
pub(super) enum Encoder {
    Gif {
        path: PathBuf,
        gif: gif::Encoder<Vec<u8>>,
        fps: f64,
        count: usize,
    },
    Mp4 {
        path: PathBuf,
        ffmpeg: Ffmpeg,
        folder: TempDir,
    },
    Frames {
        folder: PathBuf,
        next: usize,
    },
}

impl Encoder {
    pub(super) fn start(
        format: RenderFormat,
        path: &Path,
        (width, height): (u32, u32),
        fps: f64,
    ) -> Result<Self, Error> {
        let failed = |error: std::io::Error| at(path, error);
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        match format {
            RenderFormat::Gif => {
                // Said before the drawing, not after it.
                tempfile::tempfile_in(folder).map_err(failed)?;
                let side = |side: u32| {
                    u16::try_from(side).map_err(|_| Error::Request {
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
                    gif,
                    fps,
                    count: 0,
                })
            }
            RenderFormat::Mp4 => {
                let own = TempDir::new_in(folder).map_err(failed)?;
                let ffmpeg = Command::new("ffmpeg")
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
                    // Most players want even sides.
                    .args(["-i", "-", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2"])
                    .args([
                        "-pix_fmt",
                        "yuv420p",
                        "-movflags",
                        "+faststart",
                        "-f",
                        "mp4",
                    ])
                    .arg(own.path().join("film.mp4"))
                    .stdin(Stdio::piped())
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped())
                    .spawn()
                    .map_err(|error| {
                        if error.kind() == std::io::ErrorKind::NotFound {
                            let hint = "the program ffmpeg, which makes .mp4 files, is not \
                                        installed; a .gif or a folder of pictures needs none";
                            failed(std::io::Error::new(error.kind(), hint))
                        } else {
                            failed(error)
                        }
                    })?;
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

    pub(super) fn add(&mut self, picture: &RgbaPixmap) -> Result<(), Error> {
        match self {
            Self::Gif {
                path,
                gif,
                fps,
                count,
                ..
            } => {
                let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
                let mut pixels = picture.rgba().to_vec();
                let (width, height) = (side(picture.width()), side(picture.height()));
                let mut frame = gif::Frame::from_rgba_speed(width, height, &mut pixels, GIF_SPEED);
                frame.delay = delay_cs(*count, *fps);
                *count += 1;
                gif.write_frame(&frame).map_err(|error| at(path, error))
            }
            Self::Mp4 { path, ffmpeg, .. } => {
                let sent = match &mut ffmpeg.0.stdin {
                    Some(pipe) => pipe.write_all(picture.rgba()),
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
                picture.write_png(&path).map_err(|e| write_error(&path, e))
            }
        }
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        match self {
            Self::Gif { path, gif, .. } => {
                let bytes = gif.into_inner().map_err(|error| at(&path, error))?;
                write_atomic(&path, |file| file.write_all(&bytes))
                    .map_err(|error| write_error(&path, error))
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
                std::fs::rename(folder.path().join("film.mp4"), &path)
                    .map_err(|error| at(&path, error))
            }
            Self::Frames { .. } => Ok(()),
        }
    }
}

/// How long a frame is shown, hundredths of a second: what rounding loses in one, the next ones make good.
fn delay_cs(index: usize, fps: f64) -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "1 to 60 frames per second"
    )]
    let at = |index: usize| (100.0 * index as f64 / fps).round() as u64;
    u16::try_from(at(index + 1) - at(index)).unwrap_or(u16::MAX)
}

/// The program at work; left alone, it would wait for frames.
pub(super) struct Ffmpeg(Child);

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Both fail only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn at(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Write {
        path: path.to_path_buf(),
        source: Box::new(error),
    }
}

/// What ffmpeg had to say, if it failed.
fn said(path: &Path, Ffmpeg(ffmpeg): &mut Ffmpeg) -> Option<Error> {
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

    #[test]
    fn a_film_lasts_as_long_as_its_clip() {
        for fps in [4.0, 20.0, 24.0, 30.0, 60.0] {
            let shown: u32 = (0..600).map(|index| u32::from(delay_cs(index, fps))).sum();
            assert!((f64::from(shown) - 60_000.0 / fps).abs() <= 0.5, "{fps}");
        }
    }
}
