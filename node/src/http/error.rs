//! What a request can be refused with, and the one place where a refusal becomes a response.

use std::time::Duration;

use actors::{AuditError, AuthorizeError, TenantError};
use domain::ports::{ReplicationError, StoreError};
use domain::{FieldError, OrganizationId};
use http::header::{ALLOW, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use protocol::oauth::{BearerError, OAuthError};
use serde_json::{Value, json};

use super::limits::Permit;
use super::reply::{Response, json_response};

/// How long a caller should wait when a part of the node is being restarted or can't be reached.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);
/// How many bad fields an answer names; it would otherwise be larger than the request.
const FIELDS_NAMED_MAX: usize = 50;

/// What callers are told whose organization's audit log takes no records.
const AUDIT_CHAIN_CORRUPT: &str = "somebody has written into this organization's audit log past this software, so nothing can \
    be recorded and nothing is done; GET /api/v1/audit/verify names the event, and an operator must look into it";

/// A refusal.
#[derive(Debug)]
pub enum ApiError {
    /// A management error: status, code, sentence and details.
    Management {
        /// The HTTP status.
        status: StatusCode,
        /// The code that programs branch on.
        code: &'static str,
        /// The sentence that people read.
        message: String,
        /// More, if there is more.
        details: Value,
    },
    /// An error of an OAuth endpoint (RFC 6749 §5.2).
    OAuth(OAuthError),
    /// A bearer token is missing or was refused (RFC 6750 §3).
    Bearer(BearerError),
    /// The path exists, the method does not.
    MethodNotAllowed {
        /// The methods that exist.
        allow: String,
    },
    /// Too many requests; the headers tell when to go on.
    RateLimited {
        /// Whether the endpoint speaks OAuth errors.
        oauth: bool,
        /// How the client stands in its window.
        permit: Permit,
    },
    /// A part of the node can't answer now.
    Unavailable {
        /// Whether the endpoint speaks OAuth errors.
        oauth: bool,
        /// How long to wait.
        retry_after: Duration,
        /// Why, for the log; callers see a general sentence.
        reason: String,
    },
    /// The organization's audit log takes no records, so nothing of it is done.
    AuditChainCorrupt(OrganizationId),
    /// A refusal of another kind, at an endpoint that speaks OAuth.
    InOAuthShape(Box<ApiError>),
    /// A bug, or a store whose content is broken. For the log; callers see a general sentence.
    Internal(String),
}

impl ApiError {
    /// A management error without details.
    pub fn management(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self::Management {
            status,
            code,
            message: message.into(),
            details: json!({}),
        }
    }

    /// 400 with the fields that are wrong: every one, or the first few and how many more there are.
    pub fn validation(mut fields: Vec<FieldError>) -> Self {
        let omitted = fields.len().saturating_sub(FIELDS_NAMED_MAX);
        fields.truncate(FIELDS_NAMED_MAX);
        let (message, details) = if omitted == 0 {
            ("details.fields names each".to_owned(), json!({ "fields": fields }))
        } else {
            let message = format!("details.fields names the first {FIELDS_NAMED_MAX}, and there are {omitted} more");
            (message, json!({ "fields": fields, "omitted": omitted }))
        };
        Self::Management {
            status: StatusCode::BAD_REQUEST,
            code: "VALIDATION_ERROR",
            message: format!("the request has fields that can't be used; {message}"),
            details,
        }
    }

    /// 403 with a sentence.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::management(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    /// 404 for a path that does not exist.
    pub fn path_not_found() -> Self {
        Self::management(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this path")
    }

    /// 404 for an agent that does not exist, or is another organization's.
    pub fn agent_not_found() -> Self {
        Self::management(
            StatusCode::NOT_FOUND,
            "AGENT_NOT_FOUND",
            "there is no such agent in this organization",
        )
    }

    /// 503 in the management API's shape.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable {
            oauth: false,
            retry_after: RETRY_AFTER_DEFAULT,
            reason: reason.into(),
        }
    }

    /// The same refusal in the shape of OAuth endpoints.
    #[must_use]
    pub fn for_oauth(self) -> Self {
        match self {
            Self::Unavailable {
                retry_after, reason, ..
            } => Self::Unavailable {
                oauth: true,
                retry_after,
                reason,
            },
            Self::RateLimited { permit, .. } => Self::RateLimited { oauth: true, permit },
            other => Self::InOAuthShape(Box::new(other)),
        }
    }

    /// Logs what an operator should know of, once, here at the boundary.
    pub fn log(&self) {
        match self {
            Self::Internal(reason) => tracing::error!(reason, "a request failed"),
            Self::AuditChainCorrupt(organization) => {
                tracing::error!(error = %StoreError::CorruptChain(*organization), "a request was refused");
            }
            Self::InOAuthShape(inner) => inner.log(),
            Self::Unavailable { reason, .. } => tracing::warn!(reason, "a request could not be answered now"),
            _ => {}
        }
    }

    /// The response. Nothing of a bug or of an unavailable part is told but that it is so.
    pub fn into_response(self) -> Response {
        match self {
            Self::Management {
                status,
                code,
                message,
                details,
            } => management(status, code, &message, &details),
            Self::OAuth(error) => oauth(&error),
            Self::InOAuthShape(inner) => in_oauth_shape(*inner),
            Self::Bearer(error) => bearer(&error),
            Self::MethodNotAllowed { allow } => {
                let response = management(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "METHOD_NOT_ALLOWED",
                    "this path does not take this method",
                    &json!({}),
                );
                with_header(response, ALLOW, &allow)
            }
            Self::RateLimited { oauth, permit } => {
                let message = "too many requests; wait as long as Retry-After says";
                let response = shaped(
                    oauth,
                    StatusCode::TOO_MANY_REQUESTS,
                    "RATE_LIMIT_EXCEEDED",
                    "slow_down",
                    message,
                );
                retry(permit.onto(response), permit.retry_after())
            }
            Self::Unavailable { oauth, retry_after, .. } => {
                let message = "this node can't answer now; try again, here or at another node";
                retry(
                    shaped(
                        oauth,
                        StatusCode::SERVICE_UNAVAILABLE,
                        "SERVICE_UNAVAILABLE",
                        "temporarily_unavailable",
                        message,
                    ),
                    retry_after,
                )
            }
            Self::AuditChainCorrupt(_) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                management(status, "AUDIT_CHAIN_CORRUPT", AUDIT_CHAIN_CORRUPT, &json!({}))
            }
            Self::Internal(_) => {
                let message = "the node failed to answer; its log tells more under this request's id";
                management(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", message, &json!({}))
            }
        }
    }
}

/// The same status and headers, with the body of RFC 6749 §5.2.
fn in_oauth_shape(error: ApiError) -> Response {
    let (code, description) = match &error {
        ApiError::OAuth(_) => return error.into_response(),
        ApiError::Bearer(refusal) => {
            let as_oauth = OAuthError::from(*refusal);
            (as_oauth.code.as_str(), as_oauth.description.into_owned())
        }
        ApiError::Management { status, message, .. } if *status == StatusCode::FORBIDDEN => {
            ("access_denied", message.clone())
        }
        ApiError::Management { message, .. } => ("invalid_request", message.clone()),
        ApiError::AuditChainCorrupt(_) => ("server_error", AUDIT_CHAIN_CORRUPT.to_owned()),
        ApiError::MethodNotAllowed { .. } => ("invalid_request", "this path does not take this method".to_owned()),
        _ => (
            "server_error",
            "the node failed to answer; its log tells more under this request's id".to_owned(),
        ),
    };
    let plain = error.into_response();
    let mut response = json_response(
        plain.status(),
        &json!({ "error": code, "error_description": description }),
    );
    for (name, value) in plain
        .headers()
        .iter()
        .filter(|(name, _)| [ALLOW, WWW_AUTHENTICATE, RETRY_AFTER].contains(name))
    {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn shaped(is_oauth: bool, status: StatusCode, code: &'static str, error: &'static str, message: &str) -> Response {
    if is_oauth {
        json_response(status, &json!({ "error": error, "error_description": message }))
    } else {
        management(status, code, message, &json!({}))
    }
}

fn management(status: StatusCode, code: &'static str, message: &str, details: &Value) -> Response {
    json_response(status, &json!({ "code": code, "message": message, "details": details }))
}

fn oauth(error: &OAuthError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json_response(
        status,
        &json!({ "error": error.code.as_str(), "error_description": error.description }),
    );
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        response = with_header(
            response,
            WWW_AUTHENTICATE,
            "Basic realm=\"agentidp\", charset=\"UTF-8\"",
        );
    }
    response
}

fn bearer(error: &BearerError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let (code, details) = match error {
        BearerError::Missing => ("UNAUTHORIZED", json!({})),
        BearerError::Malformed => ("INVALID_REQUEST", json!({})),
        BearerError::Invalid => ("INVALID_TOKEN", json!({})),
        BearerError::InsufficientScope(scope) => ("INSUFFICIENT_SCOPE", json!({ "requiredScope": scope })),
    };
    with_header(
        management(status, code, &error.to_string(), &details),
        WWW_AUTHENTICATE,
        &error.www_authenticate(),
    )
}

fn retry(response: Response, after: Duration) -> Response {
    let seconds = after.as_millis().div_ceil(1000).max(1);
    with_header(response, RETRY_AFTER, &seconds.to_string())
}

fn with_header(mut response: Response, name: http::HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

impl From<OAuthError> for ApiError {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<BearerError> for ApiError {
    fn from(error: BearerError) -> Self {
        Self::Bearer(error)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(reason) => Self::unavailable(reason),
            StoreError::CorruptChain(organization) => Self::AuditChainCorrupt(organization),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<ReplicationError> for ApiError {
    fn from(error: ReplicationError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<AuditError> for ApiError {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Unavailable { retry_after } => Self::Unavailable {
                oauth: false,
                retry_after,
                reason: error.to_string(),
            },
            AuditError::Refused(refusal) => match *refusal {
                StoreError::CorruptChain(organization) => Self::AuditChainCorrupt(organization),
                _ => Self::Internal(AuditError::Refused(refusal).to_string()),
            },
        }
    }
}

impl From<AuthorizeError> for ApiError {
    fn from(error: AuthorizeError) -> Self {
        match error {
            AuthorizeError::OAuth(error) => Self::OAuth(error),
            AuthorizeError::Replication(error) => error.into(),
            AuthorizeError::Store(error) => error.into(),
            AuthorizeError::Unavailable { retry_after } => Self::Unavailable {
                oauth: false,
                retry_after,
                reason: error.to_string(),
            },
        }
    }
}

impl From<TenantError> for ApiError {
    fn from(error: TenantError) -> Self {
        use StatusCode as S;
        let sentence = error.to_string();
        match error {
            TenantError::AgentNotFound => Self::agent_not_found(),
            TenantError::AgentAlreadyExists => Self::management(S::CONFLICT, "AGENT_ALREADY_EXISTS", sentence),
            TenantError::AgentAlreadyDecommissioned => {
                Self::management(S::CONFLICT, "AGENT_ALREADY_DECOMMISSIONED", sentence)
            }
            TenantError::AgentNotActive => Self::management(S::BAD_REQUEST, "AGENT_NOT_ACTIVE", sentence),
            TenantError::CredentialNotFound => Self::management(S::NOT_FOUND, "CREDENTIAL_NOT_FOUND", sentence),
            TenantError::CredentialAlreadyRevoked => {
                Self::management(S::CONFLICT, "CREDENTIAL_ALREADY_REVOKED", sentence)
            }
            TenantError::VersionMismatch => Self::management(S::PRECONDITION_FAILED, "PRECONDITION_FAILED", sentence),
            TenantError::CredentialExpired => Self::management(S::CONFLICT, "CREDENTIAL_EXPIRED", sentence),
            TenantError::CredentialLimitExceeded => {
                Self::management(S::CONFLICT, "CREDENTIAL_LIMIT_EXCEEDED", sentence)
            }
            TenantError::Forbidden(_) => Self::forbidden(sentence),
            TenantError::InsufficientScope(needed) => BearerError::InsufficientScope(needed).into(),
            TenantError::CallerNotActive => BearerError::Invalid.into(),
            TenantError::Store(error) => error.into(),
            TenantError::Replication(error) => error.into(),
            TenantError::Unavailable { retry_after } => Self::Unavailable {
                oauth: false,
                retry_after,
                reason: sentence,
            },
        }
    }
}
