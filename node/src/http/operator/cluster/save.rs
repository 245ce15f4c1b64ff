//! `GET /cluster/snapshot`: the replicated state for safe-keeping, piece by piece. Its secrets are sealed with the master key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, no_store, ok};

/// The first piece of a snapshot that is written now, which holds all that was acknowledged before; with `index` and
/// `offset`, another piece of the same one.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let mut query = call.query()?;
    let (index, offset): (Option<u64>, Option<u64>) = (query.get("index"), query.get("offset"));
    if index.is_some() != offset.is_some() {
        query.reject("index", "must be given together with offset");
    }
    query.finish()?;
    let cluster = &call.services.cluster;
    let index = match index {
        Some(index) => index,
        None => cluster.snapshot_now().await.map_err(super::refusal)?,
    };
    let piece = cluster.snapshot_piece(index, offset.unwrap_or(0)).await;
    let piece = piece.map_err(super::refusal)?;
    let body = json!({
        "index": piece.index,
        "offset": piece.offset,
        "bytes": STANDARD.encode(&piece.bytes),
        "last": piece.is_last,
    });
    Ok(no_store(ok(&body)))
}
