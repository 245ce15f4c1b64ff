//! Why a node must not go on taking part, if it must not: it has met what it does not understand, or learnt that it
//! belongs to a cluster that is no more.

use std::sync::OnceLock;

use tokio::sync::Notify;

/// The reason, once there is one; the first counts.
#[derive(Debug, Default)]
pub(crate) struct Halt {
    reason: OnceLock<String>,
    is_there: Notify,
}

impl Halt {
    /// Asks the node to stop taking part.
    pub(crate) fn ask(&self, reason: String) {
        if self.reason.set(reason).is_ok() {
            self.is_there.notify_one();
        }
    }

    /// Why the node stops, if it was asked to.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.get().map(String::as_str)
    }

    /// Waits until the node is asked to stop; for the one task that stops it.
    pub(crate) async fn asked(&self) -> &str {
        loop {
            if let Some(reason) = self.reason() {
                return reason;
            }
            self.is_there.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_counts_and_is_not_missed() {
        let halt = Halt::default();
        assert_eq!(halt.reason(), None);
        halt.ask("outlived".to_owned());
        halt.ask("something else".to_owned());
        assert_eq!(halt.asked().await, "outlived");
        assert_eq!(halt.reason(), Some("outlived"));
    }
}
