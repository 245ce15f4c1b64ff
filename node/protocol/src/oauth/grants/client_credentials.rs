//! `client_credentials` (RFC 6749 §4.4): the agent asks for itself, and what its credential allows is what there is.

use super::{Basis, Client};

/// The credential's scopes; the token founds a family of its own.
pub(super) fn basis(client: &Client<'_>) -> Basis {
    Basis {
        scope_max: client.record.allowed(client.credential),
        family: None,
    }
}
