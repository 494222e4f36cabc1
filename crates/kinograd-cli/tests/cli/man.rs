//! Manual pages and completions know every command.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{files, kinograd};

/// The commands below a command, as its help lists them, with those below them.
fn listed(folder: &Path, command: &[String]) -> Vec<Vec<String>> {
    let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
    args.push("--help");
    let help = kinograd(folder, &args).ok().stdout;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // A long description goes on further to the right.
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    let mut all = Vec::new();
    for name in names {
        let mut below = command.to_vec();
        below.push(name.to_owned());
        all.extend(listed(folder, &below));
        all.push(below);
    }
    all
}

#[test]
fn each_command_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let run = kinograd(folder.path(), &["man", "share/man1"]).ok();
    let pages = folder.path().join("share/man1");
    let written: BTreeSet<String> = files(&pages).into_iter().collect();
    let commands = listed(folder.path(), &[]);
    assert!(commands.len() > 25, "{commands:?}");
    let names = commands.iter().map(|command| command.join("-"));
    let expected: BTreeSet<String> = names
        .map(|name| format!("kinograd-{name}.1"))
        .chain(["kinograd.1".to_owned()])
        .collect();
    assert_eq!(written, expected);
    assert_eq!(
        (run.stdout.as_str(), run.stderr),
        ("", format!("{} pages in share/man1\n", expected.len()))
    );

    for command in &commands {
        let name = command.join("-");
        let page = std::fs::read_to_string(pages.join(format!("kinograd-{name}.1"))).unwrap();
        assert!(
            page.contains(&format!(".TH kinograd-{name} 1")),
            "{name}:\n{page}"
        );
        assert!(page.contains(".SH DESCRIPTION"), "{name}:\n{page}");
    }
    // What the help says of options is in the page; a hyphen is `\-` there.
    let page = std::fs::read_to_string(pages.join("kinograd-generate.1")).unwrap();
    for word in [r"\-\-obstacle", r"\-\-best\-of", "EXTRA"] {
        assert!(page.contains(word), "no {word} in:\n{page}");
    }
    // Written again over the first.
    kinograd(folder.path(), &["man", "share/man1", "-q"]).ok();
    assert_eq!(files(&pages).len(), expected.len());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("taken"), "").unwrap();
    let run = kinograd(folder.path(), &["man", "taken"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.starts_with("error: cannot write taken\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn completions_know_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let commands = listed(folder.path(), &[]);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = kinograd(folder.path(), &["completions", shell]).ok().stdout;
        for command in &commands {
            let name = command.last().unwrap();
            assert!(script.contains(name.as_str()), "{shell}: {command:?}");
        }
        assert!(script.contains("obstacle"), "{shell}");
    }
}
