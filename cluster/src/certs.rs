//! The certificates by which the nodes of a cluster know each other: an authority that belongs to one cluster, and a
//! certificate for each node, which carries the node's [`NodeName`].
//!
//! Nothing here touches a file or a clock: certificates come out as PEM, and when they are valid is an argument. Keys
//! are ECDSA on P-256.
//!
//! Whoever has a certificate of the authority is a node of the cluster, or one of its operators: an authority must not sign
//! for anything else.

mod authority;
mod chain;
mod node_name;
mod operator_trust;
mod private_key;
mod validity;

pub use authority::{CertificateAuthority, NodeCertificate};
pub(crate) use chain::{Chain, Trusted, certificates};
pub use node_name::NodeName;
pub use operator_trust::OperatorTrust;
pub use private_key::PrivateKeyPem;
pub use validity::Validity;
