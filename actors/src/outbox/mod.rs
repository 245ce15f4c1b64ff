//! The outbox relay: marks what requests have finished, and finishes what a crash, a store or a cluster that was away has
//! left behind. Everything that it does may be done twice without harm.

mod actor;
mod handle;
mod state;

pub(crate) use actor::{OutboxMessage, OutboxRelay};
pub use handle::OutboxHandle;
pub(crate) use handle::OutboxParts;
