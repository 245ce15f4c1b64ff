//! Plain HTTP: requests that can say anything, answers that can be asked for anything.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use serde_json::Value;

use crate::client::Client;

/// Longer than any answer should take, also on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A listener of a node.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
}

impl Api {
    /// At a base URL such as `http://127.0.0.1:3000`.
    pub fn at(base: &str) -> Self {
        let http = options().build().expect("a client without options");
        Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    /// At a base URL whose certificate is this one, in PEM, and no other.
    pub fn trusting(base: &str, certificate: &str) -> Self {
        let certificate = reqwest::Certificate::from_pem(certificate.as_bytes()).expect("a certificate in PEM");
        let http = options()
            .tls_certs_only([certificate])
            .build()
            .expect("a client with a certificate");
        Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    /// The base URL.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request with any method.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let method = method.parse().expect("a method");
        Request {
            builder: self.http.request(method, format!("{}{path}", self.base)),
        }
    }

    /// GET.
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// POST.
    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }
}

fn options() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
}

/// A request that is being put together.
pub struct Request {
    builder: reqwest::RequestBuilder,
}

impl Request {
    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = reqwest::header::HeaderValue::from_bytes(value.as_ref()).expect("a header value");
        Self {
            builder: self.builder.header(name, value),
        }
    }

    /// Presents a bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), format!("Bearer {token}"))
    }

    /// Authenticates the client by `client_secret_basic`.
    #[must_use]
    pub fn basic(self, client: &Client) -> Self {
        self.header(AUTHORIZATION.as_str(), client.basic())
    }

    /// A JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        Self {
            builder: self.builder.json(body),
        }
    }

    /// A form body.
    #[must_use]
    pub fn form(self, parameters: &[(&str, &str)]) -> Self {
        Self {
            builder: self.builder.form(parameters),
        }
    }

    /// Any body.
    #[must_use]
    pub fn body(self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            builder: self.builder.header(CONTENT_TYPE, content_type).body(bytes.into()),
        }
    }

    /// Sends it; panics if there is no answer.
    pub async fn send(self) -> Answer {
        self.try_send()
            .await
            .unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// Sends it to a node that may be killed meanwhile.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let response = self.builder.send().await?;
        let (status, headers, path) = (
            response.status().as_u16(),
            response.headers().clone(),
            response.url().path().to_owned(),
        );
        Ok(Answer {
            status,
            headers,
            path,
            body: response.bytes().await?.to_vec(),
        })
    }
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body's bytes.
    pub body: Vec<u8>,
    path: String,
}

impl Answer {
    /// This answer, if it has the status; panics with what it says otherwise.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} answered: {}", self.path, self.text());
        self
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{} answered no JSON ({error}): {}", self.path, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value; empty if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }

    /// Checks that this is a management error with this status and code, in exactly the promised shape.
    #[track_caller]
    pub fn expect_error(&self, status: u16, code: &str) -> Value {
        let body = self.json();
        assert_eq!(
            (self.status, body["code"].as_str()),
            (status, Some(code)),
            "{} answered: {body}",
            self.path
        );
        assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        let members: Vec<&String> = body.as_object().expect("an object").keys().collect();
        assert!(
            members
                .iter()
                .all(|name| ["code", "message", "details"].contains(&name.as_str())),
            "{body}"
        );
        assert!(
            self.header("content-type").starts_with("application/json"),
            "{:?}",
            self.headers
        );
        body
    }

    /// Checks that this is an OAuth error (RFC 6749 §5.2) with this status and code.
    #[track_caller]
    pub fn expect_oauth_error(&self, status: u16, error: &str) -> Value {
        let body = self.json();
        assert_eq!(
            (self.status, body["error"].as_str()),
            (status, Some(error)),
            "{} answered: {body}",
            self.path
        );
        let description = body["error_description"].as_str().unwrap_or_default();
        assert!(
            !description.is_empty()
                && description
                    .chars()
                    .all(|c| matches!(c, ' '..='~') && c != '"' && c != '\\'),
            "{body}"
        );
        assert!(
            self.header("content-type").starts_with("application/json"),
            "{:?}",
            self.headers
        );
        body
    }

    /// The names in `details.fields` of a validation error, sorted.
    #[track_caller]
    pub fn bad_fields(&self) -> Vec<String> {
        let body = self.json();
        let fields = body["details"]["fields"]
            .as_array()
            .unwrap_or_else(|| panic!("details.fields in {body}"));
        let mut names: Vec<String> = fields
            .iter()
            .map(|field| field["field"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert!(
            fields
                .iter()
                .all(|field| field["reason"].as_str().is_some_and(|text| !text.is_empty())),
            "{body}"
        );
        names.sort();
        names
    }
}
