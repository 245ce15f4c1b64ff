//! The audit writer: groups records into transactions, and tells each caller when its record is durable.
//!
//! Records go into one bounded queue that outlives the actor; the actor is woken once and takes what has queued while the
//! previous transaction was under way. So there is no message for each record, nothing waits while nothing is under way,
//! and a writer that dies takes no record with it that is not already on its way to the store.

mod actor;
mod batch;
mod handle;
mod state;

pub(crate) use actor::{AuditMessage, AuditWriter};
pub use handle::AuditHandle;
pub(crate) use handle::AuditParts;
pub(crate) use state::AuditState;
