//! Model packages of exported models.
//!
//! - [`add`] makes a package of a denoiser, of a pipeline's folder (diffusers, Optimum) or of another
//!   package: it finds out which of a graph's tensors is which, puts casts and transposes before and
//!   behind it, runs it once and checks its gradient. [`Preset`] names families of published models.
//! - [`check`](fn@check) does the last two for a package that is there; [`planned`] says what a pipeline's
//!   package would be.
//! - [`StagedPackage`] is a package's folder that is whole or not there.

mod adapt;
mod add;
mod check;
mod clip_words;
mod diffusers;
mod images;
mod mask;
mod mdm;
mod motion;
mod precision;
mod probe;
mod report;
mod staged;
mod statistics;
mod tokenizer;
mod unguided;

pub use add::{NewPackage, Preset, add, planned};
pub use check::check;
pub use mdm::MdmParts;
pub use report::CheckReport;

pub use staged::{StagedPackage, check_new_name, packages_folder};
