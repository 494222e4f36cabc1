//! Model packages: a folder with `model.json` and the files that it names.

mod arrays;
mod constants;
mod find;
mod image;
mod inspect;
mod manifest;
mod opened;
mod reference;
mod representation;
mod schedule;
mod validate;

pub use constants::Constants;
pub use find::{FoundPackage, find_package, list_packages, package_folders, user_models};
pub use image::{Classes, ImageSize, LatentSize};
pub use inspect::{ModelSummary, TensorSummary, inspect};
pub use manifest::{
    Conditioning, DataEntry, Defaults, FileEntry, Lineage, MANIFEST_FILE, Manifest, ModelKind,
    NullText, Role, SCHEMA, TrainedText,
};
pub use opened::{Package, write_package};
pub use reference::Reference;
pub use representation::{Representation, RepresentationKind};
pub use schedule::{Prediction, ScheduleKind, ScheduleSpec, TimeInput};
pub use validate::MAX_NAME_BYTES;
