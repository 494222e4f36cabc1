//! The binary from outside: exit codes, stdout, stderr and files.

mod bad_input;
mod generate;
mod snapshots;
mod support;
