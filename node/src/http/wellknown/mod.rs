//! Metadata that clients discover the node by.

pub mod authorization_server;
pub mod openid_configuration;

/// Metadata changes with releases only.
const CACHE_CONTROL: &str = "public, max-age=300";
