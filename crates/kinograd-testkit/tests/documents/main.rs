//! The documents: every page is in the book, every link and anchor leads to something, and the files and commits that
//! the pages for contributors name are there.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod markdown;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use kinograd_testkit::workspace;

use crate::markdown::{anchors, links, spans};

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Markdown files below a folder, without what is built or belongs to a tool.
fn pages_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_symlink() || matches!(&*name, "target" | ".git" | ".venv" | "node_modules") {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(".md") {
                found.insert(path);
            }
        }
    }
    found
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// What is wrong with a link of a page, if anything.
fn fault_of_link(page: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target
        .split_once('#')
        .map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = if path.is_empty() {
        page.to_path_buf()
    } else {
        plain(&page.parent().unwrap().join(path))
    };
    if !path.exists() {
        return Some("no such file".to_owned());
    }
    let anchor = anchor?;
    // A folder shows its README.
    let path = if path.is_dir() {
        path.join("README.md")
    } else {
        path
    };
    let known = path.extension().is_some_and(|extension| extension == "md");
    if !known {
        return Some("an anchor in what is no page".to_owned());
    }
    (!anchors(&read(&path)).contains(anchor)).then(|| format!("the page has no heading `{anchor}`"))
}

#[test]
fn links_lead_somewhere() {
    let root = workspace();
    let pages = pages_below(&root);
    let mut checked = 0;
    let mut faults = Vec::new();
    for page in &pages {
        for (line, target) in links(&read(page)) {
            checked += 1;
            if let Some(fault) = fault_of_link(page, &target) {
                let name = page.strip_prefix(&root).unwrap().display();
                faults.push(format!("{name}:{line}: {target}: {fault}"));
            }
        }
    }
    assert!(checked > 100, "only {checked} links were found");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn each_page_is_in_the_book_once() {
    let docs = workspace().join("docs");
    let summary = docs.join("SUMMARY.md");
    let listed: Vec<PathBuf> = links(&read(&summary))
        .into_iter()
        .map(|(_, target)| plain(&docs.join(target)))
        .collect();
    let once: BTreeSet<PathBuf> = listed.iter().cloned().collect();
    assert_eq!(
        once.len(),
        listed.len(),
        "a page is in SUMMARY.md twice: {listed:?}"
    );
    let mut pages = pages_below(&docs);
    pages.remove(&summary);
    assert_eq!(pages, once, "pages in docs, and pages in docs/SUMMARY.md");
}

/// The pages for contributors.
fn for_contributors() -> BTreeSet<PathBuf> {
    let root = workspace();
    let mut pages = pages_below(&root.join("docs/contributing"));
    assert!(pages.len() >= 6, "{pages:?}");
    pages.insert(root.join("CONTRIBUTING.md"));
    pages
}

/// A path as the pages write it: from the repository's folder, or from `crates`.
fn names_a_file(root: &Path, span: &str) -> bool {
    [root.join(span), root.join("crates").join(span)]
        .iter()
        .any(|path| path.exists())
}

/// Whether a span of code is a path of this repository, and no pattern, command or media type.
fn is_path(span: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    span.contains('/') && !span.starts_with('/') && span.chars().all(plain)
}

#[test]
fn files_that_contributors_are_sent_to_exist() {
    let root = workspace();
    let mut named = 0;
    let mut faults = Vec::new();
    for page in for_contributors() {
        for (line, span) in spans(&read(&page)) {
            if is_path(&span) {
                named += 1;
                if !names_a_file(&root, &span) {
                    faults.push(format!("{}:{line}: no file `{span}`", page.display()));
                }
            }
        }
    }
    assert!(named > 50, "only {named} paths were found");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(workspace())
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// Whether a span of code is a commit's name.
fn is_commit(span: &str) -> bool {
    (7..=40).contains(&span.len()) && span.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

#[test]
fn commits_that_are_examples_exist() {
    if git(&["rev-parse", "--is-shallow-repository"]).as_deref() != Some("false") {
        kinograd_testkit::skip("history", "a checkout with all of its commits");
        return;
    }
    let mut named = 0;
    for page in for_contributors() {
        for (line, span) in spans(&read(&page)) {
            if is_commit(&span) {
                named += 1;
                let found = git(&["cat-file", "-e", &format!("{span}^{{commit}}")]);
                assert!(
                    found.is_some(),
                    "{}:{line}: no commit {span}",
                    page.display()
                );
            }
        }
    }
    assert!(named >= 6, "only {named} commits were found");
}

/// The value of a line `key = "value"`.
fn value(text: &str, key: &str) -> String {
    let start = format!("{key} = \"");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(start.as_str()));
    line.unwrap_or_else(|| panic!("no {key}"))
        .trim_end_matches('"')
        .to_owned()
}

/// Every check runs with the oldest compiler that is promised.
#[test]
fn the_toolchain_is_the_least_rust_version() {
    let root = workspace();
    let least = value(&read(&root.join("Cargo.toml")), "rust-version");
    let channel = value(&read(&root.join("rust-toolchain.toml")), "channel");
    assert_eq!(format!("{least}.0"), channel);
    assert!(read(&root.join("CONTRIBUTING.md")).contains(&format!("Rust {least}")));
}

#[test]
fn what_leads_nowhere_is_found() {
    let page = workspace().join("docs/concepts.md");
    let fault = |target: &str| fault_of_link(&page, target);
    assert_eq!(fault("../README.md"), None);
    assert_eq!(fault("../README.md#limits"), None);
    assert_eq!(fault("https://nowhere.example/#x"), None);
    assert_eq!(fault("../assets/walk.png"), None);
    assert_eq!(fault("../assets/bench#pictures"), None);
    assert!(fault("../assets/bench#pikchers").is_some());
    assert!(fault("../READMI.md").is_some());
    assert!(fault("../README.md#limit").is_some());
    assert!(fault("#no-such-heading").is_some());
    assert!(fault("../LICENSE-MIT#x").is_some());

    let root = workspace();
    for (span, is) in [
        ("kinograd-files/src/lib.rs", true),
        ("docs/concepts.md", true),
        ("docs/consepts.md", false),
    ] {
        assert!(is_path(span));
        assert_eq!(names_a_file(&root, span), is, "{span}");
    }
    for other in [
        "cargo test",
        "src/<op>.rs",
        "/metrics",
        "README.md",
        "op_*/make.py",
    ] {
        assert!(!is_path(other), "{other}");
    }
    assert!(is_commit("6069057") && !is_commit("606905") && !is_commit("6069057z"));
}
