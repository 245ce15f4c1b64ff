//! `POST /cluster/snapshot`: asks this node to write a snapshot of the replicated state now.

use http::StatusCode;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, json_bytes};

/// 202: it is written in the background.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    call.fields()?.finish()?;
    call.services.cluster.snapshot().await.map_err(super::refusal)?;
    Ok(json_bytes(StatusCode::ACCEPTED, "{}"))
}
