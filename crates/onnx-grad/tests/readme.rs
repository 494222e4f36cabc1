//! The table of ops in the README is the one that the code gives, and each rule says where its op is
//! specified.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may; the lint only sees functions marked as tests"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use onnx_grad::supported_ops;

const BEGIN: &str = "<!-- ops: begin -->\n";
const END: &str = "<!-- ops: end -->";

fn table() -> String {
    let mut ops: Vec<_> = supported_ops().collect();
    ops.sort_by_key(|op| (op.domain, op.name));
    let zeros = ops.iter().filter(|op| op.is_zero).count();
    let refused = ops.iter().filter(|op| op.is_refused).count();
    let mut text = format!(
        "{} ops have a gradient rule, {zeros} have derivative zero, {refused} are refused with advice where a \
         chosen input reaches them.\n\n| op | gradient | limits |\n|---|---|---|\n",
        ops.len() - zeros - refused
    );
    for op in ops {
        let name = if op.domain.is_empty() {
            op.name.to_owned()
        } else {
            format!("{}.{}", op.domain, op.name)
        };
        let kind = match (op.is_zero, op.is_refused) {
            (true, _) => "zero",
            (_, true) => "refused",
            _ => "rule",
        };
        writeln!(text, "| {name} | {kind} | {} |", op.limits).unwrap();
    }
    text
}

#[test]
fn the_table_of_ops_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (head, rest) = readme.split_once(BEGIN).unwrap();
    let (old, tail) = rest.split_once(END).unwrap();
    let new = table();
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, format!("{head}{BEGIN}{new}{END}{tail}")).unwrap();
    } else {
        assert!(
            old == new,
            "run this test with UPDATE_README=1; the table should be\n{new}"
        );
    }
}

/// The source files of the rules.
fn rules(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rules(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn each_rule_opens_with_its_specification_and_opsets() {
    const ALL: &str = "https://onnx.ai/onnx/operators/)";
    const CONTRIB: &str = "docs/ContribOperators.md)";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let mut found = Vec::new();
    for path in rules(&root) {
        let text = fs::read_to_string(&path).unwrap();
        let Some((head, _)) = text.split_once("\n\n") else {
            continue;
        };
        // The names of the registry's entries: `Op::new("Abs", …`, on one line or two.
        let entries = ["Op::new(", "Op::zero(", "Op::refused("];
        let entries = entries.iter().flat_map(|entry| text.split(entry).skip(1));
        for entry in entries {
            let Some(name) = entry.trim_start().strip_prefix('"') else {
                continue;
            };
            let name = name.split('"').next().unwrap();
            found.push(name.to_owned());
            let own = format!("[{name}](https://onnx.ai/onnx/operators/onnx__{name}.html)");
            let standard = head.contains(&own) || head.contains(ALL);
            let (link, opsets) = if head.contains(CONTRIB) {
                (true, head.contains("version 1 of the domain"))
            } else {
                (standard, head.contains("\n//! Opsets"))
            };
            assert!(link, "{}: no link to {name}", path.display());
            assert!(opsets, "{}: no opsets", path.display());
        }
    }
    for op in supported_ops() {
        assert!(found.iter().any(|name| name == op.name), "{}", op.name);
    }
}
