//! Names of what calls are about, each of a type of its own.

use std::sync::Arc;

/// Makes a type of name.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// As the nodes write it.
            pub fn new(text: &str) -> Self {
                Self(text.into())
            }

            /// As the nodes write it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )+};
}

names!(
    /// An agent's id.
    AgentId,
    /// A credential's id.
    CredentialId,
    /// A token's `jti`.
    TokenId,
    /// A signing key's `kid`.
    KeyId,
);

/// A node's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub u64);
