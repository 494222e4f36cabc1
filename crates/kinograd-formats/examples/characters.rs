//! Writes characters of several naming conventions, to try `kinograd generate --rig` on:
//! `cargo run -p kinograd-formats --example characters FOLDER`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what it shares with tests fails by panicking; it says what it wrote"
)]

#[path = "../tests/rigs/build.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod build;

use std::path::PathBuf;

fn main() {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        println!("usage: characters FOLDER");
        return;
    };
    for convention in &build::CONVENTIONS {
        let path = folder.join(format!("{}.glb", convention.name));
        convention.write(&path);
        println!("{}", path.display());
    }
}
