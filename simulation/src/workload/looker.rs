//! Whoever has received a token, and asks about it or shows it to a node, at any of them.

use std::time::Duration;

use super::caller::Caller;

const PAUSE: Duration = Duration::from_millis(10);

pub(super) async fn run(mut caller: Caller) {
    while caller.pause(PAUSE).await {
        let token = caller.shared.population().token(&mut caller.random);
        if let Some(token) = token {
            let target = caller.target();
            if caller.random.happens(700) {
                let _ = caller.introspect(&target, &token).await;
            } else {
                caller.present(&target, &token).await;
            }
        }
    }
}
