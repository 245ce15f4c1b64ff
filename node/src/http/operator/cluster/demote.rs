//! `POST /cluster/demote`: takes a voter's vote; it goes on as a learner.

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, no_content};

/// 204 when the change is committed.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let node_id = super::node_id(&call)?;
    call.services.cluster.demote(node_id).await.map_err(super::refusal)?;
    Ok(no_content())
}
