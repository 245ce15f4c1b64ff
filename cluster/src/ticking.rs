//! The passing of time, as a command: the leader looks now and then whether something has expired, and if so proposes
//! a tick, so that every replica forgets alike.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::ports::Clock;
use tokio::time::MissedTickBehavior;

use crate::batching::Proposer;
use crate::command::Command;
use crate::publish::Published;
use crate::raft_types::Raft;

/// How far the wall clock may run ahead of the monotonic one before it is no longer believed.
const JUMP_TOLERANCE: Duration = Duration::from_secs(300);

/// A wall clock that does not jump ahead. One that did would make every node forget revocations of tokens that are
/// still alive elsewhere; one that lags only makes them remember longer.
pub(crate) struct SteadyClock {
    clock: Arc<dyn Clock>,
    wall_at_start: Timestamp,
    monotonic_at_start: Duration,
}

impl SteadyClock {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let (wall_at_start, monotonic_at_start) = (clock.now(), clock.monotonic());
        Self {
            clock,
            wall_at_start,
            monotonic_at_start,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let passed = self.clock.monotonic().saturating_sub(self.monotonic_at_start);
        self.clock
            .now()
            .min(self.wall_at_start.plus(passed).plus(JUMP_TOLERANCE))
    }
}

/// Proposes ticks while this node leads and there is something to forget.
pub(crate) async fn keep_ticking(
    clock: Arc<SteadyClock>,
    published: Arc<Published>,
    proposer: Proposer,
    raft: Raft,
    interval: Duration,
) {
    let mut rounds = tokio::time::interval(interval);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        // One tick forgets a bounded number of things; go on while there are more.
        while raft.is_leader() && published.load().has_expired(clock.now()) {
            if let Err(error) = proposer.propose(vec![Command::Tick { now: clock.now() }]).await {
                tracing::warn!(%error, "expired revocations could not be forgotten; this will be tried again");
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::state::FORGET_MARGIN;

    struct Hand(Mutex<(i64, u64)>);
    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(self.0.lock().unwrap().0)
        }
        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.lock().unwrap().1)
        }
    }

    #[test]
    fn the_clock_does_not_jump_ahead_but_may_lag() {
        let hand = Arc::new(Hand(Mutex::new((1_000_000, 50))));
        let steady = SteadyClock::new(hand.clone());
        let at = |wall, monotonic| {
            *hand.0.lock().unwrap() = (wall, monotonic);
            steady.now().as_seconds()
        };
        assert_eq!(at(1_000_010, 60), 1_000_010);
        assert_eq!(at(9_000_000, 60), 1_000_010 + 300, "a jump ahead is not believed");
        assert_eq!(at(900_000, 70), 900_000, "a jump back is harmless");
    }

    const _: () = assert!(JUMP_TOLERANCE.as_secs() < FORGET_MARGIN.as_secs());
}
