//! Kills tokens, and looks at each at every node the moment it has the answer.

use std::time::Duration;

use super::caller::Caller;

const PAUSE: Duration = Duration::from_millis(60);

pub(super) async fn run(mut caller: Caller) {
    while caller.pause(PAUSE).await {
        let token = caller.shared.population().token(&mut caller.random);
        if let Some(token) = token {
            let target = caller.target();
            if caller.revoke_token(&target, &token).await.is_done() {
                caller.introspect_everywhere(&token).await;
            }
        }
    }
}
