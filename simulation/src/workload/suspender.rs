//! Suspends agents, looks at what they hold at every node the moment it has the answer, and lets them go on.

use std::time::Duration;

use super::caller::Caller;
use super::population::{Duty, Holder};
use crate::history::Status;

const PAUSE: Duration = Duration::from_millis(150);
/// How many of an agent's tokens are looked at.
const TOKENS: usize = 3;
/// How often a reactivation is tried; an agent that stays suspended is one that gets no more tokens, and no harm.
const TRIES: usize = 20;

pub(super) async fn run(mut caller: Caller) {
    while caller.pause(PAUSE).await {
        let holder = caller.shared.population().holder(Duty::Suspended, &mut caller.random);
        if let Some(holder) = holder {
            suspend(&mut caller, &holder).await;
            reactivate(&mut caller, &holder).await;
        }
    }
}

async fn suspend(caller: &mut Caller, holder: &Holder) {
    let tokens = caller
        .shared
        .population()
        .newest(TOKENS, |token| token.agent == holder.agent);
    caller.shared.population().condemn(&tokens);
    let target = caller.target();
    let answer = caller.set_status(&target, &holder.agent, Status::Suspended).await;
    if answer.is_some_and(|answer| answer.is_done()) {
        for token in &tokens {
            caller.introspect_everywhere(token).await;
        }
        let target = caller.target();
        let _ = caller.issue(&target, holder).await;
    }
}

async fn reactivate(caller: &mut Caller, holder: &Holder) {
    for _ in 0..TRIES {
        let target = caller.target();
        let answer = caller.set_status(&target, &holder.agent, Status::Active).await;
        if answer.is_some_and(|answer| answer.is_done()) || !caller.pause(PAUSE).await {
            return;
        }
    }
}
