//! The key-rotation schedule: publishes signing keys ahead, lets them sign when verifiers know them, removes them when
//! their last token has expired, seals everything anew after a change of the master key, and tells the audit log of every
//! step. Each node has one; only the one that the replicated state names acts.

mod actor;
mod handle;
mod plan;
mod state;

pub(crate) use actor::{KeyRotationMessage, KeyRotator};
pub use handle::KeyRotationHandle;
pub(crate) use handle::KeyRotationParts;
pub use plan::KeyPlan;
