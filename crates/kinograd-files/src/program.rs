use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A program by its absolute path: `name` as it is, made absolute, where it holds a separator, else
/// the first of that name in the absolute folders of `PATH`. A program that happens to lie in the
/// current folder is not found.
///
/// ```
/// use kinograd_files::program;
/// assert!(program("no-such-program-here").is_none());
/// if let Some(shell) = program("sh") {
///     assert!(shell.is_absolute());
/// }
/// ```
#[must_use]
pub fn program(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let name = Path::new(name.as_ref());
    if name.components().count() > 1 || name.is_absolute() {
        return std::path::absolute(name)
            .ok()
            .filter(|path| is_program(path));
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| {
            let plain = folder.join(name);
            let mut with_ending = plain.clone().into_os_string();
            with_ending.push(std::env::consts::EXE_SUFFIX);
            [PathBuf::from(with_ending), plain]
        })
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    let Ok(found) = std::fs::metadata(path) else {
        return false;
    };
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o111 == 0 {
        return false;
    }
    found.is_file()
}
