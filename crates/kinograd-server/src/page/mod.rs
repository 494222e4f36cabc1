//! The page at `/`: what the server does, for people. It loads nothing from elsewhere.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::media::Answer;
use crate::state::State;

/// What the page may load and ask for: this server alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page's files.
pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route(
            "/",
            get(|| async { file("text/html; charset=utf-8", include_str!("index.html")) }),
        )
        .route(
            "/page.css",
            get(|| async { file("text/css; charset=utf-8", include_str!("page.css")) }),
        )
        .route(
            "/page.js",
            get(|| async { file("text/javascript; charset=utf-8", include_str!("page.js")) }),
        )
        .route(
            "/clip.js",
            get(|| async { file("text/javascript; charset=utf-8", include_str!("clip.js")) }),
        )
        .route(
            "/stage.js",
            get(|| async { file("text/javascript; charset=utf-8", include_str!("stage.js")) }),
        )
}

fn file(media_type: &'static str, text: &'static str) -> Response {
    let answer = Answer {
        media_type,
        body: text.into(),
    };
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
