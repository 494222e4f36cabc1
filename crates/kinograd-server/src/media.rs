//! The form of an answer.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::gltf::Document;

/// In which form a clip is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Binary,
}

/// A whole answer, ready to be sent, once or again.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub media_type: &'static str,
    pub body: Bytes,
}

impl Media {
    /// What a client prefers; JSON where it says nothing.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut best = (Self::Json, 0.0);
        for value in headers.get_all(header::ACCEPT) {
            for part in value.to_str().unwrap_or_default().split(',') {
                let mut fields = part.split(';').map(str::trim);
                let media = match fields.next() {
                    Some("model/gltf-binary") => Self::Binary,
                    Some("model/gltf+json" | "application/json" | "model/*" | "*/*") => Self::Json,
                    _ => continue,
                };
                let quality = fields.find_map(|field| field.strip_prefix("q="));
                let quality = quality.map_or(1.0, |text| text.parse().unwrap_or(0.0));
                if quality > best.1 {
                    best = (media, quality);
                }
            }
        }
        best.0
    }

    /// A clip in this form.
    pub(crate) fn answer(self, document: &Document) -> Answer {
        match self {
            Self::Json => Answer {
                media_type: "model/gltf+json",
                body: document.to_json().to_string().into(),
            },
            Self::Binary => Answer {
                media_type: "model/gltf-binary",
                body: document.to_glb().into(),
            },
        }
    }
}

impl Answer {
    /// A document.
    pub(crate) fn json(document: &serde_json::Value) -> Self {
        Self {
            media_type: "application/json",
            body: document.to_string().into(),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        let media_type = HeaderValue::from_static(self.media_type);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_that_is_asked_for_is_given() {
        let of = |accept: &str| {
            Media::of(&HeaderMap::from_iter([(
                header::ACCEPT,
                accept.parse().unwrap(),
            )]))
        };
        let sdk = "model/gltf+json, application/json, model/gltf-binary;q=0.9";
        for (accept, media) in [
            ("model/gltf-binary", Media::Binary),
            (sdk, Media::Json),
            (
                "model/gltf+json;q=0.5, model/gltf-binary; q=0.9",
                Media::Binary,
            ),
            ("*/*", Media::Json),
            ("text/html", Media::Json),
            ("model/gltf-binary;q=0", Media::Json),
        ] {
            assert_eq!(of(accept), media, "{accept}");
        }
        assert_eq!(Media::of(&HeaderMap::new()), Media::Json);
    }
}
