//! A package that lies in a folder.

use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use kinograd_files::{Budget, FileError};

use super::constants::Constants;
use super::manifest::{FileEntry, MANIFEST_FILE, Manifest, Role};
use super::reference::Reference;
use crate::hash::sha256_of_file;
use crate::{ModelSource, RuntimeError};

/// An opened model package. Files are checked against their hashes when they are asked for.
///
/// ```no_run
/// use kinograd_runtime::{Package, Role};
///
/// let package = Package::open("models/motion-base")?;
/// println!("{} {}", package.manifest().name, package.manifest().version);
/// let denoiser = package.model(Role::Denoiser)?;
/// # Ok::<(), kinograd_runtime::RuntimeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Package {
    folder: PathBuf,
    manifest: Manifest,
}

impl Package {
    /// Opens the package in `folder`, or the one that a `model.json` describes. Reads the
    /// description only.
    ///
    /// # Errors
    /// [`RuntimeError::Io`] if there is no `model.json`, [`RuntimeError::PackageFormat`] if it
    /// cannot be understood, [`RuntimeError::PackagePath`] if it names a file outside its folder.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, RuntimeError> {
        let mut folder = folder.as_ref().to_owned();
        if folder.file_name().is_some_and(|name| name == MANIFEST_FILE) && folder.is_file() {
            folder.pop();
        }
        let path = folder.join(MANIFEST_FILE);
        let text = kinograd_files::read_text(&path, Budget::of_process())
            .map_err(FileError::into_io)
            .map_err(RuntimeError::io("cannot read the model package", &path))?;
        let manifest = Manifest::parse(&text)
            .map_err(|reason| RuntimeError::PackageFormat { path, reason })?;
        for entry in manifest.files.values() {
            check_relative(&manifest.name, &entry.path)?;
            for data in &entry.data {
                check_relative(&manifest.name, &data.path)?;
            }
        }
        Ok(Self { folder, manifest })
    }

    /// What `model.json` says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The package's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the package has a file for this role.
    pub fn has(&self, role: Role) -> bool {
        self.manifest.files.contains_key(&role)
    }

    /// The path of a role's file, after checking that it lies in the folder and has the hash that
    /// `model.json` gives.
    ///
    /// # Errors
    /// [`RuntimeError::PackageRole`] if there is none, [`RuntimeError::Io`] if it is missing,
    /// [`RuntimeError::PackagePath`] if a link leads out of the folder,
    /// [`RuntimeError::WrongHash`] if its bytes are not the ones described.
    pub fn file(&self, role: Role) -> Result<PathBuf, RuntimeError> {
        let entry = self.entry(role)?;
        for data in &entry.data {
            self.hashed(&data.path, &data.sha256)?;
        }
        self.hashed(&entry.path, &entry.sha256)
    }

    /// A file that lies in the folder and has this hash.
    fn hashed(&self, file: &str, sha256: &str) -> Result<PathBuf, RuntimeError> {
        let path = self.inside(file)?;
        let got = sha256_of_file(&path)?;
        if !got.eq_ignore_ascii_case(sha256) {
            return Err(RuntimeError::WrongHash {
                path,
                expected: sha256.to_owned(),
                got,
            });
        }
        Ok(path)
    }

    /// A role's ONNX file, checked like [`Package::file`].
    ///
    /// # Errors
    /// As [`Package::file`].
    pub fn model(&self, role: Role) -> Result<ModelSource, RuntimeError> {
        let path = self.file(role)?;
        let entry = self.entry(role)?;
        let data = entry.data.iter().map(|data| {
            let sha256 = data.sha256.to_ascii_lowercase();
            (self.folder.join(&data.path), sha256)
        });
        let data = data.collect();
        Ok(ModelSource::with_data(
            path,
            entry.sha256.to_ascii_lowercase(),
            data,
        ))
    }

    /// The arrays of the package's NPZ.
    ///
    /// # Errors
    /// As [`Package::file`], and [`RuntimeError::PackageFormat`] if an array is missing or has
    /// the wrong size.
    pub fn constants(&self) -> Result<Constants, RuntimeError> {
        Constants::read(&self.file(Role::Constants)?, &self.manifest)
    }

    /// Mean and covariance of the training data's embeddings.
    ///
    /// # Errors
    /// As [`Package::constants`].
    pub fn reference(&self) -> Result<Reference, RuntimeError> {
        Reference::read(&self.file(Role::Reference)?, &self.manifest)
    }

    /// The graph's own name for an input or output of the role's contract.
    pub(crate) fn port(&self, role: Role, canonical: &str) -> String {
        let entry = self.manifest.files.get(&role);
        let renamed = entry.and_then(|entry| {
            entry
                .inputs
                .get(canonical)
                .or_else(|| entry.outputs.get(canonical))
        });
        renamed.map_or_else(|| canonical.to_owned(), Clone::clone)
    }

    /// Rows that a role's graph takes at once, where its batch is fixed.
    pub(crate) fn rows(&self, role: Role) -> Option<usize> {
        self.manifest.files.get(&role)?.batch
    }

    /// The multiple of frames that a role's graph takes, where it is its own.
    pub(crate) fn patch_frames(&self, role: Role) -> Option<usize> {
        self.manifest.files.get(&role)?.patch_frames
    }

    /// Checks every file of the package.
    ///
    /// # Errors
    /// As [`Package::file`], for the first bad file.
    pub fn check(&self) -> Result<(), RuntimeError> {
        self.manifest
            .files
            .keys()
            .try_for_each(|&role| self.file(role).map(|_| ()))
    }

    pub(super) fn entry(&self, role: Role) -> Result<&FileEntry, RuntimeError> {
        self.manifest
            .files
            .get(&role)
            .ok_or_else(|| RuntimeError::PackageRole {
                package: self.manifest.name.clone(),
                role: role.as_str(),
            })
    }

    /// Resolves links, so that none leads out of the folder.
    fn inside(&self, file: &str) -> Result<PathBuf, RuntimeError> {
        let path = self.folder.join(file);
        let missing = || RuntimeError::io("cannot read a file of the model package", &path);
        let real = path.canonicalize().map_err(missing())?;
        let folder = self.folder.canonicalize().map_err(RuntimeError::io(
            "cannot read the model package",
            &self.folder,
        ))?;
        if !real.starts_with(&folder) {
            return Err(RuntimeError::PackagePath {
                package: self.manifest.name.clone(),
                file: file.to_owned(),
            });
        }
        Ok(path)
    }
}

fn check_relative(package: &str, file: &str) -> Result<(), RuntimeError> {
    let path = Path::new(file);
    let plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    // A back slash or a colon is a separator on one system and a letter on another.
    if file.is_empty() || !plain || file.contains(['\\', ':']) {
        return Err(RuntimeError::PackagePath {
            package: package.into(),
            file: file.into(),
        });
    }
    Ok(())
}

/// Writes `model.json` for the files that lie in `folder`, filling in their hashes.
///
/// # Errors
/// [`RuntimeError::Io`] if a file is missing or `model.json` cannot be written,
/// [`RuntimeError::PackagePath`] if a file's path leaves the folder.
pub fn write_package(folder: &Path, mut manifest: Manifest) -> Result<Package, RuntimeError> {
    for entry in manifest.files.values_mut() {
        check_relative(&manifest.name, &entry.path)?;
        entry.sha256 = sha256_of_file(&folder.join(&entry.path))?;
        for data in &mut entry.data {
            check_relative(&manifest.name, &data.path)?;
            data.sha256 = sha256_of_file(&folder.join(&data.path))?;
        }
    }
    let path = folder.join(MANIFEST_FILE);
    let text = manifest
        .to_json()
        .map_err(|reason| RuntimeError::PackageFormat {
            path: path.clone(),
            reason,
        })?;
    kinograd_files::write_atomic(&path, |file| file.write_all(text.as_bytes()))
        .map_err(FileError::into_io)
        .map_err(RuntimeError::io("cannot write", &path))?;
    Package::open(folder)
}
