//! Errors as the protocol has them: `{"error": {"code", "message", "details"}}`.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kinograd_files::error_chain;
use serde_json::{Value, json};

/// Seconds after which a client may try again, where nothing better is known.
const RETRY_SECS: u64 = 2;

/// The protocol's codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    SchemaValidation,
    UnknownModel,
    UnsupportedConstraint,
    UnsupportedSegment,
    UnknownJoint,
    InvalidSkeleton,
    FrameOutOfRange,
    InvalidRequest,
    InvalidOptions,
    VersionUnsupported,
    RetargetingUnsupported,
    Unauthorized,
    Forbidden,
    PayloadTooLarge,
    ResourceExhausted,
    InternalError,
    ModelUnavailable,
    Timeout,
}

impl Code {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SchemaValidation => "schema_validation",
            Self::UnknownModel => "unknown_model",
            Self::UnsupportedConstraint => "unsupported_constraint",
            Self::UnsupportedSegment => "unsupported_segment",
            Self::UnknownJoint => "unknown_joint",
            Self::InvalidSkeleton => "invalid_skeleton",
            Self::FrameOutOfRange => "frame_out_of_range",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidOptions => "invalid_options",
            Self::VersionUnsupported => "version_unsupported",
            Self::RetargetingUnsupported => "retargeting_unsupported",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::PayloadTooLarge => "payload_too_large",
            Self::ResourceExhausted => "resource_exhausted",
            Self::InternalError => "internal_error",
            Self::ModelUnavailable => "model_unavailable",
            Self::Timeout => "timeout",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::SchemaValidation => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ResourceExhausted | Self::ModelUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// An answer that refuses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    pub code: Code,
    pub message: String,
    pub details: Value,
    status: StatusCode,
}

impl ApiError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: json!({}),
            status: code.status(),
        }
    }

    pub(crate) fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// The same with a status that HTTP has and the protocol's table of codes does not.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// What is wrong with a value of the body, and where.
    pub(crate) fn schema(place: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let loc: Vec<&str> = place.split('.').filter(|part| !part.is_empty()).collect();
        let said = if place.is_empty() {
            message.clone()
        } else {
            format!("{place}: {message}")
        };
        Self::new(Code::SchemaValidation, said)
            .with(json!({"errors": [{"loc": loc, "msg": message}]}))
    }

    pub(crate) fn envelope(&self) -> Value {
        json!({"error": {"code": self.code.name(), "message": self.message, "details": self.details}})
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.envelope().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        match self.code {
            Code::ResourceExhausted | Code::ModelUnavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_SECS));
            }
            Code::Unauthorized => {
                let scheme = HeaderValue::from_static("Bearer");
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
            _ => {}
        }
        response
    }
}

impl From<kinograd::Error> for ApiError {
    fn from(error: kinograd::Error) -> Self {
        use kinograd::Error;
        let code = match &error {
            Error::Cancelled => Code::ModelUnavailable,
            Error::Task { .. } | Error::Request { .. } | Error::OverBudget(_) => {
                Code::InvalidRequest
            }
            _ => Code::InternalError,
        };
        let mut message = error_chain(&error);
        if code == Code::ModelUnavailable {
            "the server stops; try another, or later".clone_into(&mut message);
        }
        Self::new(code, message)
    }
}
