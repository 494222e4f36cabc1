use std::path::{Path, PathBuf};

/// The root of the repository, for tests that read what lies outside of their crate.
#[must_use]
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}
