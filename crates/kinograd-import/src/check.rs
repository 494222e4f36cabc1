//! Checking a package.

use kinograd_runtime::{EngineOptions, Package, RuntimeError, find_package, open_engine};

use super::report::CheckReport;
use super::{images, motion};

/// Checks the hashes of a package's files, encodes a prompt, runs every network that a gradient is
/// pulled through once and compares that gradient with a central difference.
///
/// # Errors
/// [`RuntimeError`] for a missing file, a wrong hash or a graph that does not run.
pub fn check(model: &str, options: &EngineOptions) -> Result<CheckReport, RuntimeError> {
    check_package(&find_package(model)?, options)
}

pub(super) fn check_package(
    package: &Package,
    options: &EngineOptions,
) -> Result<CheckReport, RuntimeError> {
    package.check()?;
    let engine = open_engine(options)?;
    if package.manifest().image.is_some() {
        return images::check(package, &engine);
    }
    motion::check(package, &engine)
}
