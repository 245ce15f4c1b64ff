//! What is asked of the server, without how it is sent.

use serde::Serialize;

use super::form::Form;
use crate::query::Query;
use crate::versioned::ETag;

/// The methods that the API has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

/// Whether a call may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Doing it twice is like doing it once.
    WhenBusy,
    /// Only if it certainly never reached the server.
    WhenUnsent,
    /// Not at all: whatever is answered is the answer.
    Never,
}

/// A body in the form in which it travels.
pub(crate) enum Body {
    None,
    Json(Vec<u8>),
    Form(Form),
}

/// A request before it is sent, as often as it may be.
pub(crate) struct Call {
    pub method: Method,
    /// Below the issuer; made of constants and UUIDs only, so nothing in it needs escaping.
    pub path: String,
    pub query: Query,
    pub body: Body,
    pub if_match: Option<ETag>,
    pub repeat: Repeat,
}

impl Call {
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        let repeat = if method == Method::Post {
            Repeat::WhenUnsent
        } else {
            Repeat::WhenBusy
        };
        Self {
            method,
            path: path.into(),
            query: Query::default(),
            body: Body::None,
            if_match: None,
            repeat,
        }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path)
    }

    /// A form to an OAuth endpoint. All of those that we call may be repeated: a token that is issued and lost expires.
    pub fn form(path: &'static str, form: Form) -> Self {
        Self {
            body: Body::Form(form),
            repeat: Repeat::WhenBusy,
            ..Self::new(Method::Post, path)
        }
    }

    #[must_use]
    pub fn query(self, query: Query) -> Self {
        Self { query, ..self }
    }

    #[must_use]
    pub fn json(self, value: &impl Serialize) -> Self {
        let json = serde_json::to_vec(value).expect("a request's fields are texts, numbers and lists of them");
        Self {
            body: Body::Json(json),
            ..self
        }
    }

    /// Makes the call fail if the entity has moved on. A repetition would meet the revision that the first try made, so
    /// a change is not repeated then.
    #[must_use]
    pub fn if_match(self, etag: Option<&ETag>) -> Self {
        let repeat = if etag.is_some() {
            Repeat::WhenUnsent
        } else {
            self.repeat
        };
        Self {
            if_match: etag.cloned(),
            repeat,
            ..self
        }
    }

    #[must_use]
    pub fn never_repeated(self) -> Self {
        Self {
            repeat: Repeat::Never,
            ..self
        }
    }
}
