//! A member that is about to be removed is drained first: it is asked to, and says when it has answered what it was asked.
//! Who serves requests listens here; where nobody does, there is nothing to wait for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::freshness::Freshness;

/// How long a removal waits for requests in flight. An operator waits for it.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// Between those who ask and those who serve.
pub(crate) struct Drain {
    /// How often it was asked.
    asked: watch::Sender<u64>,
    /// The number of the last asking that was carried out.
    done: watch::Sender<u64>,
    freshness: Arc<Freshness>,
}

impl Drain {
    pub(crate) fn new(freshness: Arc<Freshness>) -> Self {
        Self {
            asked: watch::Sender::new(0),
            done: watch::Sender::new(0),
            freshness,
        }
    }

    /// Asks for it, and waits until it is done or was given up. From then on the node vouches for nothing.
    pub(crate) async fn ask(&self) {
        self.answer_all().await;
        self.freshness.leave();
    }

    async fn answer_all(&self) {
        let mut number = 0;
        self.asked.send_modify(|asked| {
            *asked += 1;
            number = *asked;
        });
        if self.asked.receiver_count() == 0 {
            return;
        }
        let mut done = self.done.subscribe();
        if timeout(DRAIN_MAX, done.wait_for(|done| *done >= number)).await.is_err() {
            tracing::warn!("requests are still in flight; the removal does not wait for them any longer");
        }
    }

    /// Changes when it is asked.
    pub(crate) fn asked(&self) -> watch::Receiver<u64> {
        self.asked.subscribe()
    }

    /// Carried out is the asking of this number, and those before.
    pub(crate) fn done(&self, number: u64) {
        self.done.send_modify(|done| *done = number.max(*done));
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::ports::Clock;

    use super::*;

    struct Still;
    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::EPOCH
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    fn freshness() -> Arc<Freshness> {
        Arc::new(Freshness::new(Arc::new(Still), Duration::from_secs(5)))
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_where_nobody_serves_and_longer_than_the_limit_nowhere() {
        let drain = Drain::new(freshness());
        let began = tokio::time::Instant::now();
        drain.ask().await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        let _serving = drain.asked();
        drain.ask().await;
        assert_eq!(began.elapsed(), DRAIN_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_waits_until_what_was_in_flight_is_done() {
        let drain = Arc::new(Drain::new(freshness()));
        let mut asked = drain.asked();
        let asking = tokio::spawn({
            let drain = drain.clone();
            async move { drain.ask().await }
        });
        asked.changed().await.unwrap();
        let number = *asked.borrow_and_update();
        tokio::task::yield_now().await;
        assert!(!asking.is_finished());
        drain.done(number);
        asking.await.unwrap();
    }
}
