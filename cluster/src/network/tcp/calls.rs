//! The calls of one connection that wait for their answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::lock::lock;

/// An answer, or why there will be none.
pub(super) type Reply = Result<Bytes, String>;

#[derive(Default)]
struct Waiting {
    last_number: u64,
    replies: BTreeMap<u64, oneshot::Sender<Reply>>,
    /// Why the connection ended.
    ended: Option<String>,
}

/// Numbers calls, and brings answers to them.
#[derive(Clone, Default)]
pub(super) struct Calls(Arc<Mutex<Waiting>>);

/// A call that waits. Dropped, it waits no longer, and an answer that still comes is not for anybody.
pub(super) struct Pending {
    calls: Calls,
    number: u64,
    reply: oneshot::Receiver<Reply>,
}

impl Calls {
    /// Another call, unless the connection has ended; then why.
    pub(super) fn begin(&self) -> Result<Pending, String> {
        let mut waiting = self.lock();
        if let Some(reason) = &waiting.ended {
            return Err(reason.clone());
        }
        waiting.last_number += 1;
        let number = waiting.last_number;
        let (sender, reply) = oneshot::channel();
        waiting.replies.insert(number, sender);
        Ok(Pending {
            calls: self.clone(),
            number,
            reply,
        })
    }

    /// Brings the reply to a call, if it still waits.
    pub(super) fn finish(&self, number: u64, reply: Reply) {
        if let Some(sender) = self.lock().replies.remove(&number) {
            // Whoever called may have given up just now.
            let _ = sender.send(reply);
        }
    }

    /// Ends all calls, and lets no more begin.
    pub(super) fn end(&self, reason: &str) {
        let mut waiting = self.lock();
        waiting.ended.get_or_insert_with(|| reason.to_owned());
        waiting.replies.clear();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().ended.is_some()
    }

    /// Lets no more calls begin if none waits; true then.
    pub(super) fn end_if_idle(&self, reason: &str) -> bool {
        let mut waiting = self.lock();
        let is_idle = waiting.replies.is_empty();
        if is_idle {
            waiting.ended.get_or_insert_with(|| reason.to_owned());
        }
        is_idle
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.0)
    }
}

impl Pending {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The reply; fails with the reason if the connection ended without one.
    pub(super) async fn reply(&mut self) -> Result<Reply, String> {
        (&mut self.reply).await.map_err(|_| {
            let ended = self.calls.lock().ended.clone();
            ended.unwrap_or_else(|| "the connection ended".to_owned())
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.calls.lock().replies.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_find_their_calls_in_any_order() {
        let calls = Calls::default();
        let (mut first, mut second) = (calls.begin().unwrap(), calls.begin().unwrap());
        calls.finish(second.number(), Ok(Bytes::from_static(b"2")));
        calls.finish(first.number(), Err("busy".to_owned()));
        calls.finish(99, Ok(Bytes::new()));
        assert_eq!(second.reply().await, Ok(Ok(Bytes::from_static(b"2"))));
        assert_eq!(first.reply().await, Ok(Err("busy".to_owned())));
    }

    #[tokio::test]
    async fn an_end_is_told_to_all_and_who_gave_up_is_forgotten() {
        let calls = Calls::default();
        drop(calls.begin().unwrap());
        let mut waits = calls.begin().unwrap();
        assert!(!calls.end_if_idle("idle"));
        calls.end("broken");
        calls.end("later");
        assert_eq!(waits.reply().await, Err("broken".to_owned()));
        assert_eq!(calls.begin().map(drop), Err("broken".to_owned()));
        let unused = Calls::default();
        drop(unused.begin().unwrap());
        assert!(unused.end_if_idle("idle") && unused.has_ended());
    }
}
