//! Why the clients could not do their part: their own trouble, not the nodes'.

/// What went wrong, as a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WorkloadError(String);

impl WorkloadError {
    /// With what went wrong.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}
