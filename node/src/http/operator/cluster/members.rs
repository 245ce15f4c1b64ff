//! `GET /cluster/members`: who belongs to the cluster, as far as this node knows.

use serde_json::{Value, json};

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, ok};

/// The members, by their numbers.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    Ok(ok(&json!({ "members": json(&call) })))
}

/// The members as JSON.
pub fn json(call: &Call) -> Vec<Value> {
    let members = call.services.cluster.members().into_iter();
    members
        .map(|member| {
            json!({
                "nodeId": member.node_id,
                "address": member.address,
                "region": member.region,
                "voter": member.is_voter,
            })
        })
        .collect()
}
