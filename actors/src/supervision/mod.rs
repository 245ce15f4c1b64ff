//! Who starts the actors, and what happens when one fails.
//!
//! One root supervisor per node starts the permanent actors and replaces each one that fails; the parents among them start
//! and replace tenants and limiters, on demand. An actor that fails too often is left alone for a while: the node reports
//! that it is not ready and calls of that actor are refused, while all others go on. No actor has a name, and none is
//! found through anything global, so several nodes can run in one process.

mod call;
mod child;
mod directory;
mod eviction;
mod family;
mod family_actor;
mod health;
mod keeper;
mod kind;
mod restart;
mod root;
mod slot;

pub(crate) use call::{NoAnswer, answer};
pub(crate) use child::{Child, Permanent};
pub(crate) use directory::{Directory, Member};
pub(crate) use family::{Family, Kin};
pub(crate) use family_actor::{FamilyArguments, FamilyMessage, Parent};
pub use health::ActorsHealth;
pub(crate) use keeper::Keeper;
pub use kind::ActorKind;
pub use restart::RestartPolicy;
pub(crate) use root::RootArguments;
pub(crate) use slot::Slot;
