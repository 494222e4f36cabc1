//! Pictures in a row, to files: GIF, MP4 or a folder of PNG.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kinograd::motion::write_atomic;

use super::Picture;

/// Where a film goes; pictures are added in order, then it is closed.
pub enum Film {
    /// A GIF that loops.
    Gif {
        /// The file.
        path: PathBuf,
        /// Encoded so far.
        encoder: Option<Box<gif::Encoder<Vec<u8>>>>,
        /// Frames per second.
        fps: f64,
        /// Pictures so far.
        count: usize,
    },
    /// An H.264 film, made by ffmpeg.
    Mp4 {
        /// The file.
        path: PathBuf,
        /// Where it is made.
        draft: PathBuf,
        /// ffmpeg, once the size is known.
        encoder: Option<Child>,
        /// Frames per second.
        fps: f64,
    },
    /// A folder of numbered PNG.
    Frames {
        /// The folder.
        folder: PathBuf,
        /// Pictures so far.
        count: usize,
    },
}

impl Film {
    /// A film for a path: `.gif`, `.mp4`, or a folder where the path has no extension.
    ///
    /// # Errors
    /// In words: an extension that is not known, or an MP4 without ffmpeg.
    pub fn open(path: &Path, fps: f64) -> Result<Self, String> {
        let end = path
            .extension()
            .map(|end| end.to_string_lossy().to_lowercase());
        match end.as_deref() {
            Some("gif") => Ok(Self::Gif {
                path: path.to_owned(),
                encoder: None,
                fps,
                count: 0,
            }),
            Some("mp4") => {
                let found = Command::new("ffmpeg")
                    .arg("-version")
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
                if !found.is_ok_and(|status| status.success()) {
                    return Err(format!(
                        "{}: MP4 needs ffmpeg on the path (on Debian and Ubuntu `apt-get install ffmpeg`); GIF and \
                         folders of PNG need nothing",
                        path.display()
                    ));
                }
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                Ok(Self::Mp4 {
                    path: path.to_owned(),
                    draft: path.with_file_name(format!(".{name}.{}.mp4", std::process::id())),
                    encoder: None,
                    fps,
                })
            }
            None => {
                std::fs::create_dir_all(path)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                Ok(Self::Frames {
                    folder: path.to_owned(),
                    count: 0,
                })
            }
            Some(_) => Err(format!(
                "{}: films are .gif, .mp4 or a folder",
                path.display()
            )),
        }
    }

    /// Adds a picture; all are of one size.
    ///
    /// # Errors
    /// In words, with the path.
    pub fn add(&mut self, picture: &Picture) -> Result<(), String> {
        match self {
            Self::Gif {
                path,
                encoder,
                fps,
                count,
            } => {
                let fail = |error: &dyn std::error::Error| format!("{}: {error}", path.display());
                let side = |side: u32| u16::try_from(side).map_err(|error| fail(&error));
                let (width, height) = (side(picture.width)?, side(picture.height)?);
                if encoder.is_none() {
                    let mut made = gif::Encoder::new(Vec::new(), width, height, &[])
                        .map_err(|error| fail(&error))?;
                    made.set_repeat(gif::Repeat::Infinite)
                        .map_err(|error| fail(&error))?;
                    *encoder = Some(Box::new(made));
                }
                let mut frame = gif::Frame::from_rgb_speed(width, height, &picture.rgb, 10);
                // Hundredths of a second: what rounding loses in a frame, the next ones make good.
                let at = |index: usize| (100.0 * index as f64 / *fps).round() as u16;
                frame.delay = at(*count + 1).saturating_sub(at(*count));
                *count += 1;
                match encoder.as_mut() {
                    Some(encoder) => encoder.write_frame(&frame).map_err(|error| fail(&error)),
                    None => Ok(()),
                }
            }
            Self::Mp4 {
                path,
                draft,
                encoder,
                fps,
            } => {
                let fail =
                    |error: &dyn std::error::Error| format!("{}: ffmpeg: {error}", path.display());
                if encoder.is_none() {
                    *encoder = Some(ffmpeg(draft, picture, *fps).map_err(|error| fail(&error))?);
                }
                let pipe = encoder.as_mut().and_then(|child| child.stdin.as_mut());
                match pipe {
                    Some(pipe) => pipe.write_all(&picture.rgb).map_err(|error| fail(&error)),
                    None => Ok(()),
                }
            }
            Self::Frames { folder, count } => {
                *count += 1;
                picture.write_png(&folder.join(format!("frame-{:04}.png", *count - 1)))
            }
        }
    }

    /// Closes the film; the file is whole now.
    ///
    /// # Errors
    /// In words, with the path.
    pub fn close(self) -> Result<(), String> {
        match self {
            Self::Gif { path, encoder, .. } => {
                let fail = |error: &dyn std::error::Error| format!("{}: {error}", path.display());
                let Some(encoder) = encoder else {
                    return Ok(());
                };
                let bytes = encoder.into_inner().map_err(|error| fail(&error))?;
                write_atomic(&path, |file| file.write_all(&bytes)).map_err(|error| fail(&error))
            }
            Self::Mp4 {
                path,
                draft,
                encoder,
                ..
            } => {
                let Some(mut child) = encoder else {
                    return Ok(());
                };
                drop(child.stdin.take());
                let output = child.wait_with_output();
                let output =
                    output.map_err(|error| format!("{}: ffmpeg: {error}", path.display()))?;
                if !output.status.success() {
                    let _ = std::fs::remove_file(&draft);
                    let said = String::from_utf8_lossy(&output.stderr);
                    return Err(format!("{}: ffmpeg: {}", path.display(), said.trim()));
                }
                std::fs::rename(&draft, &path)
                    .map_err(|error| format!("{}: {error}", path.display()))
            }
            Self::Frames { .. } => Ok(()),
        }
    }
}

fn ffmpeg(draft: &Path, picture: &Picture, fps: f64) -> std::io::Result<Child> {
    let size = format!("{}x{}", picture.width, picture.height);
    Command::new("ffmpeg")
        .args([
            "-loglevel",
            "error",
            "-y",
            "-f",
            "rawvideo",
            "-pixel_format",
            "rgb24",
        ])
        .args([
            "-video_size",
            &size,
            "-framerate",
            &fps.to_string(),
            "-i",
            "-",
        ])
        .args(["-an", "-c:v", "libx264", "-crf", "18", "-preset", "medium"])
        // Even sides are what 4:2:0 needs, and 4:2:0 is what plays everywhere.
        .args([
            "-vf",
            "crop=trunc(iw/2)*2:trunc(ih/2)*2",
            "-pix_fmt",
            "yuv420p",
            "-movflags",
            "+faststart",
        ])
        .arg(draft)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(value: u8) -> Picture {
        Picture {
            width: 16,
            height: 8,
            rgb: vec![value; 3 * 16 * 8],
        }
    }

    #[test]
    fn a_gif_has_its_frames_and_their_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let mut film = Film::open(&path, 30.0).unwrap();
        for value in 0..30 {
            film.add(&picture(8 * value)).unwrap();
        }
        film.close().unwrap();
        let mut decoder = gif::DecodeOptions::new()
            .read_info(std::fs::File::open(&path).unwrap())
            .unwrap();
        let (mut frames, mut hundredths) = (0, 0);
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            frames += 1;
            hundredths += frame.delay;
        }
        assert_eq!((frames, hundredths), (30, 100));
    }

    #[test]
    fn a_folder_gets_numbered_pictures_and_odd_endings_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut film = Film::open(&folder.path().join("frames"), 20.0).unwrap();
        film.add(&picture(3)).unwrap();
        film.close().unwrap();
        assert!(folder.path().join("frames/frame-0000.png").is_file());
        assert!(Film::open(&folder.path().join("a.avi"), 20.0).is_err());
    }
}
