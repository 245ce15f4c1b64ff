//! Cross-origin requests from browsers (the Fetch standard's CORS protocol). Off unless origins are configured.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method};

use super::reply::{Response, no_content};

/// The browser origins that may call.
#[derive(Clone, Default)]
pub struct Cors {
    allowed: Vec<String>,
}

impl Cors {
    /// For these origins.
    pub fn new(allowed: Vec<String>) -> Self {
        Self { allowed }
    }

    /// The request's `Origin`, if it is one of those that may call.
    pub fn origin_of(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        self.allowed
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
            .then(|| origin.clone())
    }

    /// The answer to a preflight request from an origin that may call.
    pub fn preflight(&self, method: &Method, origin: Option<&HeaderValue>) -> Option<Response> {
        if method != Method::OPTIONS || origin.is_none() {
            return None;
        }
        let mut response = no_content();
        let headers = response.headers_mut();
        headers.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, PATCH, DELETE"),
        );
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, if-match, x-request-id"),
        );
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        Some(response)
    }

    /// Puts the headers on that let the page read the answer.
    pub fn decorate(&self, headers: &mut HeaderMap, origin: Option<HeaderValue>) {
        if !self.allowed.is_empty() {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("x-request-id, retry-after, etag"),
            );
        }
    }
}
