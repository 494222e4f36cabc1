//! Runs a command in a folder of its own and reads what it left.

use std::path::{Path, PathBuf};

use crate::list::{self, Command, List};
use crate::read::{Numbers, numbers};
use crate::{Outcome, data, report};

/// The binary: cargo's, or that of `KINOGRAD_BIN`.
fn binary() -> PathBuf {
    std::env::var_os("KINOGRAD_BIN").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_kinograd")),
        PathBuf::from,
    )
}

/// Runs it; what it made, or what is wrong, all of it.
pub fn run(list: &List, command: &Command, work: &Path) -> Outcome {
    let folder = work.join(&command.name);
    std::fs::create_dir(&folder).unwrap();
    for first in &command.first {
        let stdout = call(list, &first.run, &folder, work).map_err(|problem| vec![problem])?;
        if let Some(name) = &first.report {
            std::fs::write(folder.join(name), stdout).unwrap();
        }
    }
    let stdout = call(list, &command.run, &folder, work).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    let mut outputs = Vec::new();
    let kind = list::kind(&list::words(&command.run));
    if let Some(keys) = list.keys.get(&kind) {
        match report::numbers(&stdout, keys) {
            Ok(found) => outputs.extend(found),
            Err(problem) => problems.push(format!("report: {problem}")),
        }
    }
    let left = files(&folder);
    let expected = expected(command);
    for file in left.iter().filter(|file| !expected.contains(file)) {
        problems.push(format!("leaves {file}, which is not listed"));
    }
    for file in &expected {
        if !left.contains(file) {
            problems.push(format!("does not leave {file}"));
        }
    }
    let named = command.files.iter().chain(&command.timed);
    for file in named.filter(|file| left.contains(file)) {
        match numbers(&folder.join(file)) {
            Ok(_) if command.timed.contains(file) => {}
            Ok(found) => outputs.extend(found.into_iter().map(|numbers| Numbers {
                name: format!("{file}:{}", numbers.name),
                ..numbers
            })),
            Err(problem) => problems.push(format!("{file}: {problem}")),
        }
    }
    if outputs.is_empty() {
        problems.push("no numbers".to_owned());
    }
    for output in &outputs {
        if output.values.iter().any(|value| !value.is_finite()) {
            problems.push(format!("{}: a number is not finite", output.name));
        }
    }
    if problems.is_empty() {
        Ok(outputs)
    } else {
        Err(problems)
    }
}

/// Files that are to be there.
fn expected(command: &Command) -> Vec<String> {
    let reports = command
        .first
        .iter()
        .filter_map(|first| first.report.clone());
    let files = command.files.iter().chain(&command.timed);
    reports.chain(files.cloned()).collect()
}

/// Runs one command; what it said on stdout.
fn call(list: &List, run: &str, folder: &Path, work: &Path) -> Result<String, String> {
    let words = list::words(run);
    let common = list.common.get(&list::kind(&words));
    let common = common.map(|common| list::words(common)).unwrap_or_default();
    let output = std::process::Command::new(binary())
        .args(words.iter().chain(&common).map(|word| placed(word)))
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .env("KINOGRAD_MODELS", data().join("../../models"))
        // New in each run: what another binary derived must not stand in for this one's.
        .env("KINOGRAD_CACHE", work.join(".cache"))
        .env("XDG_DATA_HOME", work.join(".data"))
        .env_remove("ORT_DYLIB_PATH")
        .env_remove("KINOGRAD_LOG")
        .output()
        .unwrap();
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|error| error.to_string());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "`{run}` failed with {}: {}",
        output.status,
        stderr.trim()
    ))
}

/// A word with the repository's folders in place of their names.
fn placed(word: &str) -> String {
    let root = data().join("../..");
    let folders = [
        ("{inputs}", data().join("inputs")),
        ("{scenes}", root.join("assets/scenes")),
        ("{clips}", root.join("assets/clips")),
        ("{models}", root.join("models")),
        ("{golden}", root.join("tests/golden")),
    ];
    folders
        .iter()
        .fold(word.to_owned(), |word, (name, folder)| {
            word.replace(name, &folder.display().to_string())
        })
}

/// Files below a folder, by their paths in it, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = files(&path);
            found.extend(below.into_iter().map(|file| format!("{name}/{file}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}
