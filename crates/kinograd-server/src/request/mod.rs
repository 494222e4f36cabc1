//! A request of the protocol: its form, and its check against what the model takes.

pub(crate) mod constraints;
mod extension;
mod form;
pub(crate) mod options;
mod schema;
pub(crate) mod segments;
pub(crate) mod skeleton;

pub(crate) use schema::{Request, check_version, parse_body};
