//! Plots of measured numbers, and grids of pictures, as PNG.

mod bars;
mod chart;
mod data;
mod file;
mod grid;
mod numbers;
mod page;
mod style;
mod surface;

pub use self::data::{Bar, Bars, Chart, Mark, Panel, Point, Scale, Series};
pub use self::grid::{PictureBlock, Tile, save_picture_grid};
pub use self::page::save_plot;
