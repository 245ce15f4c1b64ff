//! `GET /metrics`: everything that the node counts, in Prometheus' text format.

use bytes::Bytes;
use http::StatusCode;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, with_body};

/// The text, rendered now.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    call.services.health.refresh_gauges().await;
    Ok(with_body(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        Bytes::from(call.services.meters.render()),
    ))
}
