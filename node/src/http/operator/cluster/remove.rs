//! `POST /cluster/remove`: lets a member go, which is drained first. It goes on running, not ready, until it is stopped.

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, no_content};

/// 204 when the change is committed.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let node_id = super::node_id(&call)?;
    call.services.cluster.remove(node_id).await.map_err(super::refusal)?;
    Ok(no_content())
}
