//! `GET /.well-known/openid-configuration` (OpenID Connect Discovery §4).

use http::StatusCode;
use protocol::oauth::metadata;

use super::CACHE_CONTROL;
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, cacheable, json_bytes};

/// What this OpenID provider can do.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    Ok(cacheable(
        json_bytes(StatusCode::OK, metadata::openid_configuration(&call.services.issuer)),
        CACHE_CONTROL,
    ))
}
