//! The server over HTTP, as its clients see it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail by panicking"
)]

mod bad_input;
mod clients;
mod generate;
mod idempotency;
mod jobs;
mod model;
mod mutated;
mod support;
