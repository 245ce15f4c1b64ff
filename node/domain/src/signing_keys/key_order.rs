//! What operators have done to the ring.

use super::NewSigningKey;

/// An operator's order to replace keys.
pub struct KeyOrder {
    /// The new keys, one for each algorithm.
    pub keys: Vec<NewSigningKey>,
    /// When they begin to sign.
    pub urgency: Urgency,
    /// The address that the order came from.
    pub ordered_from: Option<String>,
}

/// How an operator wants keys to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// The new key is published now and signs when verifiers know it; tokens live on.
    Ahead,
    /// The new key signs at once and every earlier one of its algorithm leaves at once: all tokens that they signed die.
    Emergency,
}
