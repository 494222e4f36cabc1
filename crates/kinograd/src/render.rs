//! Clips as pictures and films, drawn without a GPU.
//!
//! ```no_run
//! use kinograd::render::{RenderOptions, render};
//! use kinograd::{Clip, LoadOptions};
//!
//! let clip = Clip::load("walk.glb".as_ref(), &LoadOptions::default())?;
//! render(&[clip], None, &RenderOptions::default(), "walk.gif".as_ref(), &mut ())?;
//! # Ok::<(), kinograd::Error>(())
//! ```

use std::path::{Path, PathBuf};

pub use kinograd_draw::{FilmWriter, RenderFormat};

use kinograd_draw::sheet::{Film, SheetClip, View, render_sheet};
use kinograd_motion::joints_array;
use serde::Serialize;

use crate::generator::emit;
use crate::marks::marks_of_task;
use crate::{Clip, Error, Event, Observer, TaskSpec};

/// From where clips are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RenderView {
    /// A sheet of poses; pictures only.
    Sheet,
    /// Beside the way, so that it runs across the picture.
    #[default]
    Side,
    /// Beside the first clip's figure, going along.
    Follow,
    /// From above: +z is up, +x left.
    Top,
}

/// How clips are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RenderOptions {
    /// From where.
    pub view: RenderView,
    /// Width and height, pixels.
    pub size_px: (u32, u32),
    /// Frames per second of a film, 1 to 60; the first clip's own if `None`.
    pub fps: Option<f64>,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            view: RenderView::default(),
            size_px: (960, 540),
            fps: None,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rendered {
    /// The file, or the folder of frames.
    #[serde(serialize_with = "crate::serialize_path")]
    pub path: PathBuf,
    /// Pictures in it.
    pub frames: usize,
    /// Width and height, pixels.
    pub size_px: (u32, u32),
    /// Frames per second; `None` for a picture.
    pub fps: Option<f64>,
}

/// Draws clips, all in one scene, into a picture or a film. Goals and obstacles are the task's, or
/// those of the first clip's record. Rigs other than the canonical one are retargeted.
///
/// # Errors
/// [`Error::Request`] for options that cannot be; [`Error::Write`] with the path and why, such as
/// ffmpeg not being there; [`Error::Cancelled`] if the observer stops it. Nothing half-written is
/// left but the frames of a folder.
pub fn render(
    clips: &[Clip],
    task: Option<&TaskSpec>,
    options: &RenderOptions,
    path: &Path,
    observer: &mut dyn Observer,
) -> Result<Rendered, Error> {
    let refuse = |field, message: String| Err(Error::Request { field, message });
    let format = RenderFormat::of(path)?;
    let Some(first) = clips.first() else {
        return refuse("clips", "none are given".to_owned());
    };
    if options.view == RenderView::Sheet && format != RenderFormat::Png {
        return refuse("view", "a sheet is a picture: write a .png".to_owned());
    }
    let fps = options.fps.unwrap_or(first.motion.fps.clamp(1.0, 60.0));
    if !(1.0..=60.0).contains(&fps) {
        return refuse("fps", format!("{fps} is outside 1 to 60"));
    }
    let marks = task.map_or_else(|| first.marks(), marks_of_task);
    let drawn = clips
        .iter()
        .map(|clip| sheet_clip(clip, fps))
        .collect::<Result<Vec<_>, _>>()?;
    let view = match options.view {
        RenderView::Sheet => {
            let sheet = render_sheet(&drawn, &marks, options.size_px)?;
            sheet.write_png(path).map_err(|e| Error::writing(path, e))?;
            return Ok(picture(path, options));
        }
        RenderView::Side => View::Side,
        RenderView::Follow => View::Follow,
        RenderView::Top => View::Top,
    };
    let film = Film::new(drawn, marks, view, options.size_px)?;
    if format == RenderFormat::Png {
        let way = film.way()?;
        way.write_png(path).map_err(|e| Error::writing(path, e))?;
        return Ok(picture(path, options));
    }
    let started = Event::Started {
        work: "drawing",
        total: film.frames() as u64,
    };
    emit(observer, started)?;
    let mut film_writer = FilmWriter::start(format, path, options.size_px, fps)?;
    for index in 0..film.frames() {
        film_writer.add(film.frame(index)?.rgba())?;
        let done = index as u64 + 1;
        emit(observer, Event::Advanced { done })?;
    }
    film_writer.finish()?;
    emit(observer, Event::Finished)?;
    Ok(Rendered {
        path: path.to_path_buf(),
        frames: film.frames(),
        size_px: options.size_px,
        fps: Some(fps),
    })
}

fn picture(path: &Path, options: &RenderOptions) -> Rendered {
    Rendered {
        path: path.to_path_buf(),
        frames: 1,
        size_px: options.size_px,
        fps: None,
    }
}

fn sheet_clip(clip: &Clip, fps: f64) -> Result<SheetClip, Error> {
    let clip = clip.clone().on_canonical_body()?.resampled(fps)?;
    Ok(SheetClip {
        title: clip.title(),
        joints: joints_array(&clip.motion),
        fps,
    })
}
