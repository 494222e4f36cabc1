//! The user's own pip, isolated: nothing of the current folder is imported or run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::progress::{Failure, InstallProgress, Progress, disk_error, failed, step};
use crate::pins::{ONNX_RUNTIME_VERSION, PYTHON_TAG, Wheel};

/// Downloads a wheel with the first of the Pythons that has pip.
pub(super) fn download(
    pythons: &[OsString],
    wheel: &Wheel,
    work: &Path,
    progress: Progress<'_>,
) -> Result<PathBuf, Failure> {
    let python = python_with_pip(pythons, work)?;
    let downloads = work.join("wheel");
    std::fs::create_dir(&downloads).map_err(|error| disk_error(&downloads, &error))?;
    let log = work.join("pip.log");
    let log_file = std::fs::File::create(&log).map_err(|error| disk_error(&log, &error))?;
    let mut command = isolated(&python, work);
    command
        .args(["download", "--quiet", "--disable-pip-version-check"])
        .args(["--no-input", "--no-cache-dir", "--retries", "2"])
        .args(["--timeout", "20", "--no-deps", "--only-binary=:all:"])
        .args(["--implementation", "cp", "--python-version", PYTHON_TAG])
        .args(["--abi", &format!("cp{PYTHON_TAG}")])
        .args(["--platform", wheel.platform, "--dest"])
        .arg(&downloads)
        .arg(format!("{}=={ONNX_RUNTIME_VERSION}", wheel.project))
        // pip downloads to the temporary folder: there it can be watched, and is cleaned up.
        .envs(["TMPDIR", "TEMP", "TMP"].map(|name| (name, work)))
        .stdout(Stdio::null())
        .stderr(log_file);
    let child = command
        .spawn()
        .map_err(|error| Failure::Other(format!("{}: {error}", python.display())))?;
    let mut child = KillOnDrop(child);
    let status = loop {
        let done = child
            .0
            .try_wait()
            .map_err(|error| failed(format!("pip: {error}")))?;
        if let Some(status) = done {
            break status;
        }
        step(
            progress,
            InstallProgress::Downloading {
                wheel: format!("{}{}.whl", wheel.stem(), wheel.platform),
                bytes: bytes_under(work).min(wheel.bytes),
                total: wheel.bytes,
            },
        )?;
        std::thread::sleep(Duration::from_millis(100));
    };
    if !status.success() {
        let log = std::fs::read(&log).unwrap_or_default();
        return Err(Failure::Other(explain_pip(&String::from_utf8_lossy(&log))));
    }
    let entries = std::fs::read_dir(&downloads).map_err(|error| disk_error(&downloads, &error))?;
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| Failure::Other("pip downloaded no wheel".to_owned()))
}

/// `python -I -m pip` in a folder of its own.
fn isolated(python: &Path, work: &Path) -> Command {
    let mut command = Command::new(python);
    command
        .args(["-I", "-m", "pip"])
        .current_dir(work)
        .stdin(Stdio::null());
    command
}

fn python_with_pip(pythons: &[OsString], work: &Path) -> Result<PathBuf, Failure> {
    let mut without_pip = None;
    for python in pythons.iter().filter_map(kinograd_files::program) {
        match isolated(&python, work).arg("--version").output() {
            Ok(output) if output.status.success() => return Ok(python),
            Ok(_) => without_pip = Some(python),
            Err(_) => {}
        }
    }
    let names: Vec<_> = pythons.iter().map(|name| name.to_string_lossy()).collect();
    Err(Failure::Other(match without_pip {
        Some(python) => format!(
            "{} has no pip; install it (`python3 -m ensurepip`, or your system's python3-pip)",
            python.display()
        ),
        None => format!(
            "no Python found (tried {}); install Python 3 with pip, or name one with \
             KINOGRAD_PYTHON",
            names.join(", ")
        ),
    }))
}

struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn explain_pip(log: &str) -> String {
    let has = |words: &[&str]| words.iter().any(|word| log.contains(word));
    let last = log
        .lines()
        .rev()
        .find(|line| line.contains("ERROR"))
        .unwrap_or_default();
    let last = last.trim_start_matches("ERROR:").trim();
    if has(&["No space left", "Errno 28", "not enough space"]) {
        return "the disk is full".into();
    }
    if has(&[
        "NewConnectionError",
        "NameResolutionError",
        "Failed to establish a new connection",
        "name resolution",
        "ConnectTimeout",
        "Connection to ",
        "ProxyError",
        "ReadTimeout",
        "Network is unreachable",
    ]) {
        return "pip cannot reach its package index; check the network and pip's proxy settings"
            .into();
    }
    if has(&["No matching distribution", "Could not find a version"]) {
        return format!(
            "pip's package index has no {ONNX_RUNTIME_VERSION} wheel for this system: {last}"
        );
    }
    match last {
        "" => "pip failed without saying why".into(),
        reason => format!("pip failed: {reason}"),
    }
}

fn bytes_under(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => bytes_under(&entry.path()),
            Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |meta| meta.len()),
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_errors_become_advice() {
        let offline = "WARNING: Retrying after connection broken by 'NewConnectionError(...)'\n\
                       ERROR: Could not find a version that satisfies the requirement";
        assert!(explain_pip(offline).contains("check the network"));
        let missing =
            "ERROR: Could not find a version\nERROR: No matching distribution found for x";
        assert!(explain_pip(missing).contains("no 1.31.1 wheel"));
        assert_eq!(
            explain_pip("OSError: [Errno 28] No space left on device"),
            "the disk is full"
        );
        assert_eq!(explain_pip("ERROR: bad day"), "pip failed: bad day");
        assert_eq!(explain_pip(""), "pip failed without saying why");
    }
}
