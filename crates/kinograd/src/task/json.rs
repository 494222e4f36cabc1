//! The JSON form: reading with errors that help.

use std::path::Path;

use kinograd_files::Budget;
use serde::de::DeserializeOwned;

use super::limits::SCHEMA;
use crate::Error;

pub(crate) fn schema() -> u32 {
    SCHEMA
}

pub(crate) fn parse<S: DeserializeOwned>(json: &str) -> Result<S, Error> {
    serde_json::from_str(json).map_err(|error| explained(&error))
}

pub(crate) fn read<T>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, Error>,
) -> Result<T, Error> {
    let fail = |source: Box<dyn std::error::Error + Send + Sync>| Error::Read {
        path: path.to_path_buf(),
        source,
    };
    let text = kinograd_files::read_text(path, Budget::of_process())
        .map_err(|error| fail(Box::new(error.into_io())))?;
    parse(&text).map_err(|error| fail(Box::new(error)))
}

/// A JSON error with the nearest known name, where serde lists the known ones.
fn explained(error: &serde_json::Error) -> Error {
    let message = error.to_string();
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let unknown = message.contains("unknown field") || message.contains("unknown variant");
    let nearest = match names.split_first() {
        Some((name, known)) if unknown => {
            kinograd_guidance::nearest_name(name, known.iter().copied())
        }
        _ => None,
    };
    Error::Json {
        message: match nearest {
            Some(nearest) => format!("{message}; did you mean `{nearest}`?"),
            None => message,
        },
    }
}
