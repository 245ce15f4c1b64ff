//! OAuth 2.0 (RFC 6749) and what extends it: requests as values, errors as values, grants as decisions.

mod basic;
mod client_authentication;
mod error;
mod form;
pub mod grants;
mod resource;
mod token_request;

pub use client_authentication::{ClientAuthMethod, PresentedClient, authenticate, presented_client};
pub use error::{OAuthError, OAuthErrorCode};
pub use form::Form;
pub use grants::{Grant, decide};
pub use token_request::{GrantRequest, TokenRequest};
