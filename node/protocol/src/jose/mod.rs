//! JOSE: keys (RFC 7517, RFC 7638, RFC 8037), signatures (RFC 7515) and the ring of keys that an installation has.
//!
//! Signing and verifying are our own few lines over aws-lc-rs, because keys are parsed once and used a million times:
//! the `jsonwebtoken` crate parses the private key at every `encode` and the public one at every `decode`, and keeps its
//! provider in a process-wide variable. It is our independent witness in the tests instead.
//!
//! **Architecture invariant:** no symmetric algorithm and no `none` can be expressed here, and a key is only ever used
//! with the one algorithm that it was made for.

mod encoding;
mod error;
mod generate;
mod header;
mod jwk;
mod key_ring;
pub(crate) mod low_s;
mod public_key;
mod rejection;
mod signing_key;

pub use error::JoseError;
pub use generate::{GeneratedKey, generate_key, known_key};
pub use header::TokenType;
pub use key_ring::{KeyRing, KeyUse, RingKey};
pub use public_key::PublicKey;
pub use rejection::TokenRejection;
pub use signing_key::SigningKey;
