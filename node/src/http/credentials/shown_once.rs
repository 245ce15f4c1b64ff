//! The only answer that ever holds a client secret.

use domain::{Credential, Secret};
use http::StatusCode;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::http::error::ApiError;
use crate::http::reply::{Response, json_bytes, no_store};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(flatten)]
    credential: &'a Credential,
    client_secret: &'a str,
}

/// The credential with its secret. Caches must not keep it, and our own copy is wiped.
pub fn reply(status: StatusCode, credential: &Credential, secret: &Secret) -> Result<Response, ApiError> {
    let body = Body {
        credential,
        client_secret: secret.expose(),
    };
    let text = serde_json::to_vec(&body)
        .map(Zeroizing::new)
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(no_store(json_bytes(status, text.to_vec())))
}
