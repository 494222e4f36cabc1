//! Tasks, as JSON.

use kinograd::{Error, Task, TaskSpec};
use pyo3::prelude::*;

use crate::error::{Failure, refused_task};

/// Reads and checks a task.
///
/// # Errors
/// `kinograd.TaskError` with the field's path, also where a field has another type or is unknown.
pub(crate) fn parse_task(json: &str) -> Result<Task, Failure> {
    Task::from_json(json).map_err(|error| match error {
        Error::Json { message } => refused_task(&path_of_fault(json), &message).into(),
        other => other.into(),
    })
}

/// Which field stops serde; empty for the document itself.
fn path_of_fault(json: &str) -> String {
    let mut reader = serde_json::Deserializer::from_str(json);
    let read: Result<TaskSpec, _> = serde_path_to_error::deserialize(&mut reader);
    let path = read.err().map(|error| error.path().to_string());
    // `?` and `.` are serde's words for the document.
    path.filter(|path| !matches!(&**path, "." | "?"))
        .unwrap_or_default()
}

/// The task as it is understood: checked, with every field that has a default.
#[pyfunction]
pub(crate) fn check_task(json: &str) -> PyResult<String> {
    let task = parse_task(json)?;
    Ok(task.to_json().map_err(Failure::from)?)
}
