//! Where ONNX Runtime's shared library may lie.

use std::path::{Path, PathBuf};

use crate::RuntimeError;
use crate::cache::{cache_dir, warn_once};
use crate::installed::{Check, installed_library};
use crate::pins::{InstallKind, installed_dir_in, wheel_here};

/// Where a library was found, or was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LibraryOrigin {
    /// Given by the caller.
    Explicit,
    /// The environment variable `ORT_DYLIB_PATH`.
    Environment,
    /// Beside the executable, or in `lib` or `../lib` there.
    BesideExecutable,
    /// In the user's cache, from an install.
    Cache,
}

/// Finds ONNX Runtime: `explicit`, `ORT_DYLIB_PATH`, beside the executable, the user's cache. What
/// is in the cache is taken only with the bytes that are pinned here.
///
/// # Errors
/// [`RuntimeError::LibraryRejected`] if `explicit` or `ORT_DYLIB_PATH` names no file,
/// [`RuntimeError::LibraryNotFound`] if the library is nowhere.
pub fn find_library(explicit: Option<&Path>) -> Result<(PathBuf, LibraryOrigin), RuntimeError> {
    if let Some(path) = explicit {
        return named_library(path).map(|path| (path, LibraryOrigin::Explicit));
    }
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return named_library(Path::new(&path)).map(|path| (path, LibraryOrigin::Environment));
    }
    let mut searched = Vec::new();
    let executable = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_owned));
    let beside = executable
        .iter()
        .flat_map(|f| [f.clone(), f.join("lib"), f.join("../lib")]);
    for folder in beside {
        if let Some(path) = library_in(&folder) {
            return Ok((path, LibraryOrigin::BesideExecutable));
        }
        searched.push(folder);
    }
    for kind in [InstallKind::Gpu, InstallKind::Cpu] {
        let Some(folder) = cache_dir().map(|cache| installed_dir_in(&cache, kind)) else {
            continue;
        };
        if let (true, Ok(wheel)) = (folder.is_dir(), wheel_here(kind)) {
            match installed_library(&folder, &wheel, Check::Quick) {
                Ok(path) => return Ok((path, LibraryOrigin::Cache)),
                Err(reason) => warn_once(&format!(
                    "the installed ONNX Runtime is not loaded: {reason}; `kinograd runtime \
                     install` fetches it again"
                )),
            }
        }
        searched.push(folder);
    }
    Err(RuntimeError::LibraryNotFound { searched })
}

fn named_library(path: &Path) -> Result<PathBuf, RuntimeError> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let reason = if path.is_dir() {
        match library_in(path) {
            Some(path) => return Ok(path),
            None => "the folder holds no ONNX Runtime library",
        }
    } else {
        "no such file"
    };
    Err(RuntimeError::LibraryRejected {
        path: path.to_owned(),
        reason: reason.into(),
    })
}

/// The main library of a folder: `libonnxruntime.so.1.31.1`, `libonnxruntime.1.31.1.dylib` or
/// `onnxruntime.dll`; of several, the last by name.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            is_main_library(name) && path.is_file()
        })
        .max()
}

fn is_main_library(name: &str) -> bool {
    if cfg!(windows) {
        return name.eq_ignore_ascii_case("onnxruntime.dll");
    }
    if cfg!(target_os = "macos") {
        return name.starts_with("libonnxruntime.") && name.ends_with(".dylib");
    }
    name == "libonnxruntime.so" || name.starts_with("libonnxruntime.so.")
}
