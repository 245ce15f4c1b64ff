//! `GET /.well-known/jwks.json` (RFC 7517 §5): every key that a live token may be signed with.

use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, json_bytes};

/// The set, as it was rendered when the ring was put in force. Verifiers may keep it for as long as a new key is published
/// before its first use; one of a node that is cut off from the others, which may lack a key, they may use but not keep.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let keys = call.services.keys.current();
    let is_recent = call.services.revocations.revision().is_ok();
    let cache_control = match is_recent {
        true => keys.cache_control.clone(),
        false => HeaderValue::from_static("no-cache"),
    };
    let mut response = json_bytes(StatusCode::OK, keys.jwks.clone());
    response.headers_mut().insert(CACHE_CONTROL, cache_control);
    Ok(response)
}
