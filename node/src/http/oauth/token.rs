//! `POST /oauth2/token` (RFC 6749 §3.2): a client proves who it is and gets an access token.

use std::sync::Arc;

use actors::{Authorized, LimitClass};
use domain::{Action, AuditRecord, EventId, JsonText, Origin, Outcome};
use http::StatusCode;
use protocol::jose::JoseError;
use protocol::oauth::{GrantRequest, TokenRequest};
use protocol::token::{IssueContext, IssuedToken, issue};
use tracing::{Instrument, debug_span};

use super::client::require_form;
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::keys::Ring;
use crate::http::limits;
use crate::http::reply::{Response, json_bytes, no_store};
use crate::http::services::Services;

/// Parse → authenticate and decide → permit → sign → audit → answer. The token leaves only when its record is durable.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    require_form(&call)?;
    let request = TokenRequest::parse(&call.body, call.authorization())?;
    let services = &call.services;
    let authorizing = services.tenants.authorize(&request, &call.origin);
    let authorized = authorizing.instrument(debug_span!("authorize")).await?;
    let permit = limits::admit(services, authorized.grant.agent, LimitClass::Token).await?;
    let ring = services.keys.current();
    let issued = debug_span!("sign").in_scope(|| sign(services, &authorized, &ring))?;
    let recording = services
        .audit
        .record(record_of(services, &authorized, &issued, &call.origin));
    recording.instrument(debug_span!("audit")).await?;
    services
        .meters
        .token_issued(grant_name(&request.grant), authorized.grant.algorithm);
    let body = issued.to_response_json();
    services
        .verifier
        .on_issued(issued.access_token.expose(), issued.claims, &ring);
    Ok(permit.onto(no_store(json_bytes(StatusCode::OK, body))))
}

fn sign(services: &Arc<Services>, authorized: &Authorized, ring: &Ring) -> Result<IssuedToken, ApiError> {
    let context = IssueContext {
        issuer: &services.issuer,
        now: services.clock.now(),
        revision: authorized.revision,
        lifetime_max: ring.token_lifetime_max,
        entropy: services.entropy.as_ref(),
    };
    issue(&authorized.grant, &ring.ring, &context).map_err(|error| match error {
        // Another node may have the master key that opens it.
        JoseError::NoCurrentKey(_) => ApiError::unavailable(error.to_string()),
        error => ApiError::Internal(error.to_string()),
    })
}

fn record_of(services: &Services, authorized: &Authorized, issued: &IssuedToken, origin: &Origin) -> AuditRecord {
    let now = services.clock.now();
    let grant = &authorized.grant;
    let (token, family) = (issued.claims.jti.to_string(), issued.claims.family.to_string());
    let (credential, scope) = (grant.credential.to_string(), grant.scope.to_string());
    let expires = domain::Timestamp::from_seconds(issued.claims.exp).to_string();
    AuditRecord {
        event_id: EventId::mint(now, services.entropy.as_ref()),
        organization_id: grant.organization,
        agent_id: Some(grant.agent),
        action: Action::TokenIssued,
        outcome: Outcome::Success,
        origin: origin.clone(),
        metadata: JsonText::object(&[
            ("jti", &token),
            ("family", &family),
            ("credentialId", &credential),
            ("scope", &scope),
            ("expiresAt", &expires),
        ]),
        timestamp: now,
    }
}

/// What metrics call a grant.
fn grant_name(grant: &GrantRequest) -> &'static str {
    match grant {
        GrantRequest::ClientCredentials => "client_credentials",
    }
}
