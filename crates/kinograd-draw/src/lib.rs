//! Clips and numbers as pictures, drawn without a GPU.
//!
//! - [`sheet`] draws clips with their goals and obstacles: contact sheets, films frame by frame,
//!   the way of a clip, a view from above.
//! - [`plot`] draws measured numbers: charts and bars, and grids of pictures.
//! - [`FilmWriter`] makes a GIF, an MP4 or numbered PNG of pictures of any origin.
//!
//! ```
//! use kinograd_draw::sheet::{SceneMarks, SheetClip, render_sheet};
//! use kinograd_motion::{joints_array, synth::synth_walk};
//!
//! let joints = joints_array(&synth_walk(1.2, 2.0, 20.0));
//! let clip = SheetClip { title: "a walk".to_owned(), joints, fps: 20.0 };
//! let sheet = render_sheet(&[clip], &SceneMarks::default(), (320, 200))?;
//! assert_eq!(sheet.rgba().len(), 4 * 320 * 200);
//! # Ok::<(), kinograd_motion::MotionError>(())
//! ```

mod error;
mod film_format;
mod film_writer;
pub mod plot;
pub mod sheet;

pub use error::DrawError;
pub use film_format::RenderFormat;
pub use film_writer::FilmWriter;
