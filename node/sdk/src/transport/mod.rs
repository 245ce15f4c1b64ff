//! One exchange with the server: a call goes out, an answer comes back or does not. Nothing here tries twice.
//!
//! **Architecture invariant:** the HTTP library is known in this folder only.

mod call;
mod form;
mod issuer;
mod response;

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, IF_MATCH};
use zeroize::Zeroizing;

pub(crate) use call::{Body, Call, Method, Repeat};
pub(crate) use form::{Form, encoded as form_encoded};
pub(crate) use issuer::Issuer;
pub(crate) use response::Response;

use crate::error::{Error, MalformedResponse, Misconfiguration, TransportError, TransportFailure};

/// The largest body that is read, in bytes.
pub(crate) const RESPONSE_MAX: usize = 1024 * 1024;

/// How the connections are made.
pub(crate) struct TransportOptions {
    /// For one exchange, from connecting to the last byte.
    pub timeout: Duration,
    /// For connecting alone.
    pub connect_timeout: Duration,
    /// What the client calls itself.
    pub user_agent: String,
    /// Certificates of authorities, in PEM, that are trusted beside the machine's own.
    pub trusted_pem: Option<Vec<u8>>,
    /// The certificate that is shown where one is asked for, and its private key, in PEM.
    pub shown_pem: Option<Zeroizing<Vec<u8>>>,
}

/// Connections to one issuer.
pub(crate) struct Transport {
    http: reqwest::Client,
    issuer: Issuer,
}

impl Transport {
    pub fn new(issuer: Issuer, options: TransportOptions) -> Result<Self, Misconfiguration> {
        let trusted = match options.trusted_pem {
            Some(pem) => certificates(&pem)?,
            None => Vec::new(),
        };
        let shown = options.shown_pem.map(|pem| {
            let unusable = "the client's certificate and key can't be used; both must be PEM, and belong together";
            reqwest::Identity::from_pem(&pem).map_err(|_| Misconfiguration::HttpClient(unusable.to_owned()))
        });
        let mut builder = reqwest::Client::builder()
            .timeout(options.timeout)
            .connect_timeout(options.connect_timeout)
            .user_agent(options.user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy();
        if let Some(shown) = shown.transpose()? {
            builder = builder.identity(shown);
        }
        // Without TLS there is no reason to read the machine's certificates, and none to fail where it has none.
        let builder = if issuer.is_tls() {
            builder.https_only(true).tls_certs_merge(trusted)
        } else {
            builder.tls_certs_only(trusted)
        };
        let http = builder
            .build()
            .map_err(|error| Misconfiguration::HttpClient(sentence(error)))?;
        Ok(Self { http, issuer })
    }

    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Sends a call once. Any status is an answer; an error means that there was none, or one that can't be read.
    pub async fn exchange(&self, call: &Call, authorization: Option<&str>) -> Result<Response, Error> {
        let mut answer = self
            .request(call, authorization)?
            .send()
            .await
            .map_err(transport_error)?;
        let head = response::Head::of(answer.status().as_u16(), answer.headers());
        let announced = answer
            .content_length()
            .and_then(|length| usize::try_from(length).ok())
            .unwrap_or(0);
        let mut body = Zeroizing::new(Vec::new());
        check_size(announced)?;
        body.reserve(announced);
        while let Some(chunk) = answer.chunk().await.map_err(transport_error)? {
            check_size(body.len() + chunk.len())?;
            body.extend_from_slice(&chunk);
        }
        Ok(Response::new(head, body))
    }

    fn request(&self, call: &Call, authorization: Option<&str>) -> Result<reqwest::RequestBuilder, Error> {
        let url = self.issuer.url(&call.path, call.query.pairs());
        let mut request = self
            .http
            .request(call.method.into(), url)
            .header(ACCEPT, "application/json");
        if let Some(text) = authorization {
            let mut value = HeaderValue::from_str(text).map_err(|_| Misconfiguration::Credentials)?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(etag) = &call.if_match {
            request = request.header(IF_MATCH, etag.as_str());
        }
        Ok(match &call.body {
            Body::None => request,
            Body::Json(json) => request.header(CONTENT_TYPE, "application/json").body(json.clone()),
            Body::Form(form) => request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.as_str().to_owned()),
        })
    }
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, Misconfiguration> {
    let refuse = |reason: String| Err(Misconfiguration::Certificates(reason));
    match reqwest::Certificate::from_pem_bundle(pem) {
        Ok(found) if found.is_empty() => refuse("there is no certificate in it".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => refuse(sentence(error)),
    }
}

fn check_size(bytes: usize) -> Result<(), MalformedResponse> {
    if bytes > RESPONSE_MAX {
        Err(MalformedResponse::TooLarge { limit: RESPONSE_MAX })
    } else {
        Ok(())
    }
}

fn transport_error(error: reqwest::Error) -> Error {
    let failure = if error.is_connect() {
        TransportFailure::Connect
    } else if error.is_timeout() {
        TransportFailure::Timeout
    } else {
        TransportFailure::Broken
    };
    TransportError {
        failure,
        detail: sentence(error),
    }
    .into()
}

/// The innermost cause, which is the one that says something. Addresses are left out: they are the caller's own.
fn sentence(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}
