//! What is installed, pinned: wheels and the libraries in them.

use std::path::{Path, PathBuf};

use crate::RuntimeError;

/// The version that [`crate::install`] fetches and that this crate is tested with.
pub const ONNX_RUNTIME_VERSION: &str = "1.31.1";

/// Which build of ONNX Runtime to install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallKind {
    /// For the processor.
    Cpu,
    /// For NVIDIA GPUs; needs CUDA 13 and cuDNN 9, and TensorRT 10 for that provider.
    Gpu,
}

/// A wheel, pinned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wheel {
    pub project: &'static str,
    pub platform: &'static str,
    pub bytes: u64,
    pub sha256: &'static str,
    /// The main library first.
    pub libraries: &'static [Library],
}

/// A library in a wheel, pinned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Library {
    pub name: &'static str,
    pub bytes: u64,
    pub sha256: &'static str,
}

impl Wheel {
    /// What its file's name begins with, up to the platform.
    pub fn stem(&self) -> String {
        let project = self.project.replace('-', "_");
        format!("{project}-{ONNX_RUNTIME_VERSION}-cp{PYTHON_TAG}-cp{PYTHON_TAG}-")
    }
}

pub(crate) const WHEELS: &[(InstallKind, &str, &str, Wheel)] = &[
    (
        InstallKind::Cpu,
        "linux",
        "x86_64",
        Wheel {
            project: "onnxruntime",
            platform: "manylinux_2_28_x86_64",
            bytes: 23_760_717,
            sha256: "74a6a52994616c4d18b33db1e13c226333a70a6ba07480a5cab9c2a50dff1430",
            libraries: &[
                Library {
                    name: "libonnxruntime.so.1.31.1",
                    bytes: 29352200,
                    sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
                },
                Library {
                    name: "libonnxruntime_providers_shared.so",
                    bytes: 14632,
                    sha256: "086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d",
                },
            ],
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
            libraries: &[
                Library {
                    name: "libonnxruntime.so.1.31.1",
                    bytes: 25265040,
                    sha256: "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
                },
                Library {
                    name: "libonnxruntime_providers_shared.so",
                    bytes: 198792,
                    sha256: "3b6be288fbfb7dff8770d08a23defdde18e8f7e0f5a2b344a0e5e238c999ea88",
                },
            ],
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
            libraries: &[Library {
                name: "libonnxruntime.1.31.1.dylib",
                bytes: 33037336,
                sha256: "07fde7652b628c2c744155cf49020f368ddf5e1e13fc17817d1350514446bef8",
            }],
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
            libraries: &[
                Library {
                    name: "onnxruntime.dll",
                    bytes: 19288888,
                    sha256: "68d0d5f502be4509e2a16f932627a95137d748b2fae519027f80125c0b1f550b",
                },
                Library {
                    name: "onnxruntime_providers_shared.dll",
                    bytes: 21856,
                    sha256: "ff38ec7b5b409df476d45411eaf6e9e32745dc746a3a5119bbe762d39e47497e",
                },
            ],
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
            libraries: &[
                Library {
                    name: "libonnxruntime.so.1.31.1",
                    bytes: 29421832,
                    sha256: "5104254339ecadae808da771bd0b63b240f0dbd466514234905e54372435c303",
                },
                Library {
                    name: "libonnxruntime_providers_cuda.so",
                    bytes: 284014752,
                    sha256: "f62fddac1a32c2893ba9268058fa91e38d14d5ce5609c6e31e7e8b7d61f97e26",
                },
                Library {
                    name: "libonnxruntime_providers_shared.so",
                    bytes: 14632,
                    sha256: "086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d",
                },
                Library {
                    name: "libonnxruntime_providers_tensorrt.so",
                    bytes: 994968,
                    sha256: "1882ee49fdb0e6fc2d272b00cfaf9a3310bf8580a34385c0eec4d82014ea172e",
                },
            ],
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
            libraries: &[
                Library {
                    name: "onnxruntime.dll",
                    bytes: 18881336,
                    sha256: "66253416af7cddf112957a38777b5ca39bf466817eea61f63be98d1cdb355312",
                },
                Library {
                    name: "onnxruntime_providers_cuda.dll",
                    bytes: 194394424,
                    sha256: "4e9e179793dc4f2d74886911058bdceb4ed76545d037d29e9304016d9ccf366b",
                },
                Library {
                    name: "onnxruntime_providers_shared.dll",
                    bytes: 21856,
                    sha256: "c7a5e35c063038e328f060c4b1ce957e2f40285d12810bb6d0b13a934123d44a",
                },
                Library {
                    name: "onnxruntime_providers_tensorrt.dll",
                    bytes: 912184,
                    sha256: "3c6040841f3781d0e33ecf3394acfd7d691d3123a095f2d4c6f6ff3b697e1835",
                },
            ],
        },
    ),
];

/// The wheels are built per Python version; any of them holds the same libraries.
pub(crate) const PYTHON_TAG: &str = "313";

/// The wheel for a system, if one is pinned.
pub(crate) fn wheel_for(kind: InstallKind, os: &str, arch: &str) -> Result<Wheel, RuntimeError> {
    let found = WHEELS
        .iter()
        .find(|(k, o, a, _)| (*k, *o, *a) == (kind, os, arch));
    found.map(|(.., wheel)| *wheel).ok_or_else(|| {
        let build = match kind {
            InstallKind::Cpu => "processor",
            InstallKind::Gpu => "GPU",
        };
        RuntimeError::Install {
            reason: format!(
                "there is no pinned {build} build for {os} on {arch}; put the library of ONNX \
                 Runtime {ONNX_RUNTIME_VERSION} or later anywhere and name it with --runtime or \
                 ORT_DYLIB_PATH"
            ),
        }
    })
}

/// The wheel for this system.
pub(crate) fn wheel_here(kind: InstallKind) -> Result<Wheel, RuntimeError> {
    wheel_for(kind, std::env::consts::OS, std::env::consts::ARCH)
}

/// The folder of an installed library inside a cache folder.
pub(crate) fn installed_dir_in(cache: &Path, kind: InstallKind) -> PathBuf {
    let suffix = match kind {
        InstallKind::Cpu => "cpu",
        InstallKind::Gpu => "gpu",
    };
    cache.join(format!("onnxruntime-{ONNX_RUNTIME_VERSION}-{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_is_a_hash() {
        let is_hash = |text: &str| {
            let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            text.len() == 64 && text.bytes().all(hex)
        };
        for (.., wheel) in WHEELS {
            assert!(
                is_hash(wheel.sha256) && wheel.bytes > 10_000_000,
                "{wheel:?}"
            );
            assert!(!wheel.libraries.is_empty());
            for library in wheel.libraries {
                assert!(
                    is_hash(library.sha256) && library.bytes > 10_000,
                    "{library:?}"
                );
            }
        }
        let error = wheel_for(InstallKind::Gpu, "macos", "aarch64")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("no pinned GPU build for macos on aarch64"),
            "{error}"
        );
    }
}
