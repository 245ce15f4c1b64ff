//! `GET /health/detailed`: every dependency, and where the node stands in its cluster.

use http::StatusCode;
use serde_json::{Value, json};

use super::state::{Check, Condition};
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, json_response, no_store};

/// 200 when all is healthy, 207 when something is slow or Redis does not answer, 503 when something does not answer that
/// the node can't do without.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let health = &call.services.health;
    let (store, redis) = tokio::join!(health.check_store(), health.check_redis());
    let replication = if health.is_fresh() {
        Condition::Healthy
    } else {
        Condition::Unreachable
    };
    let worst = [
        Some(store.status),
        // Nothing is lost with Redis.
        redis.as_ref().map(|check| check.status.min(Condition::Degraded)),
        Some(replication),
    ]
    .into_iter()
    .flatten()
    .max();
    let status = match worst {
        None | Some(Condition::Healthy) => StatusCode::OK,
        Some(Condition::Degraded) => StatusCode::MULTI_STATUS,
        Some(Condition::Unreachable) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let body = json!({ "status": worst, "checks": checks(&call, &store, redis.as_ref(), replication) });
    Ok(no_store(json_response(status, &body)))
}

fn checks(call: &Call, store: &Check, redis: Option<&Check>, replication: Condition) -> Value {
    let state = call.services.health.replication();
    let sealing = call.services.health.sealing();
    let mut checks = json!({
        "store": store,
        "replication": {
            "status": replication,
            "role": state.role.as_str(),
            "term": state.term,
            "lastApplied": state.last_applied,
            "lag": state.last_log.unwrap_or(0).saturating_sub(state.last_applied.unwrap_or(0)),
            "revocationStalenessMs": u64::try_from(state.staleness.as_millis()).unwrap_or(u64::MAX),
        },
        // Nothing is wrong while some are left: they are sealed anew when every member holds this node's master key.
        "sealing": {
            "status": Condition::Healthy,
            "sealedWithMasterKey": sealing.current,
            "sealedWithFormerMasterKeys": sealing.former,
        },
    });
    if let (Some(redis), Some(members)) = (redis, checks.as_object_mut()) {
        members.insert("redis".to_owned(), json!(redis));
    }
    checks
}
