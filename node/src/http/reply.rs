//! How answers are made.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use warp::reply::Response as WarpResponse;

/// What every endpoint answers.
pub type Response = WarpResponse;

/// A JSON body under a status.
pub fn json_response<T: Serialize>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => json_bytes(status, bytes),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            with_body(
                StatusCode::INTERNAL_SERVER_ERROR,
                "application/json",
                Bytes::from_static(b"{\"code\":\"INTERNAL_ERROR\"}"),
            )
        }
    }
}

/// A body that is JSON already.
pub fn json_bytes(status: StatusCode, body: impl Into<Bytes>) -> Response {
    with_body(status, "application/json", body.into())
}

/// 200 with a JSON body.
pub fn ok<T: Serialize>(body: &T) -> Response {
    json_response(StatusCode::OK, body)
}

/// 204.
pub fn no_content() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Any body.
pub fn with_body(status: StatusCode, content_type: &'static str, body: Bytes) -> Response {
    use warp::Reply;
    let mut response = http::Response::new(body).into_response();
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Forbids caches to keep the answer (RFC 6749 §5.1).
#[must_use]
pub fn no_store(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Lets caches keep the answer for a while.
#[must_use]
pub fn cacheable(mut response: Response, cache_control: &'static str) -> Response {
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
    response
}

/// Tells the entity's revision (RFC 9110 §8.8.3).
#[must_use]
pub fn with_etag(mut response: Response, row_version: u64) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{row_version}\"")) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}
