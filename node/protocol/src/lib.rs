//! OAuth 2.0, OpenID Connect and JOSE as pure functions: what a request asks for, whether it is granted, and how the
//! answer is written and checked.
//!
//! **Architecture invariant:** nothing here does I/O, reads a clock, spawns or waits. Bytes and values come in, values
//! and bytes go out; time is a parameter and randomness a port, with the exceptions named where keys are made and used.
//! Whatever comes from outside is parsed within named limits, and nothing that a caller sent is repeated in an error.

pub mod client_secrets;
pub mod jose;
pub mod oauth;
pub mod token;

#[cfg(test)]
pub(crate) mod test_support;

pub use client_secrets::ClientSecrets;
