//! Checking model packages, and making one of a denoiser of one's own.

mod adapt;
mod add;
mod check;
mod diffusers;
mod images;
mod motion;
mod precision;
mod probe;
mod report;
mod staged;

pub use add::{NewPackage, add, planned};
pub use check::check;
pub use report::CheckReport;

pub use staged::{StagedPackage, check_new_name, packages_folder};
