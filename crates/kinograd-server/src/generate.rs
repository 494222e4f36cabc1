//! `POST /generate`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request as HttpRequest, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, json};

use crate::error::{ApiError, Code};
use crate::idempotency::{Found, fingerprint};
use crate::media::{Answer, Media};
use crate::request::{check_version, parse_body};
use crate::state::State;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_STATUS: HeaderName = HeaderName::from_static("idempotency-status");
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Seconds between two looks at a job.
const POLL_SECS: u64 = 1;

/// Makes clips, at once or as a job.
pub(crate) async fn generate(
    Shared(state): Shared<Arc<State>>,
    request: HttpRequest,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    check_content_type(&parts.headers)?;
    let body = read_body(&state, &parts.headers, body).await?;
    match parts.headers.get(&IDEMPOTENCY_KEY) {
        None => respond(&state, &parts.headers, &body).await,
        Some(key) => {
            let key = key.to_str().unwrap_or_default();
            once(&state, key, &parts.headers, &body).await
        }
    }
}

/// Pages of other sites may send a form's types without asking; JSON they may not.
fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers.get(header::CONTENT_TYPE);
    let text = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media = text.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = format!("Content-Type: `{text}`; application/json is expected");
    Err(ApiError::schema("", message).status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

async fn read_body(
    state: &State,
    headers: &HeaderMap,
    body: axum::body::Body,
) -> Result<Bytes, ApiError> {
    let limits = &state.config.limits;
    let most = limits.body_bytes;
    let too_large = || {
        ApiError::new(
            Code::PayloadTooLarge,
            format!("the body is larger than max_request_bytes, {most}"),
        )
        .with(json!({"max_request_bytes": most}))
    };
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    let declared = declared.and_then(|text| text.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > most as u64) {
        return Err(too_large());
    }
    let read = tokio::time::timeout(limits.read_timeout, Limited::new(body, most).collect());
    match read.await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(ApiError::schema("", format!("the body broke off: {error}"))),
        Err(_) => Err(ApiError::new(
            Code::Timeout,
            format!(
                "no whole body within {} s",
                limits.read_timeout.as_secs_f64()
            ),
        )
        .status(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// Answers a request whose key may be known.
async fn once(
    state: &Arc<State>,
    key: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, ApiError> {
    let form: &[u8] = match Media::of(headers) {
        Media::Json => b"json",
        Media::Binary => b"binary",
    };
    let declined = |mut response: Response| {
        let value = HeaderValue::from_static("declined");
        response.headers_mut().insert(IDEMPOTENCY_STATUS, value);
        response
    };
    if is_async(headers) {
        // A job's name would outlive its clip.
        return respond(state, headers, body).await.map(declined);
    }
    loop {
        match state.idempotency.find(key, fingerprint(&[form, body]))? {
            Found::Known(mut answer) => {
                let known = answer.wait_for(Option::is_some).await;
                if let Some(answer) = known.ok().and_then(|answer| answer.clone()) {
                    return Ok(answer.into_response());
                }
                // Whoever worked on it has failed or gone: it is ours now.
            }
            Found::New(place) => {
                let answer = answer(state, headers, body).await?;
                let kept = state.idempotency.keep(key, &place, &answer);
                let response = answer.into_response();
                return Ok(if kept { response } else { declined(response) });
            }
            Found::Declined => return respond(state, headers, body).await.map(declined),
        }
    }
}

async fn respond(
    state: &Arc<State>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, ApiError> {
    if is_async(headers) {
        return start_job(state, headers, body);
    }
    Ok(answer(state, headers, body).await?.into_response())
}

fn is_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all(&PREFER).into_iter();
    let mut values = values.filter_map(|value| value.to_str().ok());
    values.any(|value| value.split(',').any(|part| part.trim() == "respond-async"))
}

async fn answer(state: &State, headers: &HeaderMap, body: &Bytes) -> Result<Answer, ApiError> {
    let value = parse_body(body)?;
    if value.get("requests").is_some() {
        return batch(state, &value).await;
    }
    let pending = state.queue.submit(state.plan(&value)?)?;
    let document = pending.outcome(state.config.limits.request_timeout).await?;
    Ok(Media::of(headers).answer(&document))
}

/// Several requests, each with its own answer or error.
async fn batch(state: &State, value: &Value) -> Result<Answer, ApiError> {
    check_version(value.get("protocol_version"))?;
    let items = value.get("requests").and_then(Value::as_array);
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        return Err(ApiError::schema(
            "requests",
            "a list that is not empty is expected",
        ));
    };
    let most = state.config.limits.batch;
    if items.len() > most {
        let message = format!(
            "a batch holds at most {most} requests; {} came",
            items.len()
        );
        return Err(ApiError::new(Code::InvalidOptions, message)
            .with(json!({"max_batch_size": most, "requests": items.len()})));
    }
    let version = value.get("protocol_version").cloned().unwrap_or_default();
    let mut results = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let made = batch_item(state, item, &version, index == 0).await;
        results.push(match made {
            Ok(document) => json!({"gltf": document}),
            Err(error) => error.envelope(),
        });
    }
    Ok(Answer::json(&json!({"results": results})))
}

async fn batch_item(
    state: &State,
    item: &Value,
    version: &Value,
    is_first: bool,
) -> Result<Value, ApiError> {
    let mut item = item.clone();
    if let Some(fields) = item.as_object_mut() {
        fields
            .entry("protocol_version")
            .or_insert_with(|| version.clone());
    }
    let plan = state.plan(&item)?;
    // A batch that was let in keeps its place in the queue.
    let pending = if is_first {
        state.queue.submit(plan)?
    } else {
        state.queue.submit_in_turn(plan).await?
    };
    let document = pending.outcome(state.config.limits.request_timeout).await?;
    Ok(document.to_json())
}

fn start_job(state: &Arc<State>, headers: &HeaderMap, body: &Bytes) -> Result<Response, ApiError> {
    let value = parse_body(body)?;
    if value.get("requests").is_some() {
        let message = "a batch is answered at once, not as a job";
        return Err(ApiError::new(Code::InvalidRequest, message));
    }
    let pending = state.queue.submit(state.plan(&value)?)?;
    let id = state.jobs.add(&pending)?;
    let (media, name, shared) = (Media::of(headers), id.clone(), state.clone());
    tokio::spawn(async move {
        let outcome = pending.outcome(shared.config.limits.request_timeout).await;
        shared
            .jobs
            .finish(&name, outcome.map(|document| media.answer(&document)));
    });
    let body = json!({"id": id, "status": "queued", "progress": 0.0});
    Ok(accepted(&body, Some(&id)))
}

/// `202`: look again later.
pub(crate) fn accepted(body: &Value, id: Option<&str>) -> Response {
    let mut response = Answer::json(body).into_response();
    *response.status_mut() = StatusCode::ACCEPTED;
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(POLL_SECS));
    let location = id.and_then(|id| HeaderValue::from_str(&format!("/generate/jobs/{id}")).ok());
    if let Some(location) = location {
        headers.insert(header::LOCATION, location);
    }
    response
}
