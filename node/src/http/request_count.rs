//! How many requests are being answered, for who waits until there are none.

use std::sync::Arc;

use tokio::sync::watch;

/// Counts requests. Copies count together.
#[derive(Clone)]
pub struct RequestCount(Arc<watch::Sender<usize>>);

impl RequestCount {
    /// None yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// Counts one until what this answers is dropped.
    pub fn begin(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.0.clone())
    }

    /// Returns when none is being answered.
    pub async fn none(&self) {
        // The sender lives as long as this.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Default for RequestCount {
    fn default() -> Self {
        Self::new()
    }
}

/// A request that is being answered.
pub struct Counted(Arc<watch::Sender<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn there_are_none_when_the_last_is_answered() {
        let count = RequestCount::new();
        assert!(count.none().now_or_never().is_some());
        let (one, other) = (count.begin(), count.clone().begin());
        drop(one);
        assert!(count.none().now_or_never().is_none());
        drop(other);
        count.none().await;
    }
}
