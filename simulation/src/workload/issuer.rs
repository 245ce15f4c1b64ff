//! Agents that get tokens, also while they are suspended or lose their credentials.

use std::time::Duration;

use super::caller::Caller;
use super::population::Duty;

const PAUSE: Duration = Duration::from_millis(25);

pub(super) async fn run(mut caller: Caller) {
    while caller.pause(PAUSE).await {
        let duty = *caller
            .random
            .pick(&[Duty::Plain, Duty::Suspended, Duty::Rekeyed])
            .expect("there are three");
        let holder = caller.shared.population().holder(duty, &mut caller.random);
        if let Some(holder) = holder {
            let target = caller.target();
            let _ = caller.issue(&target, &holder).await;
        }
    }
}
