//! What the person does.

use serde::{Deserialize, Serialize};

use super::limits::MAX_PROMPT_CHARS;
use super::refuse::refuse;
use crate::Error;

/// What the person does, from when to when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// The words, in English.
    pub text: String,
    /// Start, seconds; where the prompt before ends if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_secs: Option<f64>,
    /// End, seconds; where the next begins, or the clip ends, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_secs: Option<f64>,
}

impl Prompt {
    /// For the whole clip, or as far as its neighbours leave it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            from_secs: None,
            to_secs: None,
        }
    }
}

/// Leaves out the blanks around a prompt and the full stops and exclamation marks at its end: the text
/// encoders' captions have none, and read them as words.
pub(crate) fn normalize_text(text: &mut String) {
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '.' | '!' | '。' | '！');
    let kept = text.trim_start().trim_end_matches(is_mark);
    if kept.len() != text.len() {
        *text = kept.to_owned();
    }
}

/// Checks the words of a prompt; pictures have the same limits.
pub(crate) fn check_text(path: &str, text: &str) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(refuse(path, "is empty"));
    }
    let chars = text.chars().count();
    if chars > MAX_PROMPT_CHARS {
        let message = format!("has {chars} characters; at most {MAX_PROMPT_CHARS} are read");
        return Err(refuse(path, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Task;

    #[test]
    fn a_prompt_is_the_same_with_and_without_a_final_mark() {
        let plain = Task::builder("a person walks. then sits").build().unwrap();
        for ending in [".", "!", " ", " .", "...", "!!\n", ". "] {
            let marked = Task::builder(format!(" a person walks. then sits{ending}"));
            assert_eq!(marked.build().unwrap(), plain, "{ending:?}");
        }
        let error = Task::builder(" ..! ").build().unwrap_err().to_string();
        assert!(error.contains("prompts[0].text: is empty"), "{error}");
    }
}
