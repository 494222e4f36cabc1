//! Which path is answered by what.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::{MatchedPath, Path, Request, State as Shared};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tracing::Instrument;

use crate::auth::{check_origin, check_token};
use crate::capabilities::capabilities;
use crate::error::{ApiError, Code};
use crate::generate::{accepted, generate};
use crate::jobs::Status;
use crate::media::Answer;
use crate::page;
use crate::state::State;
use crate::task::random;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id of a client, bytes.
const MOST_ID_BYTES: usize = 128;

/// All paths.
pub(crate) fn router(state: Arc<State>) -> Router {
    let open = Router::new()
        .route("/healthz", get(health))
        .route("/health", get(health))
        .merge(page::routes());
    let guarded = Router::new()
        .route("/capabilities", get(show_capabilities))
        .route("/generate", post(generate))
        .route("/generate/jobs/{id}", get(job).delete(cancel_job))
        .route("/metrics", get(metrics))
        .route_layer(from_fn_with_state(state.clone(), guard));
    open.merge(guarded)
        .fallback(|| async { not_found("there is nothing at this path") })
        .method_not_allowed_fallback(|| async {
            ApiError::new(Code::InvalidRequest, "this path does not take that method")
                .status(StatusCode::METHOD_NOT_ALLOWED)
        })
        .layer(from_fn_with_state(state.clone(), follow))
        .with_state(state)
}

fn not_found(message: &str) -> ApiError {
    ApiError::new(Code::InvalidRequest, message).status(StatusCode::NOT_FOUND)
}

async fn guard(
    Shared(state): Shared<Arc<State>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    check_token(state.config.token.as_ref(), request.headers())?;
    Ok(next.run(request).await)
}

/// Names, logs and counts a request, and refuses those that other sites' pages send.
async fn follow(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let path = known_path(&request);
    let method = request.method().clone();
    let span = tracing::info_span!("request", id = %id.to_str().unwrap_or_default(), %method, path);
    let refused = check_origin(state.config.address, request.headers());
    let answer = async {
        let response = match refused {
            Err(error) => error.into_response(),
            Ok(()) => next.run(request).await,
        };
        tracing::info!(status = response.status().as_u16(), "answered");
        response
    };
    let mut response = answer.instrument(span).await;
    state.metrics.request(path, response.status().as_u16());
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    let sniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, sniff);
    response
}

/// The client's own id, where it is one, else a new one.
fn request_id(request: &Request) -> HeaderValue {
    let own = request.headers().get(&REQUEST_ID);
    let printable = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=MOST_ID_BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    };
    own.filter(printable).cloned().unwrap_or_else(|| {
        let id = format!("{:016x}", random());
        HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("unnamed"))
    })
}

/// The path as the router knows it: strangers' paths would be counters without end.
fn known_path(request: &Request) -> &'static str {
    const PATHS: [&str; 6] = [
        "/healthz",
        "/capabilities",
        "/generate",
        "/generate/jobs/{id}",
        "/metrics",
        "/",
    ];
    let matched = request.extensions().get::<MatchedPath>();
    let matched = matched.map(MatchedPath::as_str);
    let known = PATHS.iter().find(|path| matched == Some(**path));
    known.copied().unwrap_or("other")
}

async fn health(Shared(state): Shared<Arc<State>>) -> Response {
    if state.stopping.load(Ordering::Relaxed) {
        return ApiError::new(Code::ModelUnavailable, "the server stops").into_response();
    }
    let ready =
        serde_json::json!({"status": "ok", "model": state.model.id, "retargeting": "ready"});
    Answer::json(&ready).into_response()
}

async fn show_capabilities(Shared(state): Shared<Arc<State>>) -> Answer {
    Answer::json(&capabilities(&state.model, &state.config.limits))
}

async fn metrics(Shared(state): Shared<Arc<State>>) -> Answer {
    let text = state
        .metrics
        .text(state.queue.waiting(), state.jobs.count());
    Answer {
        media_type: "text/plain; version=0.0.4; charset=utf-8",
        body: text.into(),
    }
}

async fn job(
    Shared(state): Shared<Arc<State>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    match state.jobs.status(&id) {
        None => Err(not_found("no such job, or its answer is no longer kept")),
        Some(Status::UnderWay(status)) => Ok(accepted(&status, None)),
        Some(Status::Done(outcome)) => Ok(outcome?.into_response()),
    }
}

async fn cancel_job(
    method: Method,
    Shared(state): Shared<Arc<State>>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    if state.jobs.cancel(&id) {
        tracing::info!(%method, id, "job given up");
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(not_found("no such job, or its answer is no longer kept"))
}
