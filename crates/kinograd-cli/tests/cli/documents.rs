//! What the documents show of a command's output is what it prints.
//!
//! A block `console` holds commands behind `$ ` and all that each prints, stderr before stdout; `[..]` stands for any
//! text within a line, and a last line `[...]` for any more lines. They run one after the other in a folder of the page's own.

use std::path::Path;

use crate::support::{kinograd, two_joints};

/// A command of a page and what follows it.
struct Shown {
    line: usize,
    words: Vec<String>,
    output: Vec<String>,
}

fn shown(page: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let mut inside = false;
    for (index, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            found.push(Shown {
                line: index + 1,
                words: shlex::split(command).unwrap(),
                output: Vec::new(),
            });
        } else if inside {
            found.last_mut().unwrap().output.push(line.to_owned());
        }
    }
    found
}

/// Whether a line is as shown, where `[..]` is any text.
fn is_like(line: &str, shown: &str) -> bool {
    let parts: Vec<&str> = shown.split("[..]").collect();
    let Some(mut rest) = line.strip_prefix(parts[0]) else {
        return false;
    };
    let Some((last, between)) = parts[1..].split_last() else {
        return rest.is_empty();
    };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The first line that differs, in words.
fn difference(printed: &str, shown: &[String]) -> Option<String> {
    let printed: Vec<&str> = printed.lines().collect();
    let (shown, open) = match shown.split_last() {
        Some((last, before)) if last == "[...]" => (before, true),
        _ => (shown, false),
    };
    for (index, line) in shown.iter().enumerate() {
        match printed.get(index) {
            Some(now) if is_like(now, line) => {}
            now => {
                return Some(format!(
                    "shown:   {line}\nprinted: {}",
                    now.unwrap_or(&"nothing more")
                ));
            }
        }
    }
    let more = printed.get(shown.len()).filter(|_| !open)?;
    Some(format!("not shown: {more}"))
}

#[test]
fn messages_of_the_page_on_troubles_are_what_is_printed() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/troubleshooting.md");
    let page = std::fs::read_to_string(page).unwrap();
    let commands = shown(&page);
    assert!(commands.len() >= 8, "{} commands", commands.len());
    let folder = tempfile::tempdir().unwrap();
    // A skeleton that is nobody's, and a file in the way.
    std::fs::write(folder.path().join("take.bvh"), two_joints("box", "lid")).unwrap();
    for command in commands {
        assert_eq!(command.words[0], "kinograd", "line {}", command.line);
        let args: Vec<&str> = command.words[1..].iter().map(String::as_str).collect();
        let run = kinograd(folder.path(), &args);
        let printed = format!("{}{}", run.stderr, run.stdout);
        if let Some(difference) = difference(&printed, &command.output) {
            panic!(
                "docs/troubleshooting.md:{}: {}\n{difference}\n\nall of it:\n{printed}",
                command.line,
                command.words.join(" ")
            );
        }
    }
}

#[test]
fn another_message_is_found() {
    let page = "text\n```console\n$ kinograd generate \"a person\" --n 2\nerror: no [..] at [..].\n[...]\n$ kinograd x\n```\n$ not this\n";
    let commands = shown(page);
    assert_eq!(commands.len(), 2);
    assert_eq!(
        commands[0].words,
        ["kinograd", "generate", "a person", "--n", "2"]
    );
    let first = &commands[0].output;
    assert_eq!(difference("error: no way at all.\nmore\n", first), None);
    assert!(difference("error: no way at all\n", first).is_some());
    assert!(difference("", first).is_some());
    assert_eq!(difference("", &commands[1].output), None);
    assert!(difference("more\n", &commands[1].output).is_some());
}
