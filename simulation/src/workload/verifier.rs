//! Whoever checks tokens offline: reads the public keys, now at this node and now at that one.

use std::time::Duration;

use super::caller::Caller;

const PAUSE: Duration = Duration::from_millis(60);

pub(super) async fn run(mut caller: Caller) {
    while caller.pause(PAUSE).await {
        let target = caller.target();
        caller.read_keys(&target).await;
    }
}
