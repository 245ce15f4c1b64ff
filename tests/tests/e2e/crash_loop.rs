//! `no_acknowledged_write_lost`: the node is killed again and again under load, and whatever it had answered is there.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use e2e::node::token_form;
use e2e::session::agent_body;
use e2e::{Api, Backend, Client, Node, Session, eventually, jwt, on_both_stores};
use serde_json::{Value, json};

on_both_stores!(nothing_that_was_answered_is_lost_in_thirty_crashes);

const ROUNDS: usize = 30;
const WORKERS: usize = 6;
/// A round ends when this many lives of an agent were answered to their end; it grows so that crashes hit every moment.
const LIVES_PER_ROUND: usize = 3;

/// What the node has answered with a 2xx.
#[derive(Default)]
struct Ledger {
    agents: Vec<String>,
    suspended: Vec<String>,
    credentials: Vec<Client>,
    revoked_credentials: Vec<Client>,
    live_tokens: Vec<String>,
    dead_tokens: Vec<String>,
    /// The `jti` of every token that was answered.
    issued: BTreeSet<String>,
    /// The `jti` of every token whose revocation was answered.
    revoked: BTreeSet<String>,
}

async fn nothing_that_was_answered_is_lost_in_thirty_crashes(backend: Backend) {
    let mut node = Node::start(backend).await;
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    for round in 0..ROUNDS {
        let admin = node.admin().await;
        let marks = Marks::of(&ledger);
        run_until_killed(&mut node, &admin, &ledger, LIVES_PER_ROUND + round % 7).await;
        node.start_again().await;
        check_states(&node, &ledger, &marks).await;
    }
    check_states(&node, &ledger, &Marks::default()).await;
    check_audit(&node, &ledger).await;
}

/// Where the ledger stood when a round began.
#[derive(Default)]
struct Marks {
    agents: usize,
    credentials: usize,
    revoked_credentials: usize,
    live_tokens: usize,
    dead_tokens: usize,
}

impl Marks {
    fn of(ledger: &Mutex<Ledger>) -> Self {
        let ledger = ledger.lock().expect("nobody panicked");
        Self {
            agents: ledger.agents.len(),
            credentials: ledger.credentials.len(),
            revoked_credentials: ledger.revoked_credentials.len(),
            live_tokens: ledger.live_tokens.len(),
            dead_tokens: ledger.dead_tokens.len(),
        }
    }
}

/// Lets workers live through agents' lives until enough have ended, and kills the node in the midst of the others.
async fn run_until_killed(node: &mut Node, admin: &Session, ledger: &Arc<Mutex<Ledger>>, lives: usize) {
    let ended = Arc::new(AtomicUsize::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        let (api, admin, ledger, ended) = (node.api(), admin.clone(), ledger.clone(), ended.clone());
        workers.spawn(async move {
            let mut turn = worker;
            while live(&api, &admin, &ledger, turn).await.is_some() {
                ended.fetch_add(1, Ordering::Relaxed);
                turn += 1;
            }
        });
    }
    eventually("enough load", async || {
        (ended.load(Ordering::Relaxed) >= lives).then_some(())
    })
    .await;
    node.kill();
    while let Some(worker) = workers.join_next().await {
        worker.expect("workers do not panic");
    }
}

/// One life of an agent. `None` as soon as something was not answered with a 2xx: the node is gone.
async fn live(api: &Api, admin: &Session, ledger: &Mutex<Ledger>, turn: usize) -> Option<()> {
    let note = |what: &dyn Fn(&mut Ledger)| what(&mut ledger.lock().expect("nobody panicked"));
    let agent = answered(admin.post("/api/v1/agents", &agent_body())).await?;
    let id = agent["agentId"].as_str()?.to_owned();
    note(&|ledger| ledger.agents.push(id.clone()));
    let path = format!("/api/v1/agents/{id}");
    let body = answered(admin.post(&format!("{path}/credentials"), &json!({}))).await?;
    let client = Client::of_credential(&body);
    note(&|ledger| ledger.credentials.push(client.clone()));
    let (keep, kill) = (
        take_token(api, &client, ledger).await?,
        take_token(api, &client, ledger).await?,
    );
    answered(api.post("/oauth2/revoke").basic(&client).form(&[("token", &kill)])).await?;
    let jti = jti(&kill);
    note(&|ledger| {
        ledger.dead_tokens.push(kill.clone());
        ledger.revoked.insert(jti.clone());
    });
    match turn % 3 {
        0 => note(&|ledger| ledger.live_tokens.push(keep.clone())),
        1 => {
            forget(ledger, &client);
            answered(admin.delete(&format!("{path}/credentials/{}", client.credential))).await?;
            note(&|ledger| {
                ledger.revoked_credentials.push(client.clone());
                ledger.dead_tokens.push(keep.clone());
            });
        }
        _ => {
            forget(ledger, &client);
            answered(admin.patch(&path, &json!({ "status": "suspended" }))).await?;
            note(&|ledger| {
                ledger.suspended.push(id.clone());
                ledger.dead_tokens.push(keep.clone());
            });
        }
    }
    Some(())
}

/// A credential that is about to die: if the crash comes before the answer, both outcomes are right.
fn forget(ledger: &Mutex<Ledger>, client: &Client) {
    ledger
        .lock()
        .expect("nobody panicked")
        .credentials
        .retain(|known| known != client);
}

async fn take_token(api: &Api, client: &Client, ledger: &Mutex<Ledger>) -> Option<String> {
    let body = answered(api.post("/oauth2/token").basic(client).form(&token_form(""))).await?;
    let token = body["access_token"].as_str()?.to_owned();
    ledger.lock().expect("nobody panicked").issued.insert(jti(&token));
    Some(token)
}

fn jti(token: &str) -> String {
    jwt::parts(token).1["jti"].as_str().expect("jti").to_owned()
}

/// The body of a 2xx; `None` for anything that the dying node may say. A refusal (4xx) is never among that.
async fn answered(request: e2e::Request) -> Option<Value> {
    let answer = request.try_send().await.ok()?;
    assert!(!(400..500).contains(&answer.status), "{answer:?}");
    (answer.status < 300).then(|| serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
}

/// Everything that was answered since `marks` is so.
async fn check_states(node: &Node, ledger: &Mutex<Ledger>, marks: &Marks) {
    let admin = node.admin().await;
    let (agents, suspended, credentials, revoked, live, dead) = {
        let ledger = ledger.lock().expect("nobody panicked");
        (
            ledger.agents[marks.agents.min(ledger.agents.len())..].to_vec(),
            ledger.suspended.iter().cloned().collect::<BTreeSet<_>>(),
            // Credentials leave the list when they die, so it may be shorter than it was.
            ledger.credentials[marks.credentials.min(ledger.credentials.len())..].to_vec(),
            ledger.revoked_credentials[marks.revoked_credentials..].to_vec(),
            ledger.live_tokens[marks.live_tokens..].to_vec(),
            ledger.dead_tokens[marks.dead_tokens..].to_vec(),
        )
    };
    for id in &agents {
        let agent = admin
            .get(&format!("/api/v1/agents/{id}"))
            .send()
            .await
            .expect(200)
            .json();
        assert!(!suspended.contains(id) || agent["status"] == "suspended", "{agent}");
    }
    for client in &credentials {
        let token = node.token(client, "").await;
        ledger.lock().expect("nobody panicked").issued.insert(jti(&token));
    }
    for client in &revoked {
        let answer = node
            .api()
            .post("/oauth2/token")
            .basic(client)
            .form(&token_form(""))
            .send()
            .await;
        answer.expect_oauth_error(401, "invalid_client");
    }
    for token in &live {
        assert!(node.is_active(token).await, "a token died without being killed");
    }
    for token in &dead {
        assert!(!node.is_active(token).await, "a token that was killed is alive");
    }
}

/// Each token that was answered has its record, each revocation too, and the chain is whole.
async fn check_audit(node: &Node, ledger: &Mutex<Ledger>) {
    let admin = node.admin().await;
    let verdict = admin.verify().await;
    assert_eq!(
        (&verdict["verified"], &verdict["brokenAtEventId"]),
        (&json!(true), &json!(null)),
        "{verdict}"
    );
    let (issued, revoked, agents, suspended, credentials) = {
        let ledger = ledger.lock().expect("nobody panicked");
        let credentials: Vec<String> = ledger
            .credentials
            .iter()
            .map(|client| client.credential.clone())
            .collect();
        (
            ledger.issued.clone(),
            ledger.revoked.clone(),
            ledger.agents.clone(),
            ledger.suspended.clone(),
            credentials,
        )
    };
    assert!(issued.len() > ROUNDS, "there was a load: {}", issued.len());
    let recorded = |events: &[Value]| {
        events
            .iter()
            .map(|event| event["metadata"].to_string())
            .collect::<Vec<_>>()
            .join("\n")
    };
    for (action, ids) in [
        ("token.issued", issued.into_iter().collect::<Vec<_>>()),
        ("token.revoked", revoked.into_iter().collect()),
        ("agent.created", agents),
        ("agent.suspended", suspended),
        ("credential.generated", credentials),
    ] {
        let text = recorded(&admin.audit(&format!("action={action}")).await);
        let missing: Vec<&String> = ids.iter().filter(|id| !text.contains(id.as_str())).collect();
        assert!(missing.is_empty(), "{action} of {missing:?} is not in the audit log");
    }
}
