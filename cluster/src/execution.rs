//! Where blocking disk work runs.

use tokio::task::{JoinError, spawn_blocking};

/// Where blocking disk work runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Execution {
    /// On threads of its own, so that the async runtime never waits for a disk.
    #[default]
    Threads,
    /// In the calling task: every run takes the same steps in the same order, as a simulator needs.
    Inline,
}

impl Execution {
    /// Does the work there; fails only if the work panicked on a thread, or the runtime has ended.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        match self {
            Execution::Threads => spawn_blocking(work).await,
            Execution::Inline => Ok(work()),
        }
    }
}
