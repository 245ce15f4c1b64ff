//! Waiting for something to become true, with a deadline that is far beyond what it should take.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long anything that happens "soon" may take on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// How often it is looked.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks `probe` until it answers something; panics with `what` after [`DEADLINE`].
#[track_caller]
pub fn eventually<T, F, Fut>(what: &str, probe: F) -> impl Future<Output = T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    within(DEADLINE, what, probe)
}

/// As [`eventually`], with a deadline of its own.
pub async fn within<T, F, Fut>(deadline: Duration, what: &str, mut probe: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(Instant::now() < end, "after {deadline:?} still waiting for {what}");
        sleep(PAUSE).await;
    }
}
