//! `POST /cluster/invites`: makes an invitation, which lets one node join.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, json_response, no_store};

/// How long an invitation holds if nothing else is asked for.
const LIFETIME_DEFAULT: Duration = Duration::from_secs(3_600);
/// How long one may hold, in seconds.
const LIFETIME_SECONDS_MAX: u64 = 7 * 86_400;

/// 201 with the invitation, which is shown this once.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let mut fields = call.fields()?;
    let seconds = fields.number("expiresInSeconds");
    if seconds.is_some_and(|seconds| !(1..=LIFETIME_SECONDS_MAX).contains(&seconds)) {
        let reason = format!("must be from 1 to {LIFETIME_SECONDS_MAX}");
        fields.reject::<u64>("expiresInSeconds", &reason);
    }
    fields.finish()?;
    let lifetime = seconds.map_or(LIFETIME_DEFAULT, Duration::from_secs);
    let expires_at = call.services.clock.now().plus(lifetime);
    let invite = call.services.cluster.invite(lifetime).await.map_err(super::refusal)?;
    let body = json!({ "invite": invite.expose(), "expiresAt": expires_at.to_string() });
    Ok(no_store(json_response(StatusCode::CREATED, &body)))
}
