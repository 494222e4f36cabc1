//! The server over HTTP, as its clients see it.

mod bad_input;
mod clients;
mod generate;
mod idempotency;
mod jobs;
mod model;
mod support;
