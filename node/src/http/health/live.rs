//! `GET /health`: the process is alive. Looks at memory only, so it is also what benchmarks call the static route.

use http::StatusCode;

use super::Readiness;
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, json_bytes, no_store};

/// Always 200; whether the node should be sent requests is in `checks` and at `/health/ready`.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let body: &'static [u8] = match call.services.health.readiness() {
        Readiness::Ready => br#"{"status":"healthy","checks":{"process":"healthy","ready":"healthy"}}"#,
        Readiness::NotReady(_) => br#"{"status":"degraded","checks":{"process":"healthy","ready":"degraded"}}"#,
    };
    Ok(no_store(json_bytes(StatusCode::OK, body)))
}
