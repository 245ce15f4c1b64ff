//! The OAuth 2.0 and OpenID Connect endpoints, one file each.

pub mod agent_info;
pub mod client;
pub mod introspect;
pub mod jwks;
pub mod revoke;
pub mod seen;
pub mod token;
