//! How often a client may ask: fixed windows of one minute, counted for each client and class of requests.
//!
//! The request path takes a permit from a lease with one atomic operation. Only when the window is over it asks the client's
//! actor, which opens the next one. What has been handed out in a window stands in the lease, which outlives the actor:
//! one that dies loses permits at worst, and its successor can't hand them out twice.

mod actor;
mod admission;
mod class;
mod handle;
mod lease;
mod overflow;
mod state;

pub(crate) use actor::LimiterKin;
pub use admission::Admission;
pub use class::LimitClass;
pub use handle::LimiterHandle;
