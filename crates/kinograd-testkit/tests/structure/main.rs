//! The structure of the workspace: no circles of files within a crate, no dependency that runs
//! upwards between crates. Tests are exempt.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod circles;
mod imports;
mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kinograd_testkit::workspace;

use crate::circles::{circle, knots};
use crate::imports::{Imports, imports};
use crate::modules::Crate;

/// Folders of the workspace's crates, by name.
fn crates() -> BTreeMap<String, PathBuf> {
    let folders = fs::read_dir(workspace().join("crates")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    folders
        .filter(|folder| folder.join("Cargo.toml").is_file())
        .map(|folder| {
            (
                folder.file_name().unwrap().to_string_lossy().into_owned(),
                folder,
            )
        })
        .collect()
}

/// A file's name within its crate.
fn name(all: &Crate, file: usize) -> String {
    let path = &all.files[file];
    let within = path.iter().skip_while(|part| *part != "src").skip(1);
    within.collect::<PathBuf>().display().to_string()
}

/// What ties a knot, in words.
fn told(all: &Crate, imports: &Imports, knot: &BTreeSet<usize>) -> String {
    let around = circle(imports, knot);
    let mut text = format!(
        "{} files import each other; a shortest circle:\n",
        knot.len()
    );
    for (index, &from) in around.iter().enumerate() {
        let to = around[(index + 1) % around.len()];
        let names: Vec<&str> = imports[&(from, to)].iter().map(String::as_str).collect();
        let (from, to) = (name(all, from), name(all, to));
        writeln!(text, "  {from} takes {} from {to}", names.join(", ")).unwrap();
    }
    let files: Vec<String> = knot.iter().map(|&file| name(all, file)).collect();
    writeln!(text, "  all of them: {}", files.join(" ")).unwrap();
    text
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut faults = String::new();
    for (crate_name, folder) in crates() {
        for root in ["src/lib.rs", "src/main.rs"] {
            let root = folder.join(root);
            if !root.is_file() {
                continue;
            }
            let all = Crate::read(&root);
            let imports = imports(&all);
            for knot in knots(&imports) {
                write!(faults, "{crate_name}: {}", told(&all, &imports, &knot)).unwrap();
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// What each crate may import, in the order of ARCHITECTURE.md's table.
fn allowed() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap();
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| crate |"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let full = |name: &str| match name {
            "kinograd" | "onnx-grad" => name.to_owned(),
            other => format!("kinograd-{other}"),
        };
        let names = cells[cells.len() - 1]
            .split(", ")
            .filter(|name| *name != "–");
        (
            cells[0].trim_matches('`').to_owned(),
            names.map(full).collect(),
        )
    })
    .collect()
}

/// Crates of this workspace under `[dependencies]`.
fn dependencies(folder: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let lines = text.lines().skip_while(|line| *line != "[dependencies]");
    let lines = lines.skip(1).take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next());
    let ours = names.filter(|name| *name == "onnx-grad" || name.starts_with("kinograd"));
    ours.map(str::to_owned).collect()
}

#[test]
fn no_crate_imports_upwards() {
    let table = allowed();
    let listed: BTreeSet<&String> = table.iter().map(|(name, _)| name).collect();
    let crates = crates();
    assert_eq!(listed, crates.keys().collect(), "crates in ARCHITECTURE.md");
    let mut above = BTreeSet::new();
    for (name, may_import) in &table {
        for other in may_import {
            assert!(
                above.contains(other),
                "{name} may import {other}, which stands below it"
            );
        }
        let does: BTreeSet<String> = dependencies(&crates[name]);
        let may = may_import.iter().cloned().collect();
        assert_eq!(does, may, "{name}: Cargo.toml, and ARCHITECTURE.md's table");
        above.insert(name.clone());
    }
}

/// Imports of a crate that is written to a folder, as names of files.
fn imports_of(files: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    let folder = std::env::temp_dir().join(format!("structure-{}", std::process::id()));
    let source = folder.join("src");
    for (name, text) in files {
        let path = source.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let all = Crate::read(&source.join("lib.rs"));
    let found = imports(&all);
    fs::remove_dir_all(&folder).unwrap();
    let pair = |&(from, to): &(usize, usize)| (name(&all, from), name(&all, to));
    found.keys().map(pair).collect()
}

#[test]
fn names_are_followed_to_the_file_that_defines_them() {
    let found = imports_of(&[
        ("lib.rs", "mod a; mod b; mod face; pub use face::Deep;"),
        (
            "face/mod.rs",
            "mod deep; mod test_only; pub use deep::Deep; pub(crate) use deep::*;",
        ),
        ("face/deep.rs", "pub struct Deep; pub fn helper() {}"),
        (
            "face/test_only.rs",
            "#[cfg(test)] mod tests { use crate::a::A; }",
        ),
        (
            "a.rs",
            "use crate::Deep; use crate::face; pub struct A(Deep); fn f() { face::helper() }",
        ),
        (
            "b.rs",
            "use super::a::*; fn f(a: A) { vec![crate::face::helper()]; let a = a; }",
        ),
    ]);
    let pairs: Vec<(&str, &str)> = found.iter().map(|(a, b)| (&**a, &**b)).collect();
    let expected = [
        ("a.rs", "face/deep.rs"),
        ("a.rs", "face/mod.rs"),
        ("b.rs", "a.rs"),
        ("b.rs", "face/deep.rs"),
    ];
    assert_eq!(pairs, expected);
}

#[test]
fn the_shortest_circle_is_told_in_order() {
    let name = |text: &str| BTreeSet::from([text.to_owned()]);
    let pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (2, 1), (4, 0)];
    let imports: Imports = pairs.iter().map(|&pair| (pair, name("x"))).collect();
    let knots = knots(&imports);
    assert_eq!(knots, [BTreeSet::from([0, 1, 2, 3])]);
    assert_eq!(circle(&imports, &knots[0]), [1, 2]);
}
