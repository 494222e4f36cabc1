//! Values of a body as types, with errors that name the place.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ApiError;

/// A part of a body. `place`: its path, such as `segments.0`.
pub(super) fn read<T: DeserializeOwned>(value: &Value, place: &str) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let inside = error.path().to_string();
        let place = match inside.as_str() {
            "." => place.to_owned(),
            _ if place.is_empty() => inside,
            _ => format!("{place}.{inside}"),
        };
        ApiError::schema(&place, error.into_inner().to_string())
    })
}

/// The `type` of a segment or constraint.
pub(super) fn kind<'a>(value: &'a Value, place: &str) -> Result<&'a str, ApiError> {
    match value.get("type") {
        Some(Value::String(kind)) => Ok(kind),
        _ => Err(ApiError::schema(
            place,
            "an object with a `type` is expected",
        )),
    }
}

/// The part of an object without its `type`.
pub(super) fn fields(value: &Value) -> Value {
    let mut fields = value.clone();
    if let Some(object) = fields.as_object_mut() {
        object.shift_remove("type");
    }
    fields
}
