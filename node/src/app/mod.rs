//! The composition root. Start-up goes config → master key → store → replicated state → actors → listeners; shutdown goes
//! the other way round.

mod bootstrap;
mod certificate_watch;
mod core;
mod drain_watch;
mod error;
mod foundation;
mod key_maker;
mod key_watch;
mod listener_tls;
mod listeners;
mod machine;
mod master_key;
mod metered;
mod peer_link;
mod preflight;
mod restore;
mod running;

pub use self::core::{Core, Reached};
pub use bootstrap::{AdminCredentials, AdminSecret, Installation};
pub use error::StartError;
pub use foundation::{Foundation, cluster_config, open_stores, prepare_data_directory};
pub use listener_tls::ListenerTls;
pub use listeners::Listeners;
pub use machine::Machine;
pub use master_key::MasterKeyPolicy;
pub use preflight::preflight;
pub use restore::{Restoring, describe as describe_tokens};
pub use running::Running;
