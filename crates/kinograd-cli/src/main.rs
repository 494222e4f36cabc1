//! The `kinograd` command line.

fn main() {}
