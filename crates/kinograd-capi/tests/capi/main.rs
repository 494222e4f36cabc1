//! The C library: its header, its symbols, C and C++ programs that use it, and what it does with
//! input that is wrong, from one thread and from several.

#![expect(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the calls of a C program, with pointers to what lives beside them; tests fail by panicking"
)]

mod bad_input;
mod clips;
mod csharp;
mod header;
mod hostile;
mod jobs;
mod programs;
mod support;
