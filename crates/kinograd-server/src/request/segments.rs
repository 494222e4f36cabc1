//! Segments: what is done, one after the other.

use serde::Deserialize;
use serde_json::{Value, json};

use super::form::{fields, kind, read};
use super::options::Seed;
use crate::error::{ApiError, Code};

/// The kinds that are taken.
pub(crate) const SUPPORTED: [&str; 2] = ["text", "unconditioned"];
/// Those that the protocol knows besides.
const OTHERS: [&str; 3] = ["pose", "motion_reference", "video_reference"];

/// A part of the timeline.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Segment {
    /// What is done; `None` leaves it to the model.
    pub prompt: Option<String>,
    pub frames: u64,
    pub seed: Option<Seed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextForm {
    prompt: String,
    duration_frames: u64,
    #[serde(default)]
    seed: Option<Seed>,
    /// Prompts are read as English, whatever it says.
    #[serde(default, rename = "language")]
    _language: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnconditionedForm {
    duration_frames: u64,
    #[serde(default)]
    seed: Option<Seed>,
}

/// Refuses kinds that the protocol knows and the model does not take, before their fields are read.
pub(super) fn check_kinds(segments: &[Value]) -> Result<(), ApiError> {
    for segment in segments {
        let kind = segment.get("type").and_then(Value::as_str);
        if let Some(kind) = kind.filter(|kind| OTHERS.contains(kind)) {
            return Err(ApiError::new(
                Code::UnsupportedSegment,
                format!("segments of type `{kind}` are not supported by this model"),
            )
            .with(json!({"supported_segments": SUPPORTED})));
        }
    }
    Ok(())
}

/// Reads a segment.
pub(super) fn segment(value: &Value, index: usize) -> Result<Segment, ApiError> {
    let place = format!("segments.{index}");
    let segment = match kind(value, &place)? {
        "text" => {
            let form: TextForm = read(&fields(value), &place)?;
            if form.prompt.is_empty() {
                return Err(ApiError::schema(&format!("{place}.prompt"), "is empty"));
            }
            Segment {
                prompt: Some(form.prompt),
                frames: form.duration_frames,
                seed: form.seed,
            }
        }
        "unconditioned" => {
            let form: UnconditionedForm = read(&fields(value), &place)?;
            Segment {
                prompt: None,
                frames: form.duration_frames,
                seed: form.seed,
            }
        }
        other => {
            let message = format!("no segment has the type `{other}`");
            return Err(ApiError::schema(&format!("{place}.type"), message));
        }
    };
    if segment.frames == 0 {
        let place = format!("{place}.duration_frames");
        return Err(ApiError::schema(&place, "must be above 0"));
    }
    Ok(segment)
}
