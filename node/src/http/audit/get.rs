//! `GET /api/v1/audit/{eventId}`: one event.

use domain::EventId;
use http::StatusCode;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, ok};

/// 200 with the event; 404 if it is not in this organization's log.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let not_found = || {
        ApiError::management(
            StatusCode::NOT_FOUND,
            "AUDIT_EVENT_NOT_FOUND",
            "there is no such event in this organization's log",
        )
    };
    let id: EventId = call.id(0, not_found)?;
    let event = call.services.audit_trail.find(call.caller()?.organization, id).await?;
    Ok(ok(&event.ok_or_else(not_found)?))
}
