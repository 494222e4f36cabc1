//! What is wrong with a file.

use std::path::Path;

use kinograd_motion::MotionError;

/// The error of a file that is not as it should be.
pub(super) fn bad(message: &str) -> MotionError {
    MotionError::Format {
        format: "FBX",
        message: message.to_owned(),
    }
}

/// Errors with the file's name.
pub(super) fn named<T>(path: &Path, result: Result<T, MotionError>) -> Result<T, MotionError> {
    result.map_err(|error| match error {
        MotionError::Format { format, message } => MotionError::Format {
            format,
            message: format!("{}: {message}", path.display()),
        },
        other => other,
    })
}
