use std::path::{Path, PathBuf};

use super::manifest::{MANIFEST_FILE, Role};
use super::opened::Package;
use crate::RuntimeError;
use crate::cache::warn_once;

/// A package that a listing found.
#[derive(Debug)]
pub struct FoundPackage {
    /// The package's folder.
    pub folder: PathBuf,
    /// The package, or why it cannot be opened.
    pub package: Result<Package, RuntimeError>,
}

impl Package {
    /// The package that holds the tokenizer and the text encoder: this one, or the one that
    /// `conditioning.from` names, beside this one or in [`package_folders`].
    ///
    /// # Errors
    /// As [`find_package`], and [`RuntimeError::PackageRole`] if the other has no text encoder.
    pub fn text_package(&self) -> Result<Self, RuntimeError> {
        let conditioning = self.manifest().conditioning.as_ref();
        let Some(name) = conditioning.and_then(|conditioning| conditioning.from.as_ref()) else {
            return Ok(self.clone());
        };
        let beside = self.folder().with_file_name(name);
        let other = if beside.join(MANIFEST_FILE).is_file() {
            Self::open(beside)?
        } else {
            find_package(name)?
        };
        other.entry(Role::TextEncoder)?;
        Ok(other)
    }
}

/// Finds a package by path (its folder or its `model.json`) or by name in [`package_folders`].
///
/// A word without a separator is a name: a folder that is called so in the current folder is taken
/// only where no package of that name is installed, and this is said.
///
/// # Errors
/// [`RuntimeError::PackageNotFound`] if there is none, otherwise as [`Package::open`].
pub fn find_package(name_or_path: &str) -> Result<Package, RuntimeError> {
    let path = Path::new(name_or_path);
    let is_package = |path: &Path| path.join(MANIFEST_FILE).is_file();
    let is_name = !name_or_path.contains(['/', '\\']) && !matches!(name_or_path, "" | "." | "..");
    let is_manifest = path.file_name().is_some_and(|name| name == MANIFEST_FILE);
    if (!is_name && is_package(path)) || ((is_manifest || !is_name) && path.is_file()) {
        return Package::open(path);
    }
    if !is_name {
        // A path that does not exist.
        return Err(RuntimeError::PackageNotFound {
            name: name_or_path.into(),
            searched: vec![path.into()],
        });
    }
    let (trusted, here) = (installed_folders(), folders_here());
    for folder in &trusted {
        let candidate = folder.join(name_or_path);
        if is_package(&candidate) {
            return Package::open(candidate);
        }
    }
    let beside = std::iter::once(path.to_path_buf());
    let mut candidates = beside.chain(here.iter().map(|folder| folder.join(name_or_path)));
    if let Some(candidate) = candidates.find(|candidate| is_package(candidate)) {
        warn_once(&format!(
            "the model package `{name_or_path}` is not installed; it is taken from where you \
             stand: {}",
            candidate.display()
        ));
        return Package::open(candidate);
    }
    Err(RuntimeError::PackageNotFound {
        name: name_or_path.into(),
        searched: package_folders(),
    })
}

/// Every package of the [`package_folders`], the first of each name.
pub fn list_packages() -> Vec<FoundPackage> {
    let mut found: Vec<FoundPackage> = Vec::new();
    for parent in package_folders() {
        let Ok(entries) = std::fs::read_dir(&parent) else {
            continue;
        };
        let mut folders: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|folder| folder.join(MANIFEST_FILE).is_file())
            .collect();
        folders.sort();
        for folder in folders {
            if !found
                .iter()
                .any(|known| known.folder.file_name() == folder.file_name())
            {
                found.push(FoundPackage {
                    package: Package::open(&folder),
                    folder,
                });
            }
        }
    }
    found
}

/// Where packages are looked for, in order: `KINOGRAD_MODELS`, the places beside and above the
/// executable, the user's data folder, and last `models` in the current folder and above it. What is
/// taken from the last is said: [`find_package`].
pub fn package_folders() -> Vec<PathBuf> {
    let mut folders = installed_folders();
    for folder in folders_here() {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// All but those of the current folder.
fn installed_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(folder) = std::env::var_os("KINOGRAD_MODELS").filter(|v| !v.is_empty()) {
        folders.push(PathBuf::from(folder));
    }
    if let Some(beside) = std::env::current_exe()
        .ok()
        .and_then(|p| p.parent().map(Path::to_owned))
    {
        if let Some(prefix) = beside.parent() {
            folders.push(prefix.join("share/kinograd/models"));
        }
        folders.extend(beside.ancestors().map(|folder| folder.join("models")));
    }
    if let Some(folder) = user_models() {
        folders.push(folder);
    }
    let mut seen = std::collections::HashSet::new();
    folders.retain(|folder| folder.is_dir() && seen.insert(folder.clone()));
    folders
}

fn folders_here() -> Vec<PathBuf> {
    let current = std::env::current_dir();
    let ancestors = current.iter().flat_map(|current| current.ancestors());
    let folders = ancestors.map(|folder| folder.join("models"));
    folders.filter(|folder| folder.is_dir()).collect()
}

/// Where the user's own packages live.
pub fn user_models() -> Option<PathBuf> {
    dirs::data_dir().map(|folder| folder.join("kinograd/models"))
}
