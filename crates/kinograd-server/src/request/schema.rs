//! The request as a whole.

use kinograd::task::MAX_PROMPT_CHARS;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::constraints::{self, Constraint};
use super::extension::Extension;
use super::form::read;
use super::options::Options;
use super::segments::{self, Segment};
use super::skeleton::RequestSkeleton;
use crate::error::{ApiError, Code};
use crate::limits::{FPS, Limits};
use crate::model::ModelInfo;

/// The versions that are spoken.
const MAJOR: u64 = 1;

/// A request that the model takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub skeleton: RequestSkeleton,
    pub segments: Vec<Segment>,
    pub constraints: Vec<Constraint>,
    /// Frames of the answer.
    pub frames: usize,
    pub fps: f64,
    pub options: Options,
    pub extension: Extension,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(rename = "protocol_version")]
    _version: IgnoredAny,
    model: String,
    skeleton: Value,
    #[serde(default)]
    segments: Vec<Value>,
    #[serde(default)]
    constraints: Vec<Value>,
    #[serde(default)]
    duration_frames: Option<u64>,
    #[serde(default)]
    timing: Option<Timing>,
    #[serde(default)]
    options: Option<Value>,
    #[serde(default)]
    x_kinograd: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Timing {
    fps: f64,
}

/// A body as JSON.
pub(crate) fn parse_body(body: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| ApiError::schema("", format!("the body is no JSON: {error}")))
}

/// Refuses versions that are not spoken here.
pub(crate) fn check_version(version: Option<&Value>) -> Result<(), ApiError> {
    let text = version.and_then(Value::as_str);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let major = text
        .and_then(|text| text.split_once('.'))
        .filter(|(major, minor)| digits(major) && digits(minor))
        .map(|(major, _)| major.parse::<u64>());
    match major {
        Some(Ok(MAJOR)) => Ok(()),
        Some(_) => Err(ApiError::new(
            Code::VersionUnsupported,
            format!(
                "protocol_version {} is not spoken here",
                text.unwrap_or_default()
            ),
        )
        .with(json!({"supported_majors": [MAJOR.to_string()]}))),
        None => Err(ApiError::schema(
            "protocol_version",
            "a text such as \"1.2\" is expected",
        )),
    }
}

impl Request {
    /// Reads a request and holds it against what the model takes.
    pub(crate) fn read(
        value: &Value,
        model: &ModelInfo,
        limits: &Limits,
    ) -> Result<Self, ApiError> {
        if !value.is_object() {
            return Err(ApiError::schema("", "an object is expected"));
        }
        check_version(value.get("protocol_version"))?;
        for (field, check) in [
            ("segments", segments::check_kinds as fn(&[Value]) -> _),
            ("constraints", constraints::check_kinds),
        ] {
            if let Some(Value::Array(parts)) = value.get(field) {
                check(parts)?;
            }
        }
        let form: Form = read(value, "")?;
        if form.model != model.id {
            let message = format!("model `{}` is not served here", form.model);
            return Err(ApiError::new(Code::UnknownModel, message)
                .with(json!({"available_models": [model.id]})));
        }
        let request = Self::of_form(&form, model)?;
        request.check(model, limits)?;
        Ok(request)
    }

    fn of_form(form: &Form, model: &ModelInfo) -> Result<Self, ApiError> {
        let skeleton = RequestSkeleton::read(&form.skeleton)?;
        let segments = form.segments.iter().enumerate();
        let segments: Vec<Segment> = segments
            .map(|(index, value)| segments::segment(value, index))
            .collect::<Result<_, _>>()?;
        let constraints = form.constraints.iter().enumerate();
        let constraints: Vec<Constraint> = constraints
            .map(|(index, value)| constraints::constraint(value, index))
            .collect::<Result<_, _>>()?;
        let frames = frames(form.duration_frames, &segments, &constraints)?;
        Ok(Self {
            skeleton,
            segments,
            constraints,
            frames: usize::try_from(frames).unwrap_or(usize::MAX),
            fps: form.timing.as_ref().map_or(model.fps, |timing| timing.fps),
            options: Options::read(form.options.as_ref())?,
            extension: Extension::read(form.x_kinograd.as_ref())?,
        })
    }

    fn check(&self, model: &ModelInfo, limits: &Limits) -> Result<(), ApiError> {
        if self.fps <= 0.0 {
            return Err(ApiError::schema("timing.fps", "must be above 0"));
        }
        if !FPS.contains(&self.fps) {
            return Err(invalid(format!(
                "{} frames per second; {} to {} are taken",
                self.fps,
                FPS.start(),
                FPS.end()
            )));
        }
        let (seconds, most) = (self.seconds(), model.max_frames as f64 / model.fps);
        if seconds > most + 1e-9 {
            return Err(invalid(format!(
                "{seconds:.2} s is longer than max_duration_seconds, {most}"
            )));
        }
        for constraint in &self.constraints {
            constraint.check(&self.skeleton, self.frames as u64)?;
        }
        let counts = [
            ("constraints", self.constraints.len(), limits.constraints),
            ("samples", self.options.samples, limits.samples),
        ];
        for (what, count, most) in counts {
            if count > most {
                return Err(invalid(format!("{count} {what}; at most {most} are taken")));
            }
        }
        for prompt in self.segments.iter().filter_map(|s| s.prompt.as_ref()) {
            let chars = prompt.chars().count();
            if chars > MAX_PROMPT_CHARS {
                return Err(invalid(format!(
                    "a prompt of {chars} characters; max_prompt_length is {MAX_PROMPT_CHARS}"
                )));
            }
        }
        if self.options.is_loop && self.segments.len() != 1 {
            return Err(invalid("options.loop needs exactly one segment".to_owned()));
        }
        Ok(())
    }

    /// Length of the answer, seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.frames as f64 / self.fps
    }
}

fn frames(
    stated: Option<u64>,
    segments: &[Segment],
    constraints: &[Constraint],
) -> Result<u64, ApiError> {
    let place = "duration_frames";
    match (stated, segments.is_empty()) {
        (_, true) if constraints.is_empty() => Err(ApiError::schema(
            "",
            "segments or constraints are needed: both are empty",
        )),
        (None, true) => Err(ApiError::schema(
            place,
            "is needed where there are no segments",
        )),
        (Some(0), true) => Err(ApiError::schema(place, "must be above 0")),
        (Some(frames), true) => Ok(frames),
        (Some(_), false) => Err(ApiError::schema(place, "is not taken beside segments")),
        (None, false) => Ok(segments
            .iter()
            .fold(0, |sum: u64, segment| sum.saturating_add(segment.frames))),
    }
}

fn invalid(message: String) -> ApiError {
    ApiError::new(Code::InvalidOptions, message)
}
