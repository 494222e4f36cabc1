//! A net under changes of structure: what a list of commands makes, in numbers, is what it was.
//!
//! `tests/recorded/commands.json` lists the commands, `tests/recorded/values/` holds a digest of
//! what each makes. The record of a file, its layout and the schema of a report may change: joints,
//! pixels and the chosen numbers of reports may not. See `tests/recorded/README.md`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

mod digest;
mod glb;
mod list;
mod read;
mod report;
mod run;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use crate::digest::Digest;
use crate::list::{Command, List};
use crate::read::Numbers;

/// Commands that run at a time.
const THREADS: usize = 2;

/// `tests/recorded` of the repository.
fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recorded")
}

/// What is compared of each command, in the order of the list; problems otherwise.
type Outcome = Result<Vec<Numbers>, Vec<String>>;

#[test]
fn every_command_makes_the_numbers_that_are_recorded() {
    let list = List::read(&data().join("commands.json"));
    let only = std::env::var("KINOGRAD_ONLY").ok();
    let chosen: Vec<&Command> = list
        .commands
        .iter()
        .filter(|command| only.as_ref().is_none_or(|part| command.name.contains(part)))
        .collect();
    assert!(
        !chosen.is_empty(),
        "KINOGRAD_ONLY: no command's name has it"
    );
    let outcomes = run_all(&list, &chosen);

    let writes = std::env::var("KINOGRAD_RECORDED").is_ok_and(|value| value == "write");
    let (mut problems, mut hashes) = (Vec::new(), String::new());
    for (command, outcome) in chosen.iter().zip(outcomes) {
        let problem = |problem: String| format!("{}: {problem}", command.name);
        match outcome {
            Err(all) => problems.extend(all.into_iter().map(problem)),
            Ok(outputs) => {
                for output in &outputs {
                    let hash = output.sha256();
                    hashes.push_str(&format!("{}/{} {hash}\n", command.name, output.name));
                }
                let digest = Digest::of(&outputs);
                let path = data().join("values").join(format!("{}.json", command.name));
                if writes {
                    digest.write(&path);
                } else {
                    let tolerance = list.tolerance(command);
                    let differs = digest.compare(&path, tolerance);
                    problems.extend(differs.into_iter().map(problem));
                }
            }
        }
    }
    if only.is_none() {
        problems.extend(strays(&list));
    }
    if let Some(folder) = std::env::var_os("KINOGRAD_RECORD") {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(Path::new(&folder).join("hashes.txt"), hashes).unwrap();
    }
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

/// Runs commands, a few at a time.
fn run_all(list: &List, commands: &[&Command]) -> Vec<Outcome> {
    let work = tempfile::tempdir().unwrap();
    let next = Mutex::new(0);
    let outcomes: Mutex<Vec<Option<Outcome>>> = Mutex::new(commands.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let index = {
                        let mut next = next.lock().unwrap();
                        *next += 1;
                        *next - 1
                    };
                    let Some(command) = commands.get(index) else {
                        break;
                    };
                    let started = Instant::now();
                    let outcome = run::run(list, command, work.path());
                    eprintln!("{:6.2} s {}", started.elapsed().as_secs_f64(), command.name);
                    outcomes.lock().unwrap()[index] = Some(outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap();
    outcomes.into_iter().map(Option::unwrap).collect()
}

/// Files of values that belong to no command.
fn strays(list: &List) -> Vec<String> {
    let names: BTreeSet<String> = list
        .commands
        .iter()
        .map(|command| format!("{}.json", command.name))
        .collect();
    run::files(&data().join("values"))
        .into_iter()
        .filter(|file| !names.contains(file))
        .map(|file| format!("values/{file} belongs to no command"))
        .collect()
}
