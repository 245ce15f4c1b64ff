//! Reads the public keys at every node, and the audit log at any.

use std::time::Duration;

use super::caller::Caller;

const PAUSE: Duration = Duration::from_millis(300);

pub(super) async fn run(mut caller: Caller) {
    while caller.pause(PAUSE).await {
        for target in caller.shared.targets() {
            caller.read_keys(&target).await;
        }
        let target = caller.target();
        caller.read_audit(&target).await;
    }
}
