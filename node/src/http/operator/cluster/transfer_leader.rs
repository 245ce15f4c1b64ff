//! `POST /cluster/transfer-leader`: asks the leader to hand over to another voter.

use http::StatusCode;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, json_bytes};

/// 202: the leader has been asked; the overview shows when it is done.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let node_id = super::node_id(&call)?;
    let asked = call.services.cluster.transfer_leader(node_id).await;
    asked.map_err(super::refusal)?;
    Ok(json_bytes(StatusCode::ACCEPTED, "{}"))
}
