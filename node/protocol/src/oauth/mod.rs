//! OAuth 2.0 (RFC 6749) and what extends it: requests as values, errors as values, grants as decisions.

mod basic;
mod bearer;
mod client_authentication;
mod error;
mod form;
pub mod grants;
pub mod metadata;
mod resource;
mod token_query;
mod token_request;

pub use bearer::{BearerError, bearer_token};
pub use client_authentication::{ClientAuthMethod, PresentedClient, authenticate, presented_client};
pub use error::{OAuthError, OAuthErrorCode};
pub use form::Form;
pub use grants::{Grant, decide};
pub use token_query::{QueryCaller, TokenQuery};
pub use token_request::{GrantRequest, TokenRequest};
