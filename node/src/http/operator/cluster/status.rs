//! `GET /cluster/status`: how every member is, asked from this one.

use cluster::{MemberOverview, MemberReport, Role};
use serde_json::{Value, json};

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, ok};

/// The members with what each says of itself; one that can't be asked has `reachable: false` and the reason.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let cluster = &call.services.cluster;
    let (status, overview) = (cluster.status(), cluster.overview().await);
    let leading = overview
        .iter()
        .filter_map(|member| member.report.as_ref().ok())
        .find(|report| report.role == Role::Leader);
    let newest = leading.and_then(|report| report.last_applied);
    let members: Vec<Value> = overview.iter().map(|member| member_json(member, newest)).collect();
    Ok(ok(&json!({
        "nodeId": status.node_id,
        "leader": status.leader,
        "term": status.term,
        "format": status.format,
        "members": members,
    })))
}

fn member_json(member: &MemberOverview, newest: Option<u64>) -> Value {
    let mut json = json!({
        "nodeId": member.entry.node_id,
        "address": member.entry.address,
        "region": member.entry.region,
        "voter": member.entry.is_voter,
        "reachable": member.report.is_ok(),
    });
    let more = match &member.report {
        Ok(report) => report_json(report, newest),
        Err(reason) => json!({ "reason": reason }),
    };
    if let (Value::Object(json), Value::Object(more)) = (&mut json, more) {
        json.extend(more);
    }
    json
}

fn report_json(report: &MemberReport, newest: Option<u64>) -> Value {
    let applied = report.last_applied.unwrap_or(0);
    json!({
        "role": report.role.as_str(),
        "term": report.term,
        "lastApplied": report.last_applied,
        "lag": newest.map(|newest| newest.saturating_sub(applied)),
        "stalenessMs": (report.staleness_ms != u64::MAX).then_some(report.staleness_ms),
        "fresh": report.fresh,
        "revocations": report.revocations,
        "version": report.version,
        "uptimeSeconds": report.uptime_seconds,
    })
}
