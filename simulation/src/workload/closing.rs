//! Looks at everything when all faults are over: each condemned token at each node, all agents, credentials and records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use serde_json::Value;
use tokio::sync::watch;

use super::caller::Caller;
use super::error::WorkloadError;
use super::shared::{Shared, Target};
use super::wire::Ask;
use crate::history::{AgentId, Closing, ClosingAgent, CredentialId, Status};
use crate::random::Random;

/// How many looks are under way at once.
const AT_ONCE: usize = 8;
/// How often a read is tried, each time at another node.
const TRIES: usize = 5;
/// How long a read may take.
const READ_PATIENCE: Duration = Duration::from_secs(30);
/// The most pages of a list.
const PAGES_MAX: usize = 5_000;

/// Notes all of it in the history.
pub async fn close(shared: &Arc<Shared>, random: &Random) -> Result<(), WorkloadError> {
    // Nobody stops these callers; they stop by themselves.
    let (_stop, stopped) = watch::channel(false);
    let mut caller = Caller::new(shared.clone(), random.branch(0), stopped);
    look_at_the_condemned(&caller).await;
    let mut closing = Closing::default();
    for agent in pages(&mut caller, "/api/v1/agents?limit=100").await? {
        let (id, agent) = closing_agent(&mut caller, &agent).await?;
        closing.agents.insert(id, agent);
    }
    let records = pages(&mut caller, "/api/v1/audit?limit=100").await?;
    for kind in records.iter().filter_map(about) {
        *closing.audited.entry(kind).or_default() += 1;
    }
    for target in shared.targets() {
        let verified = read_at(&mut caller, &target, "/api/v1/audit/verify").await;
        let verified = verified.ok_or_else(|| WorkloadError::new("the audit log could not be verified at the end"))?;
        closing.chain_is_whole.push(verified["verified"] == true);
    }
    shared.recorder.close(closing);
    Ok(())
}

async fn look_at_the_condemned(caller: &Caller) {
    let condemned = caller.shared.population().condemned.clone();
    stream::iter(&condemned)
        .for_each_concurrent(AT_ONCE, |token| caller.introspect_everywhere(token))
        .await;
}

async fn closing_agent(caller: &mut Caller, agent: &Value) -> Result<(AgentId, ClosingAgent), WorkloadError> {
    let id = AgentId::new(agent["agentId"].as_str().unwrap_or_default());
    let path = format!("/api/v1/agents/{}/credentials?limit=100", id.as_str());
    let credentials = pages(caller, &path).await?;
    let credentials: BTreeMap<CredentialId, bool> = credentials
        .iter()
        .filter_map(|credential| {
            let name = CredentialId::new(credential["credentialId"].as_str()?);
            Some((name, credential["status"] == "active"))
        })
        .collect();
    let status = match agent["status"].as_str() {
        Some("active") => Some(Status::Active),
        Some("suspended") => Some(Status::Suspended),
        _ => None,
    };
    Ok((id, ClosingAgent { status, credentials }))
}

/// What a record is about: a token, a credential or an agent.
fn about(record: &Value) -> Option<(String, String)> {
    let action = record["action"].as_str()?;
    let metadata = &record["metadata"];
    let names = ["jti", "credentialId", "targetAgentId"];
    let found = names.iter().find_map(|name| metadata[*name].as_str())?;
    Some((action.to_owned(), found.to_owned()))
}

/// All items of a list, by following its cursor or its pages.
async fn pages(caller: &mut Caller, path: &str) -> Result<Vec<Value>, WorkloadError> {
    let (mut items, mut rest) = (Vec::new(), String::new());
    for page_number in 2..PAGES_MAX {
        let page = read(caller, &format!("{path}{rest}")).await?;
        let data = page["data"].as_array().cloned().unwrap_or_default();
        let is_last = data.is_empty();
        items.extend(data);
        rest = match page["nextCursor"].as_str() {
            Some(next) => format!("&cursor={next}"),
            None if is_last || page["total"].as_u64().is_none_or(|total| total <= items.len() as u64) => {
                return Ok(items);
            }
            None => format!("&page={page_number}"),
        };
    }
    Err(WorkloadError::new(format!("{path} has more than {PAGES_MAX} pages")))
}

async fn read(caller: &mut Caller, path: &str) -> Result<Value, WorkloadError> {
    for _ in 0..TRIES {
        let target = caller.target();
        if let Some(body) = read_at(caller, &target, path).await {
            return Ok(body);
        }
    }
    Err(WorkloadError::new(format!(
        "{path} could not be read at the end, at any node"
    )))
}

async fn read_at(caller: &mut Caller, target: &Target, path: &str) -> Option<Value> {
    let token = caller.admin_token().await?;
    let ask = Ask::get(path).bearing(&token).within(READ_PATIENCE);
    let heard = caller.shared.wire.ask(target, ask).await?;
    if heard.status == 401 {
        caller.shared.set_admin_token(None);
    }
    (heard.status == 200).then_some(heard.body)
}
