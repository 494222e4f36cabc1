//! Errors that name a field by its path.

use std::ops::RangeInclusive;

use crate::Error;

pub(crate) fn refuse(path: &str, message: impl Into<String>) -> Error {
    Error::Task {
        path: path.to_owned(),
        message: message.into(),
    }
}

pub(crate) fn within(path: &str, value: f64, range: &RangeInclusive<f64>) -> Result<(), Error> {
    // Written so that NaN fails.
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = (range.start(), range.end());
    Err(refuse(path, format!("{value} is outside {low} to {high}")))
}
