//! How much memory a node takes: idle, and after many agents have each taken a token.

use std::net::SocketAddr;
use std::time::Duration;

use e2e::session::agent_body;
use e2e::{Backend, Client, NodeOptions};
use serde_json::{Value, json};

use crate::load::Load;
use crate::options::Plan;
use crate::{request, tokens, usage};

/// Resident memory of the node, in KiB.
pub struct Memory {
    /// How many agents there were.
    pub agents: usize,
    /// Before anything was asked of it.
    pub idle_kib: u64,
    /// After the agents and their credentials were registered.
    pub registered_kib: u64,
    /// After every agent has taken a token.
    pub with_tokens_kib: u64,
}

impl Memory {
    /// What each agent and its token cost, in KiB.
    pub fn kib_each(&self) -> f64 {
        self.with_tokens_kib.saturating_sub(self.idle_kib) as f64 / self.agents as f64
    }

    /// As a line for machines.
    pub fn json(&self) -> Value {
        json!({
            "agents": self.agents,
            "idleKib": self.idle_kib,
            "registeredKib": self.registered_kib,
            "withTokensKib": self.with_tokens_kib,
            "kibEach": self.kib_each(),
        })
    }
}

/// Measures a fresh node.
pub async fn measure(store: Backend, plan: &Plan) -> Memory {
    const SETTLING: Duration = Duration::from_secs(1);
    let mut node = NodeOptions::on(store).start().await;
    let pid = node.process().id();
    tokio::time::sleep(SETTLING).await;
    let idle_kib = usage::resident_kib(pid);
    let admin = node.admin().await;
    let clients = register(node.place.address(), &admin.token, plan.memory_agents).await;
    let registered_kib = usage::resident_kib(pid);
    tokens::take(node.place.address(), &clients, clients.len()).await;
    tokio::time::sleep(SETTLING).await;
    Memory {
        agents: clients.len(),
        idle_kib,
        registered_kib,
        with_tokens_kib: usage::resident_kib(pid),
    }
}

async fn register(address: SocketAddr, admin: &str, count: usize) -> Vec<Client> {
    let agents = (0..count)
        .map(|_| request::json("/api/v1/agents", admin, &agent_body()))
        .collect();
    let agents = tokens::every_body(Load::once(agents, "\"agentId\""), address).await;
    let credential = |(_, agent): &(usize, Value)| {
        let id = agent["agentId"].as_str().expect("an agent has an id");
        request::json(&format!("/api/v1/agents/{id}/credentials"), admin, &json!({}))
    };
    let credentials = Load::once(agents.iter().map(credential).collect(), "\"clientSecret\"");
    let credentials = tokens::every_body(credentials, address).await;
    credentials
        .iter()
        .map(|(_, body)| Client::of_credential(body))
        .collect()
}
