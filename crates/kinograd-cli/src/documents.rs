//! Commands in the documents, and in the examples of `--help`, are such as the command line takes.

use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser as _};

use crate::args::Cli;

/// A command as a document shows it.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    /// File and line.
    place: String,
    /// The words from `kinograd` on.
    words: Vec<String>,
    /// Whether it stands in a block of commands; what stands in a sentence may leave out the rest.
    whole: bool,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The documents that show commands as they are today.
fn documents() -> Vec<PathBuf> {
    let root = repository();
    let mut found: Vec<PathBuf> = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "assets/scenes/README.md",
        "crates/kinograd-cli/README.md",
    ]
    .iter()
    .map(|name| root.join(name))
    .collect();
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every command of a document's shell blocks and of what stands between single backticks.
fn shown(name: &str, text: &str) -> Vec<Shown> {
    let mut found = Vec::new();
    // The language of the block that a line stands in.
    let mut block: Option<&str> = None;
    let mut begun = String::new();
    for (index, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", index + 1);
        if let Some(language) = line.trim_start().strip_prefix("```") {
            block = match block {
                Some(_) => None,
                None => Some(language.trim()),
            };
            continue;
        }
        match block {
            Some("sh" | "bash" | "console") => {
                let line = line.strip_prefix("$ ").unwrap_or(line);
                if let Some(start) = line.strip_suffix('\\') {
                    begun.push_str(start);
                    continue;
                }
                let line = std::mem::take(&mut begun) + line;
                found.extend(commands(&line).into_iter().map(|words| Shown {
                    place: place.clone(),
                    words,
                    whole: true,
                }));
            }
            Some(_) => {}
            None => {
                let spans = line.split('`').skip(1).step_by(2);
                for span in spans.filter(|span| span.starts_with("kinograd ")) {
                    let span = span.split(['…', '[']).next().unwrap_or(span);
                    found.extend(commands(span).into_iter().map(|words| Shown {
                        place: place.clone(),
                        words,
                        whole: false,
                    }));
                }
            }
        }
    }
    found
}

/// The commands of a line of a shell: what follows `kinograd`, or `cargo run … -p kinograd-cli --`, up to the next
/// pipe, redirection or command.
fn commands(line: &str) -> Vec<Vec<String>> {
    let Some(words) = shlex::split(line) else {
        return Vec::new();
    };
    // Words of one command each, without what is redirected to where.
    let mut runs: Vec<Vec<String>> = Vec::new();
    let mut run: Vec<String> = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match &*word {
            "|" | "||" | "&&" | ";" | "&" => runs.push(std::mem::take(&mut run)),
            "2>&1" => {}
            ">" | ">>" | "2>" | "<" => drop(words.next()),
            _ => run.push(word),
        }
    }
    runs.push(run);
    let mut found: Vec<Vec<String>> = Vec::new();
    for run in runs {
        let program = run
            .iter()
            .position(|word| word == "kinograd" || word.ends_with("/kinograd"));
        let by_cargo = run.iter().any(|word| word == "kinograd-cli")
            && run.first().is_some_and(|word| word == "cargo");
        let dashes = run.iter().position(|word| word == "--");
        let start = match (program, dashes) {
            (_, Some(dashes)) if by_cargo => dashes,
            (Some(program), _) => program,
            _ => continue,
        };
        let arguments = run[start + 1..].iter().cloned();
        found.push(
            std::iter::once("kinograd".to_owned())
                .chain(arguments)
                .collect(),
        );
    }
    found
}

/// Whether a word stands for what the reader puts in its place.
fn is_placeholder(word: &str) -> bool {
    let known = |c: char| c.is_ascii_uppercase() || matches!(c, '-' | '_');
    word == "{}" || (!word.is_empty() && word.chars().all(known))
}

/// What clap has against a command, if anything.
fn fault(shown: &Shown) -> Option<String> {
    let mut words = shown.words.clone();
    // `auto` asks the scheduler's variables.
    for at in 1..words.len() {
        if words[at - 1] == "--shard" && words[at] == "auto" {
            words[at] = "0/1".to_owned();
        }
    }
    // Each turn puts a number in the place of one placeholder.
    for _ in 0..words.len() + 1 {
        let Err(error) = Cli::try_parse_from(&words) else {
            return None;
        };
        let value = match error.get(ContextKind::InvalidValue) {
            Some(ContextValue::String(value)) => value.clone(),
            _ => String::new(),
        };
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return None,
            ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                if !shown.whole =>
            {
                return None;
            }
            ErrorKind::InvalidValue if !shown.whole && value.is_empty() => return None,
            ErrorKind::InvalidValue | ErrorKind::ValueValidation
                if value.split(['/', ',', '@']).any(is_placeholder) =>
            {
                let choice = match error.get(ContextKind::ValidValue) {
                    Some(ContextValue::Strings(choices)) if !choices.is_empty() => {
                        choices[0].clone()
                    }
                    _ => value
                        .split('/')
                        .map(|part| if is_placeholder(part) { "1" } else { part })
                        .collect::<Vec<_>>()
                        .join("/"),
                };
                let word = words.iter_mut().find(|word| **word == value);
                match word {
                    Some(word) => *word = choice,
                    None => return Some(error.to_string()),
                }
            }
            _ => return Some(error.to_string()),
        }
    }
    Some("it has placeholders that are no values".to_owned())
}

fn faults(all: &[Shown]) -> Vec<String> {
    all.iter()
        .filter_map(|shown| {
            let fault = fault(shown)?;
            Some(format!(
                "{}: {}\n{fault}",
                shown.place,
                shown.words.join(" ")
            ))
        })
        .collect()
}

#[test]
fn commands_of_the_documents_parse() {
    let root = repository();
    let mut all = Vec::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        all.extend(shown(&name, &text));
    }
    assert!(all.len() > 100, "only {} commands were found", all.len());
    let faults = faults(&all);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn examples_of_the_help_parse() {
    let mut program = Cli::command();
    program.build();
    let mut all = Vec::new();
    let mut open = vec![program];
    while let Some(command) = open.pop() {
        let after = command.get_after_help().map(ToString::to_string);
        for line in after.iter().flat_map(|text| text.lines()) {
            let example = line.trim_start();
            if example.starts_with("kinograd ") {
                all.extend(commands(example).into_iter().map(|words| Shown {
                    place: format!("help of {}", command.get_name()),
                    words,
                    whole: true,
                }));
            }
        }
        open.extend(command.get_subcommands().cloned());
    }
    assert!(all.len() > 20, "only {} examples were found", all.len());
    let faults = faults(&all);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn what_the_command_line_does_not_take_is_found() {
    let text = "\
`kinograd generate --speed` and `kinograd wlak`, but not `kinograd generate`, `kinograd generate --n` or `kinograd_x --y`
```sh
kinograd generate \"a person walks\" --speed 2 > out/kinograd
cargo run --release -p kinograd-cli -- generate \"a person walks\" --tarqet 2,3
seq 0 3 | xargs -P 4 -I{} kinograd batch tasks.jsonl -o clips --shard {}/4 --threads 2
kinograd generate \"a person walks\" --seconds N --provider PROVIDER -o FILE | \\
    kinograd models shwo motion-base # and a word after --it
kinograd generate \"a person walks\" --seconds many
kinograd generate
```
```json
kinograd generate --speed
```
";
    let found = faults(&shown("page.md", text));
    let places: Vec<&str> = found
        .iter()
        .map(|text| text.lines().next().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "page.md:1: kinograd generate --speed",
            "page.md:1: kinograd wlak",
            "page.md:3: kinograd generate a person walks --speed 2",
            "page.md:4: kinograd generate a person walks --tarqet 2,3",
            "page.md:7: kinograd models shwo motion-base",
            "page.md:8: kinograd generate a person walks --seconds many",
            "page.md:9: kinograd generate",
        ]
    );
}
