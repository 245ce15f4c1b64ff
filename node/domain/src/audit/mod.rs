//! The audit log: what happened, in a hash chain per organization, so that no record can be changed, removed, moved or
//! inserted without the chain telling.

mod action;
mod chain;
mod event;
mod json_text;
mod recorded;

pub use action::{Action, Outcome};
pub use chain::{ChainHead, ChainVerifier, Hash, InvalidHash, Verdict};
pub use event::{AuditEvent, AuditFilter, AuditRecord, Origin};
pub use json_text::JsonText;
pub use recorded::Recorded;
