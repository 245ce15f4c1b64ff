//! Stands at one node and asks it, again and again, everything that a node may answer only if its view is recent.

use std::time::Duration;

use super::caller::Caller;
use super::population::Duty;

const PAUSE: Duration = Duration::from_millis(150);

pub(super) async fn run(mut caller: Caller, place: u64) {
    while caller.pause(PAUSE).await {
        let targets = caller.shared.targets();
        let Some(target) = usize::try_from(place).ok().and_then(|place| targets.get(place)) else {
            continue;
        };
        caller.ask_ready(target).await;
        let (token, holder) = {
            let population = caller.shared.population();
            let token = population.token(&mut caller.random);
            (token, population.holder(Duty::Plain, &mut caller.random))
        };
        if let Some(token) = token {
            let _ = caller.introspect(target, &token).await;
            caller.present(target, &token).await;
        }
        if let Some(holder) = holder {
            let _ = caller.issue(target, &holder).await;
        }
    }
}
