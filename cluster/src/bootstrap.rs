//! The first keys of an installation, before they are sealed.

use domain::{KeyTerms, NewSigningKey};
use zeroize::Zeroizing;

/// What an installation needs before it can issue its first token.
pub struct Bootstrap {
    /// The first signing keys, one for each algorithm; they are current at once, since nobody can know older ones.
    pub keys: Vec<NewSigningKey>,
    /// The key of the keyed digests under which client secrets are stored.
    pub digest_key: Zeroizing<[u8; 32]>,
    /// What is promised to whoever verifies tokens, from the first one on.
    pub terms: KeyTerms,
}
