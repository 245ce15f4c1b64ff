//! `GET /health/ready`: whether the node should be sent requests.

use http::StatusCode;
use serde_json::json;

use super::Readiness;
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, json_response, no_store};

/// 200, or 503 with the reason.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let (status, body) = match call.services.health.readiness() {
        Readiness::Ready => (StatusCode::OK, json!({ "status": "ready" })),
        Readiness::NotReady(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            json!({ "status": "not_ready", "reason": reason }),
        ),
    };
    Ok(no_store(json_response(status, &body)))
}
