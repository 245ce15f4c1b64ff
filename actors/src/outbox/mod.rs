//! The outbox relay: marks what requests have finished, and finishes what a crash, a store or a cluster that was away has
//! left behind.
//!
//! What another node is just about to finish looks the same as what it has left behind, and an order to kill tokens that
//! is repeated kills those, too, that were issued meanwhile. So an entry stayed behind when this node has seen it pending
//! at two looks that lie further apart than any request takes that is answered; and an order that kills is marked before
//! it is answered. What is repeated nonetheless was never answered.

mod actor;
mod handle;
mod parts;
mod state;

pub(crate) use actor::{OutboxMessage, OutboxRelay};
pub use handle::OutboxHandle;
pub(crate) use parts::OutboxParts;
