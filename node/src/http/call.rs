//! One request, as an endpoint sees it.

use std::sync::Arc;

use actors::Caller;
use bytes::Bytes;
use domain::{AgentId, Origin};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, IF_MATCH};
use http::{HeaderMap, Method};
use protocol::oauth::BearerError;

use super::connection::OperatorCertificate;
use super::error::ApiError;
use super::fields::Fields;
use super::services::Services;

/// A request with everything that its endpoint may need.
pub struct Call {
    /// What the endpoint can use.
    pub services: Arc<Services>,
    /// The method.
    pub method: Method,
    /// The headers.
    pub headers: HeaderMap,
    /// The query, without the question mark.
    pub query: String,
    /// The parts of the path that stand for something, in order.
    pub parameters: Vec<String>,
    /// The body.
    pub body: Bytes,
    /// From where it came.
    pub origin: Origin,
    /// There if the connection began with an operator's certificate.
    pub operator_certificate: Option<OperatorCertificate>,
    /// Whoever presented a bearer token, on routes that need one.
    pub caller: Option<Caller>,
}

impl Call {
    /// The agent whose bearer token was presented.
    pub fn caller(&self) -> Result<&Caller, ApiError> {
        self.caller.as_ref().ok_or(ApiError::Bearer(BearerError::Missing))
    }

    /// A header, if it is there once and is text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// The `Authorization` header. Two of them are as good as a malformed one.
    pub fn authorization(&self) -> Option<&str> {
        match self.headers.get_all(AUTHORIZATION).iter().count() {
            0 => None,
            1 => Some(self.header(AUTHORIZATION).unwrap_or("")),
            _ => Some(""),
        }
    }

    /// A part of the path that must be an identifier. Anything else can't exist, hence 404.
    pub fn id<T: std::str::FromStr>(&self, index: usize, not_found: impl FnOnce() -> ApiError) -> Result<T, ApiError> {
        self.parameters
            .get(index)
            .and_then(|text| text.parse().ok())
            .ok_or_else(not_found)
    }

    /// The first part of the path that stands for something, as an agent's id.
    pub fn agent_id(&self) -> Result<AgentId, ApiError> {
        self.id(0, ApiError::agent_not_found)
    }

    /// The revision that `If-Match` asks for; `*` asks for any.
    pub fn if_match(&self) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.header(IF_MATCH).filter(|text| *text != "*") else {
            return Ok(None);
        };
        let version = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .and_then(|text| text.parse().ok());
        version.map(Some).ok_or_else(|| {
            let message = "the entity has changed since, or If-Match is not an ETag of it";
            ApiError::management(http::StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED", message)
        })
    }

    /// The members of the JSON object in the body of a management request; an empty body is an empty object.
    pub fn fields(&self) -> Result<Fields, ApiError> {
        if !self.body.is_empty() && !self.has_content_type("application/json") {
            let message = "the body must be JSON: Content-Type: application/json";
            return Err(ApiError::management(
                http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                message,
            ));
        }
        Fields::parse(&self.body)
    }

    /// Whether the body is of this media type; parameters such as a charset do not matter.
    pub fn has_content_type(&self, expected: &str) -> bool {
        let essence = self
            .header(CONTENT_TYPE)
            .and_then(|text| text.split(';').next())
            .map(str::trim);
        essence.is_some_and(|essence| essence.eq_ignore_ascii_case(expected))
    }

    /// The query's parameters.
    pub fn query(&self) -> Result<super::query::Query, ApiError> {
        super::query::Query::parse(&self.query)
    }
}
