//! `GET /cluster/keys`: the signing keys, what becomes of each, and how far a change of the master key has come.

use domain::{KeyRecord, KeyRingView};
use serde_json::{Value, json};

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, no_store, ok};

/// The ring as this node sees it.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    Ok(no_store(ok(&ring_json(&call)?)))
}

/// The ring as JSON.
pub fn ring_json(call: &Call) -> Result<Value, ApiError> {
    let ring = call.services.key_rotation.view();
    let ring = ring.ok_or_else(|| ApiError::unavailable("the installation has no keys yet".to_owned()))?;
    let keys: Vec<Value> = ring.keys.iter().map(|key| key_json(call, &ring, key)).collect();
    Ok(json!({
        "keys": keys,
        "schedule": { "nodeId": ring.ownership.owner, "epoch": ring.ownership.epoch },
        "terms": {
            "jwksMaxAgeSeconds": ring.terms.jwks_max_age.as_secs(),
            "tokenTtlMaxSeconds": ring.terms.token_lifetime_max.as_secs(),
            "clockSkewSeconds": ring.terms.clock_skew.as_secs(),
        },
        "sealing": {
            "masterKeyId": call.services.cluster.master_key().to_string(),
            "sealedWithMasterKey": ring.sealing.current,
            "sealedWithFormerMasterKeys": ring.sealing.former,
        },
    }))
}

fn key_json(call: &Call, ring: &KeyRingView, key: &KeyRecord) -> Value {
    let (step, at) = call.services.key_rotation.plan(ring, key);
    json!({
        "keyId": key.key_id,
        "algorithm": key.algorithm.as_str(),
        "state": key.state.as_str(),
        "publishedAt": key.published_at,
        "currentSince": key.current_since,
        "retiredAt": key.retired_at,
        "next": { "step": step.as_str(), "at": at },
    })
}
