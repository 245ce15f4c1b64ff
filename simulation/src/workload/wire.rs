//! The way to the nodes: over real sockets, or through a simulated network. Clients know neither.

use std::time::Duration;

use async_trait::async_trait;
use form_urlencoded::Serializer;
use serde_json::Value;

use super::client::Client;
use super::shared::Target;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What clients ask: small, and sent at once.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The method.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// The value of the header of that name.
    pub authorization: Option<String>,
    /// The media type and the bytes of the body, if there is one.
    pub body: Option<(&'static str, String)>,
    /// How long to wait for the answer.
    pub patience: Duration,
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The status.
    pub status: u16,
    /// What the header of that name says.
    pub retry_after: Option<Duration>,
    /// How long the answer may be kept, as `Cache-Control` says it (RFC 9111 §5.2.2.1).
    pub max_age: Option<Duration>,
    /// The body, if it is JSON.
    pub body: Value,
}

/// Carries requests to nodes.
#[async_trait]
pub trait Wire: Send + Sync {
    /// Sends a request to a node; `None` if no complete answer came in time.
    async fn ask(&self, target: &Target, ask: Ask) -> Option<Heard>;
}

/// What the value of a `Cache-Control` header says of how long the answer may be kept.
pub fn max_age(cache_control: &str) -> Option<Duration> {
    let mut directives = cache_control.split(',').map(str::trim);
    let seconds = directives.find_map(|directive| directive.strip_prefix("max-age="))?;
    seconds.parse().ok().map(Duration::from_secs)
}

impl Ask {
    /// A request without a body.
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            authorization: None,
            body: None,
            patience: PATIENCE,
        }
    }

    /// One that reads.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// One that posts a form.
    pub fn form(path: &str, fields: &[(&str, &str)]) -> Self {
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        Self {
            body: Some(("application/x-www-form-urlencoded", form)),
            ..Self::new("POST", path)
        }
    }

    /// One for a token (RFC 6749 §4.4.2), with these scopes or, if there are none, with those that are given by default.
    pub fn token(client: &Client, scopes: &str) -> Self {
        let fields = [("grant_type", "client_credentials"), ("scope", scopes)];
        Self::form("/oauth2/token", &fields[..if scopes.is_empty() { 1 } else { 2 }]).by(client)
    }

    /// With a body of JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        Self {
            body: Some(("application/json", body.to_string())),
            ..self
        }
    }

    /// In the name of a client.
    #[must_use]
    pub fn by(self, client: &Client) -> Self {
        Self {
            authorization: Some(client.basic()),
            ..self
        }
    }

    /// With a token (RFC 6750 §2.1).
    #[must_use]
    pub fn bearing(self, token: &str) -> Self {
        Self {
            authorization: Some(format!("Bearer {token}")),
            ..self
        }
    }

    /// Waiting so long.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_be_kept_for_as_long_as_it_says() {
        assert_eq!(max_age("public, max-age=300"), Some(Duration::from_secs(300)));
        assert_eq!(max_age("max-age=1"), Some(Duration::from_secs(1)));
        assert_eq!(max_age("no-cache"), None);
    }
}
