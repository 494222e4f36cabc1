//! A task of a batch: its id and what it says.

use kinograd::Task;
use kinograd_files::error_chain;
use serde_json::Value;

use crate::shard::seed_of;

/// Longest id: file names are made of it.
const MAX_ID_BYTES: usize = 128;
/// Longest label.
const MAX_LABEL_BYTES: usize = 128;

/// A task of a batch.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Line {
    /// Where it stands in its source, from 1.
    pub number: u64,
    /// Its name, unique in the batch; also the stem of its sample's files.
    pub id: String,
    /// What its clip is counted as, if anything.
    pub label: Option<String>,
    /// The task itself, not yet checked.
    pub task: Value,
}

/// A line that is no task.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BadLine {
    /// Where it stands in its source, from 1.
    pub number: u64,
    /// Its id, if it has one.
    pub id: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

impl BadLine {
    /// What its shard is named by.
    #[must_use]
    pub fn key(&self) -> String {
        self.id.clone().unwrap_or_else(|| default_id(self.number))
    }
}

impl Line {
    /// Reads a line of JSON: a task with an `id`, and perhaps a `label`, beside its own fields.
    ///
    /// # Errors
    /// [`BadLine`] if it is no object, its id cannot name a file, or its label is none.
    pub fn parse(number: u64, text: &str) -> Result<Self, BadLine> {
        let bad = |id: Option<&str>, reason: String| BadLine {
            number,
            id: id.map(str::to_owned),
            reason,
        };
        let value: Value =
            serde_json::from_str(text).map_err(|error| bad(None, error.to_string()))?;
        let Value::Object(mut task) = value else {
            return Err(bad(None, "a line is one task, a JSON object".to_owned()));
        };
        let id = match task.remove("id") {
            None => default_id(number),
            Some(Value::String(id)) => id,
            Some(other) => return Err(bad(None, format!("id: {other} is no text"))),
        };
        check_id(&id).map_err(|reason| bad(None, reason))?;
        let label = match task.remove("label") {
            None => None,
            Some(label) => Some(checked_label(&label).map_err(|reason| bad(Some(&id), reason))?),
        };
        Ok(Self {
            number,
            id,
            label,
            task: Value::Object(task),
        })
    }

    /// What is wrong with it.
    pub(crate) fn bad(&self, reason: String) -> BadLine {
        BadLine {
            number: self.number,
            id: Some(self.id.clone()),
            reason,
        }
    }

    /// The checked task, with a seed of its id and the model `model` where it states none.
    ///
    /// # Errors
    /// [`BadLine`] that names the field.
    pub fn checked(&self, model: Option<&str>) -> Result<Task, BadLine> {
        let bad = |reason| self.bad(reason);
        let mut task = self.task.clone();
        let stated = task.pointer("/sampling/seed").is_some();
        if !stated && let Value::Object(fields) = &mut task {
            let empty = Value::Object(serde_json::Map::new());
            let sampling = fields.entry("sampling").or_insert(empty);
            if let Value::Object(sampling) = sampling {
                sampling.insert("seed".to_owned(), seed_of(&self.id).into());
            }
        }
        if let (Some(model), Value::Object(fields)) = (model, &mut task) {
            fields.entry("model").or_insert_with(|| model.into());
        }
        let task = Task::from_json(&task.to_string()).map_err(|error| bad(error_chain(&error)))?;
        if task.sampling.count != 1 {
            return Err(bad(format!(
                "sampling.count: {}: a line makes one sample; use a line for each, or a sweep",
                task.sampling.count
            )));
        }
        if task.optimization.is_some() {
            return Err(bad("optimization: a batch makes clips only".to_owned()));
        }
        Ok(task)
    }
}

/// The id of a line that states none.
pub(crate) fn default_id(number: u64) -> String {
    format!("line-{number:09}")
}

/// WebDataset takes a name up to its first dot for the sample's.
fn check_id(id: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id.is_empty() || id.len() > MAX_ID_BYTES || !id.chars().all(is_plain) {
        return Err(format!(
            "id: `{}`: expected 1 to {MAX_ID_BYTES} letters, digits, - or _",
            kinograd_files::escape(id)
        ));
    }
    Ok(())
}

/// A label as a line or a sweep states it.
pub(crate) fn checked_label(label: &Value) -> Result<String, String> {
    let is_label = |text: &str| {
        !text.trim().is_empty() && text.len() <= MAX_LABEL_BYTES && !text.contains(char::is_control)
    };
    match label {
        Value::String(text) if is_label(text) => Ok(text.clone()),
        other => Err(format!(
            "label: {}: expected a text of 1 to {MAX_LABEL_BYTES} bytes, without control characters",
            kinograd_files::escape(&other.to_string())
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALK: &str = r#""prompts": [{"text": "a person walks"}], "duration_secs": 2"#;

    #[test]
    fn a_seed_that_is_not_stated_is_the_ids() {
        let line = Line::parse(3, &format!(r#"{{"id": "a", {WALK}}}"#)).unwrap();
        assert_eq!(line.checked(None).unwrap().sampling.seed, seed_of("a"));
        let stated = format!(r#"{{"id": "a", {WALK}, "sampling": {{"seed": 7}}}}"#);
        assert_eq!(
            Line::parse(3, &stated)
                .unwrap()
                .checked(None)
                .unwrap()
                .sampling
                .seed,
            7
        );
        let steps = format!(r#"{{{WALK}, "sampling": {{"steps": 5}}}}"#);
        let line = Line::parse(3, &steps).unwrap();
        let task = line.checked(None).unwrap();
        assert_eq!(
            (line.id.as_str(), task.sampling.steps),
            ("line-000000003", Some(5))
        );
        assert_eq!(task.sampling.seed, seed_of("line-000000003"));
    }

    #[test]
    fn bad_lines_say_what_is_wrong() {
        for (text, says) in [
            ("{", "EOF"),
            ("[]", "one task"),
            (r#"{"id": 3}"#, "id: 3"),
            (r#"{"id": "a.b"}"#, "a.b"),
            (r#"{"id": "../a"}"#, "../a"),
            (r#"{"id": "a", "label": 3}"#, "label: 3"),
            (r#"{"id": "a", "label": null}"#, "label: null"),
            (r#"{"id": "a", "label": " "}"#, "label: \" \""),
            (r#"{"id": "a", "label": "a\nb"}"#, "label: "),
        ] {
            let bad = Line::parse(1, text).unwrap_err();
            assert!(bad.reason.contains(says), "{text}: {}", bad.reason);
        }
        for (task, says) in [
            (
                format!(r#"{{"id": "a", {WALK}, "prompt": 1}}"#),
                "unknown field `prompt`",
            ),
            (
                format!(r#"{{"id": "a", {WALK}, "sampling": {{"count": 2}}}}"#),
                "sampling.count: 2",
            ),
            (
                r#"{"id": "a", "prompts": [], "duration_secs": 2}"#.to_owned(),
                "prompts",
            ),
        ] {
            let bad = Line::parse(1, &task).unwrap().checked(None).unwrap_err();
            assert!(bad.reason.contains(says), "{task}: {}", bad.reason);
            assert_eq!(bad.id.as_deref(), Some("a"));
        }
    }
}
