//! The committed header is the one that the sources make, and says something of every function.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kinograd_testkit::skip;

use crate::programs::library;

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include/kinograd.h")
}

#[test]
fn the_header_is_that_of_the_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    let builder = cbindgen::Builder::new().with_crate(folder);
    let mut made = Vec::new();
    builder
        .with_config(config)
        .generate()
        .unwrap()
        .write(&mut made);
    if std::env::var_os("KINOGRAD_HEADER").is_some_and(|value| value == "write") {
        fs::write(committed(), &made).unwrap();
    }
    let made = String::from_utf8(made).unwrap();
    let stands = fs::read_to_string(committed()).unwrap_or_default();
    let differs = made.lines().zip(stands.lines()).find(|(a, b)| a != b);
    assert!(
        made == stands,
        "include/kinograd.h is not what the sources make, first at {differs:?}; \
         KINOGRAD_HEADER=write cargo test -p kinograd-capi header writes it"
    );
}

/// Functions of the header; each has a comment above it that says from which threads it is called.
fn declared() -> BTreeSet<String> {
    let text = fs::read_to_string(committed()).unwrap();
    let mut names = BTreeSet::new();
    let mut comment = String::new();
    let mut declaration = String::new();
    for line in text.lines() {
        if let Some(words) = line.strip_prefix("//") {
            comment.push_str(words);
            declaration.clear();
            continue;
        }
        declaration.push_str(line);
        declaration.push(' ');
        if !line.ends_with(';') && !line.is_empty() {
            continue;
        }
        let name = declaration.split('(').next().unwrap_or_default();
        let name = name.rsplit([' ', '*']).next().unwrap_or_default();
        let is_function = declaration.contains(");") && !declaration.contains("typedef");
        if is_function && name.starts_with("kg_") {
            assert!(comment.len() > 20, "{name} has no comment");
            assert!(comment.contains("Any thread may call"), "{name}: {comment}");
            names.insert(name.to_owned());
        }
        comment.clear();
        declaration.clear();
    }
    names
}

#[test]
fn every_symbol_is_declared_and_every_declaration_is_a_symbol() {
    let declared = declared();
    assert!(declared.len() > 50, "{declared:?}");
    let nm = Command::new("nm");
    let Ok(output) = { nm }
        .args(["--dynamic", "--defined-only", "--format=posix"])
        .arg(library())
        .output()
    else {
        return skip("nm", "it lists the symbols of a library");
    };
    assert!(output.status.success(), "{output:?}");
    let output = String::from_utf8(output.stdout).unwrap();
    let symbols: BTreeSet<String> = output
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(|name| name.split('@').next().unwrap_or(name).to_owned())
        .collect();
    assert_eq!(symbols, declared);
}
