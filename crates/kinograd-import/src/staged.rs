//! Packages that are whole or not there.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use kinograd_files::{TemporaryFolder, escape};
use kinograd_runtime::{
    DataEntry, FileEntry, MAX_NAME_BYTES, Manifest, Package, Role, RuntimeError, user_models,
    write_package,
};
use onnx_grad::Model;

/// The folder that new packages go to: the one that is named, or the user's own.
///
/// # Errors
/// [`RuntimeError::Request`] if there is no such folder.
pub fn packages_folder(into: Option<&Path>) -> Result<PathBuf, RuntimeError> {
    match into {
        Some(folder) => Ok(folder.to_owned()),
        None => user_models().ok_or_else(|| RuntimeError::Request {
            field: "into",
            message: "the user has no data folder; name a folder".to_owned(),
        }),
    }
}

/// A package's folder under a hidden name, which is renamed when it is whole and else removed.
pub struct StagedPackage {
    staging: TemporaryFolder,
    folder: PathBuf,
}

/// A package that is not yet described on disk.
pub(super) struct Made {
    pub staged: StagedPackage,
    pub manifest: Manifest,
    /// What became of which tensor of the denoiser, in words.
    pub adapted: Vec<String>,
}

impl StagedPackage {
    /// No files yet, for a package of this name.
    ///
    /// # Errors
    /// As [`StagedPackage::copied`].
    pub(super) fn empty(into: &Path, name: &str) -> Result<Self, RuntimeError> {
        let folder = new_folder(into, name)?;
        let fail = write_failed(&folder);
        std::fs::create_dir_all(into).map_err(&fail)?;
        let staging = TemporaryFolder::new_in(into).map_err(&fail)?;
        Ok(Self { staging, folder })
    }

    /// Where the package will be.
    pub(super) fn target(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Writes a file of the package.
    pub(super) fn put_bytes(&self, bytes: &[u8], to: &str) -> Result<(), RuntimeError> {
        let fail = write_failed(&self.folder);
        let mut file = File::create_new(self.path().join(to)).map_err(&fail)?;
        file.write_all(bytes).map_err(&fail)?;
        file.sync_all().map_err(&fail)
    }

    /// Copies the files of some roles of `like` for a package of this name.
    ///
    /// # Errors
    /// [`RuntimeError::Request`] if the name is no plain word or taken, [`RuntimeError::Write`] if a file
    /// cannot be copied.
    pub fn copied(
        like: &Package,
        into: &Path,
        name: &str,
        wanted: impl Fn(Role) -> bool,
    ) -> Result<Self, RuntimeError> {
        let staged = Self::empty(into, name)?;
        for (role, file) in &like.manifest().files {
            if wanted(*role) {
                staged.put(&like.file(*role)?, &file.path)?;
                for data in &file.data {
                    staged.put(&like.folder().join(&data.path), &data.path)?;
                }
            }
        }
        Ok(staged)
    }

    /// The folder under its hidden name.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.staging.path()
    }

    /// Copies a file to a place in the package.
    pub(super) fn put(&self, from: &Path, to: &str) -> Result<(), RuntimeError> {
        let to = self.path().join(to);
        let fail = write_failed(&self.folder);
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent).map_err(&fail)?;
        }
        let mut from = kinograd_files::open(from).map_err(|error| fail(error.into_io()))?;
        // Not a copy of the mode: the umask decides, as for the files beside it.
        let mut to = File::create_new(&to).map_err(&fail)?;
        std::io::copy(&mut from, &mut to).map_err(&fail)?;
        to.sync_all().map_err(&fail)
    }

    /// Writes a text to a place in the package.
    pub(super) fn put_text(&self, text: &str, to: &str) -> Result<(), RuntimeError> {
        std::fs::write(self.path().join(to), text).map_err(write_failed(&self.folder))
    }

    /// Writes a model in the place of its entry, its data inside; from 2 GiB on in a file beside, which
    /// the entry lists then.
    ///
    /// # Errors
    /// [`RuntimeError::Graph`] if it cannot be written.
    pub fn put_model(&self, model: &Model, entry: &mut FileEntry) -> Result<(), RuntimeError> {
        let path = self.path().join(&entry.path);
        let fail = |source| RuntimeError::Graph {
            path: path.clone(),
            source,
        };
        model.write(&path).map_err(fail)?;
        let beside = Model::data_files(&path).map_err(fail)?;
        let name = |file: &PathBuf| {
            let inside = file.strip_prefix(self.path()).unwrap_or(file);
            inside.to_string_lossy().replace('\\', "/")
        };
        entry.data = beside
            .iter()
            .map(|file| DataEntry {
                path: name(file),
                ..DataEntry::default()
            })
            .collect();
        Ok(())
    }

    /// Writes `model.json` and gives the folder its name.
    ///
    /// # Errors
    /// [`RuntimeError::Write`] if a file cannot be written.
    pub fn finish(self, manifest: Manifest) -> Result<PathBuf, RuntimeError> {
        write_package(self.path(), manifest)?.check()?;
        self.publish()
    }

    pub(super) fn publish(self) -> Result<PathBuf, RuntimeError> {
        let folder = self.folder;
        self.staging
            .persist(&folder)
            .map_err(write_failed(&folder))?;
        Ok(folder)
    }
}

/// Whether a package of this name can be made in `into`, or among the user's own.
///
/// # Errors
/// [`RuntimeError::Request`] if the name is no plain word or taken.
pub fn check_new_name(name: &str, into: Option<&Path>) -> Result<(), RuntimeError> {
    new_folder(&packages_folder(into)?, name).map(|_| ())
}

/// Where a package of this name goes, if nothing is there yet.
fn new_folder(into: &Path, name: &str) -> Result<PathBuf, RuntimeError> {
    let refuse = |message: String| {
        Err(RuntimeError::Request {
            field: "name",
            message,
        })
    };
    let is_plain = !name.contains(['/', '\\', ':']) && !name.contains(char::is_control);
    if name.is_empty() || name.starts_with('.') || !is_plain {
        return refuse(format!("`{}` must be a plain word", escape(name)));
    }
    if name.len() > MAX_NAME_BYTES {
        return refuse(format!(
            "it has {} bytes; at most {MAX_NAME_BYTES} are taken",
            name.len()
        ));
    }
    let folder = into.join(name);
    if folder.exists() {
        return refuse(format!("{} is there already", folder.display()));
    }
    Ok(folder)
}

fn write_failed(folder: &Path) -> impl Fn(std::io::Error) -> RuntimeError + use<> {
    let path = folder.to_owned();
    move |source| RuntimeError::Write {
        path: path.clone(),
        source,
    }
}
