//! An answer, and the error that it is if it is one.

use std::time::Duration;

use reqwest::header::{ETAG, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::{Error, FieldError, MalformedResponse};
use crate::versioned::{ETag, Versioned};

/// What is of interest in an answer's head.
pub(crate) struct Head {
    pub status: u16,
    etag: Option<ETag>,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    /// Whether the bearer token was refused (RFC 6750 §3.1), and not what it was used for.
    refuses_token: bool,
    /// The scopes that a token would have to hold for the call (RFC 6750 §3.1), if this one did not hold enough.
    lacks_scope: Option<String>,
}

impl Head {
    pub fn of(status: u16, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_sane = |id: &&str| id.len() <= 128 && id.chars().all(|c| c.is_ascii_graphic());
        let challenge = text(WWW_AUTHENTICATE.as_str()).unwrap_or_default();
        Self {
            status,
            etag: text(ETAG.as_str()).and_then(ETag::parse),
            // The form with a date is ignored: it would need clocks that agree, and our servers do not send it.
            retry_after: text(RETRY_AFTER.as_str())
                .and_then(|text| text.trim().parse().ok())
                .map(Duration::from_secs),
            request_id: text("x-request-id").filter(is_sane).map(str::to_owned),
            refuses_token: status == 401 && challenge.contains("error=\"invalid_token\""),
            lacks_scope: (status == 403).then(|| scope_of(challenge)).flatten(),
        }
    }
}

/// The `scope` of a challenge because of too few of them.
fn scope_of(challenge: &str) -> Option<String> {
    let (_, rest) = challenge
        .split_once("error=\"insufficient_scope\"")?
        .1
        .split_once(" scope=\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// An answer that has arrived as a whole.
pub(crate) struct Response {
    head: Head,
    body: Zeroizing<Vec<u8>>,
    /// Whether an earlier try of the same call may have been acted upon.
    pub is_repeated: bool,
}

#[derive(Deserialize)]
struct ManagementError {
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: Details,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    fields: Vec<FieldError>,
}

#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Response {
    pub fn new(head: Head, body: Zeroizing<Vec<u8>>) -> Self {
        Self {
            head,
            body,
            is_repeated: false,
        }
    }

    #[must_use]
    pub fn after_repetition(self, is_repeated: bool) -> Self {
        Self { is_repeated, ..self }
    }

    pub fn status(&self) -> u16 {
        self.head.status
    }

    pub fn refuses_token(&self) -> bool {
        self.head.refuses_token
    }

    pub fn lacks_scope(&self) -> Option<&str> {
        self.head.lacks_scope.as_deref()
    }

    pub fn retry_after(&self) -> Option<Duration> {
        self.head.retry_after
    }

    /// Whether a server that answers so may answer otherwise soon.
    pub fn is_busy(&self) -> bool {
        matches!(self.head.status, 429 | 502 | 503 | 504)
    }

    /// The value in the body of a success.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.success()?.any_json()
    }

    /// The value in the body, and the revision in the head.
    pub fn versioned<T: DeserializeOwned>(self) -> Result<Versioned<T>, Error> {
        let answer = self.success()?;
        let etag = answer.head.etag.clone();
        Ok(Versioned {
            value: answer.any_json()?,
            etag,
        })
    }

    /// A success whose body does not matter.
    pub fn success(self) -> Result<Self, Error> {
        if (200..300).contains(&self.head.status) {
            Ok(self)
        } else {
            Err(self.into_error())
        }
    }

    /// The value in the body, whatever the status.
    pub fn any_json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // What the library says of wrong data may quote it, and the data may be a token: only the place is told.
            let detail = format!(
                "{:?} error at line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            );
            MalformedResponse::Json {
                status: self.head.status,
                detail,
            }
            .into()
        })
    }

    /// The refusal that a status which is no success stands for.
    fn into_error(self) -> Error {
        let Head {
            status,
            request_id,
            retry_after,
            ..
        } = self.head;
        let is_busy = status == 429 || status == 503;
        if (300..400).contains(&status) {
            return MalformedResponse::Redirect { status }.into();
        }
        if let Ok(ManagementError { code, message, details }) = serde_json::from_slice(&self.body) {
            return if is_busy {
                Error::RetryAfter {
                    status,
                    code,
                    after: retry_after,
                    message,
                    request_id,
                }
            } else {
                Error::Api {
                    status,
                    code,
                    message,
                    fields: details.fields,
                    request_id,
                }
            };
        }
        match serde_json::from_slice(&self.body) {
            Ok(OAuthError {
                error,
                error_description,
            }) if is_busy => Error::RetryAfter {
                status,
                code: error,
                after: retry_after,
                message: error_description,
                request_id,
            },
            Ok(OAuthError {
                error,
                error_description,
            }) => Error::OAuth {
                status,
                error,
                description: error_description,
                request_id,
            },
            Err(_) if is_busy => {
                let message = "the server is busy".to_owned();
                Error::RetryAfter {
                    status,
                    code: format!("HTTP_{status}"),
                    after: retry_after,
                    message,
                    request_id,
                }
            }
            Err(_) => MalformedResponse::Status { status, request_id }.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| {
            (
                reqwest::header::HeaderName::from_static(name),
                value.parse().expect("a header's value"),
            )
        });
        Response::new(
            Head::of(status, &headers.collect()),
            Zeroizing::new(body.as_bytes().to_vec()),
        )
    }

    #[test]
    fn details_that_are_not_ours_do_not_hide_the_code() {
        let error = answer(400, &[], r#"{"code":"X","message":"m","details":{"other":[1]}}"#).into_error();
        assert_eq!(error.code(), Some("X"));
    }

    #[test]
    fn a_request_id_that_could_break_a_log_line_is_dropped() {
        let body = r#"{"code":"X","message":"m"}"#;
        assert_eq!(
            answer(400, &[("x-request-id", "ab-1")], body).into_error().request_id(),
            Some("ab-1")
        );
        assert_eq!(
            answer(400, &[("x-request-id", "a b")], body).into_error().request_id(),
            None
        );
        assert_eq!(
            answer(400, &[("x-request-id", &"a".repeat(129))], body)
                .into_error()
                .request_id(),
            None
        );
    }

    #[test]
    fn only_a_refused_token_is_a_refused_token() {
        let challenge = |text| answer(401, &[("www-authenticate", text)], "{}").refuses_token();
        assert!(challenge("Bearer realm=\"agentidp\", error=\"invalid_token\""));
        assert!(!challenge("Bearer realm=\"agentidp\""));
        assert!(!challenge("Basic realm=\"agentidp\""));
        assert!(!answer(403, &[("www-authenticate", "Bearer error=\"invalid_token\"")], "{}").refuses_token());
    }

    #[test]
    fn a_challenge_tells_which_scopes_are_missing() {
        let lacks = |status, text| {
            let answer = answer(status, &[("www-authenticate", text)], "{}");
            answer.lacks_scope().map(str::to_owned)
        };
        let challenge =
            "Bearer realm=\"r\", error=\"insufficient_scope\", error_description=\"It says.\", scope=\"a b\"";
        assert_eq!(lacks(403, challenge).as_deref(), Some("a b"));
        assert_eq!(lacks(401, challenge), None);
        assert_eq!(lacks(403, "Bearer error=\"insufficient_scope\""), None);
        assert_eq!(lacks(403, "Bearer error=\"invalid_token\", scope=\"a b\""), None);
    }

    #[test]
    fn retry_after_in_words_is_ignored() {
        assert_eq!(
            answer(503, &[("retry-after", " 7 ")], "").retry_after(),
            Some(Duration::from_secs(7))
        );
        for text in ["Wed, 21 Oct 2015 07:28:00 GMT", "-1", "1.5", ""] {
            assert_eq!(
                answer(503, &[("retry-after", text)], "").retry_after(),
                None,
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_a_body_holds_is_not_repeated_in_an_error() {
        let error = answer(200, &[], r#"{"keys":"sk_live_secret"}"#)
            .json::<Vec<u8>>()
            .expect_err("no list");
        assert!(!format!("{error} {error:?}").contains("sk_live"), "{error:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_the_error_mapping_panic(status in 300u16..600, body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let head = Head::of(status, &HeaderMap::new());
            let _ = Response::new(head, Zeroizing::new(body)).into_error();
        }
    }
}
