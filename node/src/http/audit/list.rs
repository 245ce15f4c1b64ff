//! `GET /api/v1/audit`: the organization's events, newest first.

use domain::{AuditEvent, AuditFilter, PageOf};
use serde::Serialize;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::reply::{Response, ok};

/// A page, and how to go on from its end even while events are added.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(flatten)]
    page: PageOf<AuditEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A page of the events that match `agentId`, `action`, `outcome`, `fromDate` and `toDate`; `cursor` goes on from another.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let mut query = call.query()?;
    let page = query.page();
    let filter = AuditFilter {
        agent_id: query.get("agentId"),
        action: query.get("action"),
        outcome: query.get("outcome"),
        from: query.get("fromDate"),
        to: query.get("toDate"),
        before_sequence: cursor(&mut query),
    };
    if filter.before_sequence.is_some() && page.number() != 1 {
        query.reject("page", "can't be given beside cursor");
    }
    query.finish()?;
    let page = call
        .services
        .audit_trail
        .list(call.caller()?.organization, &filter, page)
        .await?;
    let is_full = page.data.len() == page.limit as usize;
    let next_cursor = page
        .data
        .last()
        .filter(|event| is_full && event.sequence > 1)
        .map(|event| format!("s{}", event.sequence));
    Ok(ok(&Answer { page, next_cursor }))
}

fn cursor(query: &mut Query) -> Option<u64> {
    let text = query.text("cursor")?;
    let sequence = text.strip_prefix('s').and_then(|text| text.parse().ok());
    if sequence.is_none() {
        query.reject("cursor", "must be the nextCursor of an earlier answer");
    }
    sequence
}
