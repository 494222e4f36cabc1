//! Checking model packages, and making one of a denoiser of one's own.

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
