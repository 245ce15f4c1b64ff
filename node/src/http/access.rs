//! Whether a caller may use an endpoint. Which scope a route needs stands in `policies/data/scopes.json`; this is the one
//! place that asks.

use actors::Caller;
use domain::{Origin, ScopeSet};
use protocol::oauth::{BearerError, bearer_token};

use super::call::Call;
use super::error::ApiError;
use super::verifier::{VerificationError, VerifiedToken};
use crate::policy::Access;

/// Lets a call through, with its caller noted if the route needs one.
pub async fn authorize(call: &mut Call, access: Access) -> Result<(), ApiError> {
    match access {
        Access::Public | Access::ByEndpoint(_) => Ok(()),
        Access::Operator if call.operator_certificate.is_some() => Ok(()),
        Access::Operator => {
            let shown = bearer_token(call.authorization())?;
            if call.services.operator_token.is(shown) {
                Ok(())
            } else {
                call.services.meters.auth_failure("operator_token");
                Err(BearerError::Invalid.into())
            }
        }
        Access::AnyBearer => {
            let token = verify_bearer(call, bearer_token(call.authorization())?).await?;
            call.caller = Some(caller_of(&token, &call.origin));
            Ok(())
        }
        Access::Scope(scope) => {
            let token = verify_bearer(call, bearer_token(call.authorization())?).await?;
            if !token.claims.scope.contains(scope) {
                return Err(BearerError::InsufficientScope(ScopeSet::EMPTY.with(scope)).into());
            }
            call.caller = Some(caller_of(&token, &call.origin));
            Ok(())
        }
    }
}

/// Checks a bearer token that a call presents.
pub async fn verify_bearer(call: &Call, token: &str) -> Result<VerifiedToken, ApiError> {
    call.services
        .verifier
        .verify_bearer(token)
        .await
        .map_err(|error| match error {
            VerificationError::Refused(refusal) => {
                tracing::debug!(?refusal, "a bearer token was refused");
                call.services.meters.auth_failure("invalid_token");
                BearerError::Invalid.into()
            }
            VerificationError::Unavailable(error) => error.into(),
        })
}

/// Whom a verified token speaks for.
pub fn caller_of(token: &VerifiedToken, origin: &Origin) -> Caller {
    let claims = &token.claims;
    Caller {
        organization: claims.organization_id,
        agent: claims.sub,
        credential: claims.credential_id,
        token: Some(claims.facts()),
        scopes: claims.scope,
        origin: origin.clone(),
    }
}
