//! A client as it should be: when a node does not serve it, it waits as long as `Retry-After` says, or goes to another
//! node, and it never gives up within reason. What it asks for may be repeated without harm.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::caller::Caller;
use super::wire::Ask;

const PAUSE: Duration = Duration::from_millis(40);
/// How long it goes on before it counts as not served.
const REASON: Duration = Duration::from_secs(20);
/// How long it waits for one node.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it waits when all nodes have turned it away without saying for how long.
const BREATH: Duration = Duration::from_millis(100);

pub(super) async fn run(mut caller: Caller) {
    while caller.pause(PAUSE).await {
        let begun = caller.shared.recorder.now();
        let is_served = until_served(&mut caller).await;
        let served = is_served.then(|| caller.shared.recorder.now());
        caller.shared.recorder.note_steady(begun, served);
    }
}

/// Takes a token and has it looked at, each at whatever node does so. If keys are replaced in between the token is dead, and
/// it takes another.
async fn until_served(caller: &mut Caller) -> bool {
    let give_up_at = Instant::now() + REASON;
    while !takes_a_living_token(caller).await {
        if Instant::now() >= give_up_at {
            return false;
        }
        sleep(BREATH).await;
    }
    true
}

async fn takes_a_living_token(caller: &mut Caller) -> bool {
    let admin = caller.shared.admin.clone();
    let Some(body) = go_round(caller, Ask::token(&admin, "agents:read")).await else {
        return false;
    };
    let text = body["access_token"].as_str().unwrap_or_default();
    let looked_at = go_round(caller, Ask::form("/oauth2/introspect", &[("token", text)]).by(&admin));
    looked_at.await.is_some_and(|body| body["active"] == true)
}

async fn go_round(caller: &mut Caller, ask: Ask) -> Option<serde_json::Value> {
    let ask = ask.within(PATIENCE);
    let give_up_at = Instant::now() + REASON;
    let first = caller.random.below(64);
    for turn in first.. {
        let targets = caller.shared.targets();
        let target = &targets[turn % targets.len()];
        let mut wait = Duration::ZERO;
        if let Some(heard) = caller.shared.wire.ask(target, ask.clone()).await {
            match heard.status {
                200..300 => return Some(heard.body),
                // A refusal is an answer, and a wrong one: this client may do what it asks for.
                400..500 if heard.status != 429 => return None,
                _ => wait = heard.retry_after.unwrap_or_default().min(PATIENCE),
            }
        }
        if Instant::now() >= give_up_at {
            return None;
        }
        // With another node to go to nobody waits; after a round of all, everybody does.
        if (turn - first) % targets.len() == targets.len() - 1 {
            sleep(wait.max(BREATH)).await;
        }
    }
    None
}
