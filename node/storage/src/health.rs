//! How a store does.

/// How busy the connections of a store are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolState {
    /// Connections that are in use.
    pub active: u32,
    /// Callers that wait for one.
    pub waiting: u32,
}
