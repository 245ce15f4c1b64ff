//! Registers agents and makes a secret for each: many at first, later now and then.

use std::time::Duration;

use super::caller::Caller;
use super::population::{Duty, Holder};

const PAUSE_AT_FIRST: Duration = Duration::from_millis(30);
const PAUSE: Duration = Duration::from_millis(400);
/// Until so many agents are there, they come fast.
const FIRST: usize = 30;
/// So many are enough.
const MOST: usize = 300;

pub(super) async fn run(mut caller: Caller) {
    let mut made = 0_usize;
    loop {
        let pause = if made < FIRST { PAUSE_AT_FIRST } else { PAUSE };
        if !caller.pause(pause).await {
            return;
        }
        if made >= MOST {
            continue;
        }
        let target = caller.target();
        let Some(agent) = caller.register(&target).await else {
            continue;
        };
        let target = caller.target();
        if let Some((credential, client)) = caller.make_credential(&target, &agent).await {
            let duty = [Duty::Plain, Duty::Suspended, Duty::Rekeyed][made % 3];
            made += 1;
            caller.shared.population().holders.push(Holder {
                agent,
                credential,
                client,
                duty,
            });
        }
    }
}
