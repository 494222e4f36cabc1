//! The binary from outside: exit codes, stdout, stderr and files.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod bad_input;
mod bench;
mod commands;
mod diagnose;
mod documents;
mod generate;
mod hostile;
mod image;
mod image_families;
mod man;
mod mdm;
mod optimize;
mod render;
mod rig;
mod snapshots;
mod support;
