//! A client as it should be: when a node does not serve it, it waits as long as `Retry-After` says, or goes to another
//! node, and it never gives up within reason. What it asks for may be repeated without harm.

use std::time::Duration;

use reqwest::RequestBuilder;
use tokio::time::{Instant, sleep};

use super::caller::Caller;
use super::shared::Target;
use crate::node::token_form;

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

/// Takes a token and has it looked at, each at whatever node does so.
async fn until_served(caller: &mut Caller) -> bool {
    let admin = caller.shared.admin.basic();
    let http = caller.shared.http.clone();
    let token = go_round(caller, |target| {
        let request = http.post(format!("{}/oauth2/token", target.url));
        request.header("authorization", &admin).form(&token_form("agents:read"))
    });
    let Some(body) = token.await else {
        return false;
    };
    let text = body["access_token"].as_str().unwrap_or_default().to_owned();
    let looked_at = go_round(caller, |target| {
        let request = http.post(format!("{}/oauth2/introspect", target.url));
        request.header("authorization", &admin).form(&[("token", &text)])
    });
    looked_at.await.is_some_and(|body| body["active"] == true)
}

async fn go_round(caller: &mut Caller, ask: impl Fn(&Target) -> RequestBuilder) -> Option<serde_json::Value> {
    let give_up_at = Instant::now() + REASON;
    let first = caller.random.below(64);
    for turn in first.. {
        let targets = caller.shared.targets();
        let target = &targets[turn % targets.len()];
        let mut wait = Duration::ZERO;
        if let Ok(response) = ask(target).timeout(PATIENCE).send().await {
            let status = response.status();
            if status.is_success() {
                return response.json().await.ok();
            }
            // A refusal is an answer, and a wrong one: this client may do what it asks for.
            if status.is_client_error() && status != 429 {
                return None;
            }
            wait = retry_after(&response);
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

fn retry_after(response: &reqwest::Response) -> Duration {
    let header = response.headers().get("retry-after");
    let seconds = header
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0)).min(PATIENCE)
}
