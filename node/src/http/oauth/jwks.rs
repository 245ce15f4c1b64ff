//! `GET /.well-known/jwks.json` (RFC 7517 §5): every key that a live token may be signed with.

use http::StatusCode;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, cacheable, json_bytes};

/// Verifiers may keep the set for five minutes; a new key is published much longer than that before its first use.
const CACHE_CONTROL: &str = "public, max-age=300";

/// The set, as it was rendered when the ring was put in force.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    Ok(cacheable(
        json_bytes(StatusCode::OK, call.services.keys.current().jwks.clone()),
        CACHE_CONTROL,
    ))
}
