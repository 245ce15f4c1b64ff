//! An agent that holds a token, and what tests do most with one.

use serde_json::{Value, json};

use crate::api::{Api, Request};
use crate::client::Client;
use crate::unique;

/// A listener and a bearer token.
#[derive(Clone)]
pub struct Session {
    api: Api,
    /// The token.
    pub token: String,
}

impl Session {
    /// With this token.
    pub fn new(api: Api, token: String) -> Self {
        Self { api, token }
    }

    /// GET with the token.
    pub fn get(&self, path: &str) -> Request {
        self.api.get(path).bearer(&self.token)
    }

    /// POST of JSON with the token.
    pub fn post(&self, path: &str, body: &Value) -> Request {
        self.api.post(path).bearer(&self.token).json(body)
    }

    /// PATCH of JSON with the token.
    pub fn patch(&self, path: &str, body: &Value) -> Request {
        self.api.request("PATCH", path).bearer(&self.token).json(body)
    }

    /// DELETE with the token.
    pub fn delete(&self, path: &str) -> Request {
        self.api.request("DELETE", path).bearer(&self.token)
    }

    /// Registers an agent and answers it.
    pub async fn new_agent(&self) -> Value {
        self.post("/api/v1/agents", &agent_body())
            .send()
            .await
            .expect(201)
            .json()
    }

    /// Registers an agent and makes a secret for it.
    pub async fn new_client(&self) -> Client {
        let agent = self.new_agent().await;
        self.new_secret(agent["agentId"].as_str().expect("an agent has an id"), &json!({}))
            .await
    }

    /// Makes a secret for an agent.
    pub async fn new_secret(&self, agent: &str, body: &Value) -> Client {
        let answer = self
            .post(&format!("/api/v1/agents/{agent}/credentials"), body)
            .send()
            .await;
        Client::of_credential(&answer.expect(201).json())
    }

    /// Moves an agent to another status.
    pub async fn set_status(&self, agent: &str, status: &str) {
        let answer = self
            .patch(&format!("/api/v1/agents/{agent}"), &json!({ "status": status }))
            .send()
            .await;
        assert_eq!(answer.expect(200).json()["status"], status);
    }

    /// Every audit event that matches the query, newest first, by following the cursor.
    pub async fn audit(&self, query: &str) -> Vec<Value> {
        let mut events = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self
                .get(&format!("/api/v1/audit?limit=100&{query}{cursor}"))
                .send()
                .await
                .expect(200)
                .json();
            events.extend(page["data"].as_array().expect("data is a list").iter().cloned());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return events,
            }
        }
    }

    /// What verification of the audit chain says.
    pub async fn verify(&self) -> Value {
        self.get("/api/v1/audit/verify").send().await.expect(200).json()
    }
}

/// A registration that is accepted.
pub fn agent_body() -> Value {
    json!({
        "email": unique::email(),
        "agentType": "monitor",
        "version": "1.2.3",
        "capabilities": ["resume:read", "email:*"],
        "owner": "platform team",
        "deploymentEnv": "staging",
    })
}
