//! `POST /cluster/join`: a node that shows an invitation is added. It follows from then on, and votes when it has caught
//! up unless it wants to stay a learner.

use cluster::{Joining, check_address};
use domain::Secret;
use serde_json::json;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, ok};

/// 200 with the members; harmless if repeated by the same node.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let mut fields = call.fields()?;
    let (has_invite, has_id, has_address) = (fields.has("invite"), fields.has("nodeId"), fields.has("address"));
    let (invite, node_id, address) = (fields.text("invite"), fields.number("nodeId"), fields.text("address"));
    let invite = fields.require("invite", has_invite, invite);
    let node_id = fields.require("nodeId", has_id, node_id);
    let address = fields.require("address", has_address, address);
    let (region, voter, known) = (
        fields.text("region"),
        fields.flag("voter"),
        fields.number("knownFormat"),
    );
    if node_id == Some(0) {
        fields.reject::<u64>("nodeId", "must be at least 1");
    }
    if let Some(Err(reason)) = address.as_deref().map(check_address) {
        fields.reject::<u64>("address", reason);
    }
    if known.is_some_and(|known| u8::try_from(known).is_err()) {
        fields.reject::<u64>("knownFormat", "must be from 0 to 255");
    }
    fields.finish()?;
    let (Some(invite), Some(node_id), Some(address)) = (invite, node_id, address) else {
        return Err(ApiError::Internal("a missing field was not reported".to_owned()));
    };
    let joining = Joining {
        node_id,
        address,
        region: region.unwrap_or_default(),
        wants_vote: voter.unwrap_or(true),
        known_format: known.and_then(|known| u8::try_from(known).ok()),
    };
    let joined = call.services.cluster.join(&Secret::new(invite), joining).await;
    joined.map_err(super::refusal)?;
    let members = super::members::json(&call);
    Ok(ok(&json!({ "members": members })))
}
