//! How recent a node's view of revocations is, proven rather than assumed.
//!
//! At short intervals a node asks the leader for a *read index*: how far the log was committed, confirmed by a quorum
//! that the leader still leads. Once the node has applied that index, its view is as recent as the moment at which it
//! asked, on its own monotonic clock. No clocks are compared, and who follows a deposed leader goes stale by itself.
//!
//! A node that its own state does not know as a member proves nothing yet. Whoever revokes asks the members; a change that
//! was made when this node was none of them comes before the one by which it joined, and so it has that, too.
//!
//! A follower asks the leader through the network, the leader asks itself; both wait until they have applied what it
//! says. The leader confirms each request with its quorum instead of relying on a lease: a lease that was granted before a
//! member restarted is not remembered by it, and the round trip costs next to nothing four times a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::ports::{Clock, ReplicationError};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, timeout};

use crate::distance::Distance;
use crate::leader::LeaderLink;
use crate::publish::Published;

/// No proof yet.
const NEVER: u64 = 0;
/// A node that is to be removed is removed within this time, or not at all.
const LEAVES_WITHIN: Duration = Duration::from_secs(20);
/// How long a request waits for the next proof: four are asked for in this time.
const NEXT_PROOF_WITHIN: Duration = Duration::from_secs(1);

/// The moment as of which the node's view is known to be complete.
pub(crate) struct Freshness {
    clock: Arc<dyn Clock>,
    limit: Duration,
    /// Nanoseconds of the monotonic clock, plus one; or [`NEVER`].
    confirmed_at: AtomicU64,
    confirmed: Notify,
    /// Until this moment the node vouches for nothing, in nanoseconds of the monotonic clock.
    leaving_until: AtomicU64,
    distance: Distance,
}

impl Freshness {
    pub(crate) fn new(clock: Arc<dyn Clock>, limit: Duration) -> Self {
        Self {
            clock,
            limit,
            confirmed_at: AtomicU64::new(NEVER),
            confirmed: Notify::new(),
            leaving_until: AtomicU64::new(0),
            distance: Distance::default(),
        }
    }

    /// How old the view may be; `Duration::MAX` before the first proof.
    pub(crate) fn staleness(&self) -> Duration {
        match self.confirmed_at.load(Ordering::Acquire) {
            NEVER => Duration::MAX,
            confirmed => self
                .clock
                .monotonic()
                .saturating_sub(Duration::from_nanos(confirmed - 1)),
        }
    }

    /// Fails if the view is too old to vouch for anything.
    pub(crate) fn require(&self) -> Result<(), ReplicationError> {
        if self.is_fresh() {
            Ok(())
        } else {
            Err(ReplicationError::Stale)
        }
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.staleness() <= self.limit && nanos(self.clock.monotonic()) >= self.leaving_until.load(Ordering::Acquire)
    }

    /// The node is about to be removed: nobody tells it of revocations from then on, and so it vouches for nothing. If it
    /// is not removed after all, it goes on in a while.
    pub(crate) fn leave(&self) {
        let until = nanos(self.clock.monotonic().saturating_add(LEAVES_WITHIN));
        self.leaving_until.fetch_max(until, Ordering::AcqRel);
    }

    /// How far away the leader and its quorum are.
    pub(crate) fn distance(&self) -> &Distance {
        &self.distance
    }

    /// The view is complete as of `asked_at`. Proofs that arrive out of order do no harm.
    fn confirm(&self, asked_at: Duration) {
        self.confirmed_at.fetch_max(nanos(asked_at) + 1, Ordering::AcqRel);
        self.confirmed.notify_waiters();
    }

    /// Waits until the view is proven to be complete as of now. It asks for nothing itself: however many requests wait, they
    /// wait for the same proof.
    pub(crate) async fn next_proof(&self) -> Result<(), ReplicationError> {
        self.require()?;
        let now = nanos(self.clock.monotonic()) + 1;
        let proven = async {
            loop {
                // Before looking, or a proof between the two would be missed.
                let confirmed = self.confirmed.notified();
                if self.confirmed_at.load(Ordering::Acquire) > now {
                    return;
                }
                confirmed.await;
            }
        };
        timeout(NEXT_PROOF_WITHIN, proven)
            .await
            .map_err(|_| ReplicationError::Stale)?;
        self.require()
    }

    /// Asks for one proof and waits until what it covers is applied.
    pub(crate) async fn refresh(&self, leader: &LeaderLink, published: &Published) -> Result<(), String> {
        let asked_at = self.clock.monotonic();
        let proof = async {
            let index = leader.read_index().await.map_err(|error| error.to_string())?;
            self.distance.note(self.clock.monotonic().saturating_sub(asked_at));
            let applying = leader.raft().wait(Some(self.limit));
            let applied = applying.applied_index_at_least(Some(index), "the read index").await;
            applied
                .map(drop)
                .map_err(|_| "what the leader has committed was not applied in time".to_owned())
        };
        timeout(self.limit, proof)
            .await
            .map_err(|_| "the leader's quorum did not answer in time".to_owned())??;
        if !published.held().has_member(*leader.raft().node_id()) {
            return Err("this node is not a member of the cluster".to_owned());
        }
        self.confirm(asked_at);
        Ok(())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1)
}

/// Keeps the view fresh.
pub(crate) async fn keep_fresh(
    freshness: Arc<Freshness>,
    (leader, published): (LeaderLink, Arc<Published>),
    interval: Duration,
) {
    let mut rounds = tokio::time::interval(interval);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Told::Nothing {
        since: freshness.clock.monotonic(),
    };
    loop {
        rounds.tick().await;
        let outcome = freshness.refresh(&leader, &published).await;
        match told.after_round(freshness.is_fresh(), freshness.clock.monotonic(), freshness.limit) {
            Some(News::Stale) => {
                let reason = outcome.err().unwrap_or_else(|| "the proof came too late".to_owned());
                tracing::warn!(
                    reason,
                    "this node can't prove that its view of revocations is recent, and vouches for nothing"
                );
            }
            Some(News::FreshAgain) => tracing::info!("this node's view of revocations is recent again"),
            None => {}
        }
    }
}

/// What an operator should hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Stale,
    FreshAgain,
}

/// What an operator was last told of the view, so that only changes are news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// The node has been starting since then: that there is no leader yet is no news while it may still come in time.
    Nothing {
        since: Duration,
    },
    Fresh,
    Stale,
}

impl Told {
    fn after_round(&mut self, is_fresh: bool, now: Duration, limit: Duration) -> Option<News> {
        let (told, news) = match (*self, is_fresh) {
            (Told::Nothing { .. }, true) => (Told::Fresh, None),
            (Told::Nothing { since }, false) if now.saturating_sub(since) <= limit => (*self, None),
            (Told::Nothing { .. } | Told::Fresh, false) => (Told::Stale, Some(News::Stale)),
            (Told::Stale, true) => (Told::Fresh, Some(News::FreshAgain)),
            (unchanged, _) => (unchanged, None),
        };
        *self = told;
        news
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use domain::Timestamp;

    use super::*;

    struct Hand(Mutex<Duration>);
    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::EPOCH
        }
        fn monotonic(&self) -> Duration {
            *self.0.lock().unwrap()
        }
    }

    #[test]
    fn a_view_is_as_old_as_its_last_proof() {
        let clock = Arc::new(Hand(Mutex::new(Duration::from_secs(100))));
        let set = |seconds: f64| *clock.0.lock().unwrap() = Duration::from_secs_f64(seconds);
        let freshness = Freshness::new(clock.clone(), Duration::from_secs(5));
        assert_eq!(freshness.staleness(), Duration::MAX);
        assert_eq!(freshness.require(), Err(ReplicationError::Stale));
        freshness.confirm(Duration::from_secs(99));
        assert_eq!(freshness.staleness(), Duration::from_secs(1));
        assert_eq!(freshness.require(), Ok(()));
        set(104.0);
        assert_eq!(freshness.require(), Ok(()), "five seconds are within the limit");
        set(104.001);
        assert_eq!(freshness.require(), Err(ReplicationError::Stale));
        freshness.confirm(Duration::from_secs(103));
        freshness.confirm(Duration::from_secs(101));
        assert_eq!(
            freshness.staleness(),
            Duration::from_millis(1_001),
            "an older proof does not count"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_proof_is_one_that_was_asked_for_later() {
        let clock = Arc::new(Hand(Mutex::new(Duration::from_secs(100))));
        let freshness = Arc::new(Freshness::new(clock, Duration::from_secs(5)));
        assert_eq!(
            freshness.next_proof().await,
            Err(ReplicationError::Stale),
            "it has none"
        );
        freshness.confirm(Duration::from_secs(100));
        assert_eq!(freshness.next_proof().await, Err(ReplicationError::Stale), "none comes");
        let waiting = tokio::spawn({
            let freshness = freshness.clone();
            async move { freshness.next_proof().await }
        });
        tokio::task::yield_now().await;
        freshness.confirm(Duration::from_secs(100));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "that one was asked for before");
        freshness.confirm(Duration::from_millis(100_001));
        assert_eq!(waiting.await.unwrap(), Ok(()));
    }

    #[test]
    fn a_start_is_no_news_unless_it_takes_too_long() {
        let (second, limit) = (Duration::from_secs, Duration::from_secs(5));
        let mut told = Told::Nothing { since: second(100) };
        assert_eq!(told.after_round(false, second(100), limit), None);
        assert_eq!(told.after_round(false, second(105), limit), None);
        let mut late = told;
        assert_eq!(told.after_round(true, second(105), limit), None, "it has started");
        assert_eq!(told.after_round(false, second(106), limit), Some(News::Stale));
        assert_eq!(late.after_round(false, second(106), limit), Some(News::Stale));
        assert_eq!(late.after_round(true, second(107), limit), Some(News::FreshAgain));
    }

    #[test]
    fn only_changes_are_news() {
        let (now, limit) = (Duration::from_secs(100), Duration::from_secs(5));
        let mut told = Told::Fresh;
        let rounds = [true, false, false, true, true, false];
        let news = rounds.map(|is_fresh| told.after_round(is_fresh, now, limit));
        let (stale, again) = (Some(News::Stale), Some(News::FreshAgain));
        assert_eq!(news, [None, stale, None, again, None, stale]);
    }

    #[test]
    fn a_proof_from_the_clocks_beginning_counts() {
        let clock = Arc::new(Hand(Mutex::new(Duration::ZERO)));
        let freshness = Freshness::new(clock, Duration::from_secs(5));
        freshness.confirm(Duration::ZERO);
        assert_eq!(freshness.require(), Ok(()));
    }
}
