//! Clips as pictures of figures on a ground: contact sheets, films, views from above.

mod camera;
mod canvas;
mod clip;
mod figure;
mod film;
mod marks;
mod page;
mod pixmap;
mod scene;
mod stage;
mod text;

pub use self::clip::SheetClip;
pub use self::film::{Film, View};
pub use self::marks::{Prism, Rod, SceneMarks};
pub use self::page::render_sheet;
pub use self::pixmap::RgbaPixmap;
pub use self::text::glyph;
