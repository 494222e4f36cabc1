//! Runs the binary in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// The JSON document on stdout.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in stdout:\n{}\n{}", self.stdout, self.stderr))
    }

    /// Asserts success.
    pub fn ok(self) -> Self {
        assert_eq!(
            self.code,
            Some(0),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// The binary, away from the user's caches and settings.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kinograd"));
    command
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("KINOGRAD_MODELS", models())
        // One cache for all tests: gradients are derived once.
        .env(
            "KINOGRAD_CACHE",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"),
        )
        .env("XDG_DATA_HOME", folder.join(".data"))
        .env_remove("ORT_DYLIB_PATH")
        .env_remove("KINOGRAD_LOG")
        .env("COLUMNS", "100");
    command
}

/// Runs the binary.
pub fn kinograd(folder: &Path, args: &[&str]) -> Run {
    command(folder).args(args).output().unwrap().into()
}

/// The repository's model packages, or those of `KINOGRAD_MODELS`.
pub fn models() -> PathBuf {
    std::env::var_os("KINOGRAD_MODELS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models"),
        PathBuf::from,
    )
}

/// A copy of a package whose `model.json` says something else.
pub fn package_with(from: &Path, to: &Path, edit: impl FnOnce(&mut serde_json::Value)) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_file() && std::fs::hard_link(&path, &copy).is_err() {
            std::fs::copy(&path, &copy).unwrap();
        }
    }
    let model = to.join("model.json");
    let mut manifest = serde_json::from_slice(&std::fs::read(&model).unwrap()).unwrap();
    edit(&mut manifest);
    std::fs::remove_file(&model).unwrap();
    std::fs::write(model, manifest.to_string()).unwrap();
}

/// Names of the visible files and left-over temporaries in a folder, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".data")
        .collect();
    names.sort();
    names
}

/// The record in a file, as JSON.
pub fn record_of(path: &Path) -> serde_json::Value {
    let record = kinograd::read_record(path).unwrap().unwrap();
    serde_json::to_value(record).unwrap()
}

/// A BVH of two joints of these names and two frames.
pub fn two_joints(root: &str, child: &str) -> String {
    format!(
        "HIERARCHY
ROOT {root}
{{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT {child}
  {{
    OFFSET 0 80 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {{
      OFFSET 0 80 0
    }}
  }}
}}
MOTION
Frames: 2
Frame Time: 0.05
0 90 0 0 0 0 0 0 0
0 90 5 0 0 0 10 0 0
"
    )
}
