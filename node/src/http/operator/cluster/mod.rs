//! Who belongs to the cluster and how it is: for operators, on their own listener. Any node may be asked; the leader
//! carries it out.

pub mod demote;
pub mod invite;
pub mod join;
pub mod keys;
pub mod members;
pub mod promote;
pub mod remove;
pub mod rotate_keys;
pub mod save;
pub mod snapshot;
pub mod status;
pub mod transfer_leader;

use cluster::ClusterError;
use http::StatusCode;

use crate::http::call::Call;
use crate::http::error::ApiError;

/// The one field of a request that is about one node.
fn node_id(call: &Call) -> Result<u64, ApiError> {
    let mut fields = call.fields()?;
    let was_there = fields.has("nodeId");
    let node_id = fields.number("nodeId");
    let node_id = fields.require("nodeId", was_there, node_id);
    fields.finish()?;
    node_id.ok_or_else(|| ApiError::Internal("a missing field was not reported".to_owned()))
}

/// What the cluster refuses is the caller's to mend; everything else is worth trying again.
fn refusal(error: ClusterError) -> ApiError {
    match error {
        ClusterError::Refused(reason) => ApiError::management(StatusCode::CONFLICT, "CLUSTER_REFUSED", reason),
        other => ApiError::unavailable(other.to_string()),
    }
}
