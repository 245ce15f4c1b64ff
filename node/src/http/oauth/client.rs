//! Who calls an endpoint that takes either a bearer token or a client's own credentials, as introspection (RFC 7662 §2.1)
//! and revocation (RFC 7009 §2.1) do.

use actors::Caller;
use protocol::oauth::{OAuthError, QueryCaller};

use crate::http::access::{caller_of, verify_bearer};
use crate::http::call::Call;
use crate::http::error::ApiError;

/// OAuth endpoints take forms and nothing else (RFC 6749 Appendix B).
pub fn require_form(call: &Call) -> Result<(), ApiError> {
    if call.has_content_type("application/x-www-form-urlencoded") {
        return Ok(());
    }
    let description = "the body must be a form: Content-Type: application/x-www-form-urlencoded";
    Err(OAuthError::invalid_request(description).into())
}

/// The caller: whoever the bearer token speaks for, or the client that proves its secret.
pub async fn authenticate(call: &Call, caller: &QueryCaller) -> Result<Caller, ApiError> {
    match caller {
        QueryCaller::Bearer(token) => Ok(caller_of(&verify_bearer(call, token.expose()).await?, &call.origin)),
        QueryCaller::Client(client) => {
            let client = call.services.tenants.authenticate(client, &call.origin).await?;
            Ok(Caller {
                organization: client.organization,
                agent: client.agent,
                credential: client.credential,
                token: None,
                scopes: client.scopes,
                origin: call.origin.clone(),
            })
        }
    }
}
