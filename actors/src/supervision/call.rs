//! Asking an actor: every call has a deadline and a bound on how many may be under way, and each ends in an answer or in
//! one of these reasons.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

/// Why there is no answer. Whether the work was done is known only for [`NoAnswer::Overloaded`] and [`NoAnswer::Down`]:
/// it was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// As many calls as are allowed are under way.
    #[error("too many calls are under way")]
    Overloaded,
    /// The actor is being restarted, or is left alone because it failed too often.
    #[error("the actor is being restarted")]
    Down,
    /// The actor died before it answered.
    #[error("the actor died before it answered")]
    Died,
    /// The deadline passed.
    #[error("no answer came in time")]
    Late,
}

impl NoAnswer {
    /// How long a caller should wait before it asks again: a restart takes less than a millisecond, a pile of work or a
    /// slow store longer.
    pub const fn retry_after(self) -> Duration {
        match self {
            Self::Overloaded | Self::Died => Duration::from_secs(1),
            Self::Down | Self::Late => Duration::from_secs(2),
        }
    }
}

/// Waits for an answer.
pub(crate) async fn answer<T>(deadline: Duration, reply: oneshot::Receiver<T>) -> Result<T, NoAnswer> {
    match tokio::time::timeout(deadline, reply).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(NoAnswer::Died),
        Err(_) => Err(NoAnswer::Late),
    }
}

/// Counts the calls that are under way. Mailboxes have no bound of their own, so this is it.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    /// Counts one more call, unless there are `max` already. It is counted until the permit is dropped.
    pub fn enter(&self, max: usize) -> Result<InFlightPermit, NoAnswer> {
        let permit = InFlightPermit(self.0.clone());
        if self.0.fetch_add(1, Ordering::Relaxed) < max {
            Ok(permit)
        } else {
            Err(NoAnswer::Overloaded)
        }
    }

    /// How many are under way.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One call that is under way.
pub(crate) struct InFlightPermit(Arc<AtomicUsize>);

impl Drop for InFlightPermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_bound_no_further_call_is_let_in_until_one_ends() {
        let calls = InFlight::default();
        let permits: Vec<_> = (0..3).map(|_| calls.enter(3).expect("below the bound")).collect();
        assert_eq!(calls.enter(3).err(), Some(NoAnswer::Overloaded));
        assert_eq!(calls.count(), 3, "a call that was refused is not counted");
        drop(permits);
        assert!(calls.enter(3).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_and_a_death_end_the_waiting() {
        let (_kept, reply) = oneshot::channel::<()>();
        assert_eq!(answer(Duration::from_secs(1), reply).await, Err(NoAnswer::Late));
        let (dropped, reply) = oneshot::channel::<()>();
        drop(dropped);
        assert_eq!(answer(Duration::from_secs(1), reply).await, Err(NoAnswer::Died));
    }
}
