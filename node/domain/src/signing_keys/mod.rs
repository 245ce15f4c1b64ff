//! Signing keys and the steps of their lives. Published before the first signature, kept after the last one: what is
//! promised to whoever verifies tokens is written down in [`KeyTerms`], and the replicated state holds every step to it.

mod key_event;
mod key_order;
mod key_record;
mod key_ring_view;
mod key_state;
mod key_step;
mod key_terms;
mod new_signing_key;

pub use key_event::{KeyDeed, KeyEvent};
pub use key_order::{KeyOrder, Urgency};
pub use key_record::KeyRecord;
pub use key_ring_view::{KeyRingView, Ownership, SealingProgress};
pub use key_state::KeyState;
pub use key_step::{KeyStep, Resealing};
pub use key_terms::KeyTerms;
pub use new_signing_key::NewSigningKey;
