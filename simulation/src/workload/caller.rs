//! A client: it makes calls, reads the answers, and notes both.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;

use super::client::Client;
use super::population::{Held, Holder};
use super::shared::{Shared, Target};
use super::wire::{Ask, Heard};
use crate::history::{AgentId, Answer, Call, CredentialId, Done, KeyId, Status, TokenId};
use crate::random::Random;

/// What the administrator asks for.
const ADMIN_SCOPES: &str = "agents:read agents:write tokens:read audit:read admin:orgs";

/// One client.
pub(super) struct Caller {
    pub(super) shared: Arc<Shared>,
    pub(super) random: Random,
    stopped: watch::Receiver<bool>,
    stretch: u32,
}

impl Caller {
    pub(super) fn new(shared: Arc<Shared>, random: Random, stopped: watch::Receiver<bool>) -> Self {
        Self {
            shared,
            random,
            stopped,
            stretch: 1,
        }
    }

    /// Pauses so many times as long.
    pub(super) fn stretched(self, stretch: u32) -> Self {
        Self { stretch, ..self }
    }

    /// Waits before the next call; false when there is to be none.
    pub(super) async fn pause(&mut self, pause: Duration) -> bool {
        let pause = pause * self.stretch;
        let pause = pause / 2 + self.random.up_to(pause);
        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = sleep(pause) => !*self.stopped.borrow(),
            _ = stopped.wait_for(|is_stopped| *is_stopped) => false,
        }
    }

    /// Some node.
    pub(super) fn target(&mut self) -> Target {
        let targets = self.shared.targets();
        let target = self.random.pick(&targets);
        target.expect("a cluster has nodes before it has clients").clone()
    }

    /// A token for an agent.
    pub(super) async fn issue(&mut self, target: &Target, holder: &Holder) -> Answer {
        let call = Call::Issue {
            agent: holder.agent.clone(),
            credential: holder.credential.clone(),
        };
        let started = self.shared.recorder.now();
        let heard = self.ask(target, Ask::token(&holder.client, "")).await;
        let mut made = None;
        let answer = understand(heard, |body| {
            let text = body["access_token"].as_str().unwrap_or_default().to_owned();
            let (header, claims) = parts(&text);
            let id = TokenId::new(claims["jti"].as_str().unwrap_or_default());
            let key = KeyId::new(header["kid"].as_str().unwrap_or_default());
            made = Some((id.clone(), text));
            Done::Token(id, key)
        });
        self.shared.recorder.note(started, target.node, call, answer.clone());
        if let Some((id, text)) = made {
            let held = Held {
                id,
                agent: holder.agent.clone(),
                credential: holder.credential.clone(),
                text,
            };
            self.shared.population().add_token(held, &mut self.random);
        }
        answer
    }

    /// Tries a secret that a rotation has replaced.
    pub(super) async fn issue_with_old_secret(&mut self, target: &Target, credential: &CredentialId, client: &Client) {
        let call = Call::IssueWithOldSecret {
            credential: credential.clone(),
        };
        let started = self.shared.recorder.now();
        let heard = self.ask(target, Ask::token(client, "")).await;
        let answer = understand(heard, |_| Done::Plain);
        self.shared.recorder.note(started, target.node, call, answer);
    }

    async fn ask(&self, target: &Target, ask: Ask) -> Option<Heard> {
        self.shared.wire.ask(target, ask).await
    }

    /// Asks a node about a token.
    pub(super) async fn introspect(&self, target: &Target, token: &Held) -> Answer {
        let ask = Ask::form("/oauth2/introspect", &[("token", &token.text)]).by(&self.shared.admin);
        let vouched = |body: &Value| Done::Vouched(body["active"] == true);
        self.note(target, Call::Introspect(token.id.clone()), ask, vouched)
            .await
    }

    /// Shows a token to a node as its bearer.
    pub(super) async fn present(&self, target: &Target, token: &Held) {
        let started = self.shared.recorder.now();
        let heard = self.ask(target, Ask::get("/agent-info").bearing(&token.text)).await;
        let answer = match understand(heard, |_| Done::Vouched(true)) {
            Answer::Refused(401, _) => Answer::Done(Done::Vouched(false)),
            answer => answer,
        };
        let call = Call::Present(token.id.clone());
        self.shared.recorder.note(started, target.node, call, answer);
    }

    /// Asks every node about a token, at once.
    pub(super) async fn introspect_everywhere(&self, token: &Held) {
        let targets = self.shared.targets();
        let _ = futures::future::join_all(targets.iter().map(|target| self.introspect(target, token))).await;
    }

    /// Kills a token.
    pub(super) async fn revoke_token(&mut self, target: &Target, token: &Held) -> Answer {
        self.shared.population().condemn(std::slice::from_ref(token));
        let ask = Ask::form("/oauth2/revoke", &[("token", &token.text)]).by(&self.shared.admin);
        self.note(target, Call::RevokeToken(token.id.clone()), ask, |_| Done::Plain)
            .await
    }

    /// Registers an agent.
    pub(super) async fn register(&mut self, target: &Target) -> Option<AgentId> {
        let body = json!({
            "email": format!("agent-{:016x}@agents.example", self.random.draw()),
            "agentType": "monitor",
            "version": "1.0.0",
            "capabilities": ["resume:read"],
            "owner": "laboratory",
            "deploymentEnv": "staging",
        });
        let ask = self.as_admin(Ask::new("POST", "/api/v1/agents").json(&body)).await?;
        let read = |body: &Value| Done::Agent(AgentId::new(body["agentId"].as_str().unwrap_or_default()));
        match self.note(target, Call::Register, ask, read).await {
            Answer::Done(Done::Agent(agent)) => Some(agent),
            _ => None,
        }
    }

    /// Suspends or reactivates an agent.
    pub(super) async fn set_status(&mut self, target: &Target, agent: &AgentId, status: Status) -> Option<Answer> {
        let path = format!("/api/v1/agents/{}", agent.as_str());
        let name = match status {
            Status::Active => "active",
            Status::Suspended => "suspended",
        };
        let ask = Ask::new("PATCH", path).json(&json!({ "status": name }));
        let ask = self.as_admin(ask).await?;
        let call = Call::SetStatus(agent.clone(), status);
        Some(self.note(target, call, ask, |_| Done::Plain).await)
    }

    /// Makes a secret for an agent.
    pub(super) async fn make_credential(&mut self, target: &Target, agent: &AgentId) -> Option<(CredentialId, Client)> {
        let path = format!("/api/v1/agents/{}/credentials", agent.as_str());
        let ask = Ask::new("POST", path).json(&json!({ "scopes": ["agents:read"] }));
        let ask = self.as_admin(ask).await?;
        let call = Call::MakeCredential(agent.clone());
        self.take_secret(target, call, ask).await.1
    }

    /// Gives a credential another secret.
    pub(super) async fn rotate(&mut self, target: &Target, holder: &Holder) -> Option<(Answer, Option<Client>)> {
        let (agent, credential) = (holder.agent.as_str(), holder.credential.as_str());
        let path = format!("/api/v1/agents/{agent}/credentials/{credential}/rotate");
        let ask = self.as_admin(Ask::new("POST", path).json(&json!({}))).await?;
        let call = Call::RotateCredential(holder.agent.clone(), holder.credential.clone());
        let (answer, made) = self.take_secret(target, call, ask).await;
        Some((answer, made.map(|(_, client)| client)))
    }

    /// Revokes a credential.
    pub(super) async fn revoke_credential(&mut self, target: &Target, holder: &Holder) -> Option<Answer> {
        let (agent, credential) = (holder.agent.as_str(), holder.credential.as_str());
        let path = format!("/api/v1/agents/{agent}/credentials/{credential}");
        let ask = self.as_admin(Ask::new("DELETE", path)).await?;
        let call = Call::RevokeCredential(holder.agent.clone(), holder.credential.clone());
        Some(self.note(target, call, ask, |_| Done::Plain).await)
    }

    async fn take_secret(&self, target: &Target, call: Call, ask: Ask) -> (Answer, Option<(CredentialId, Client)>) {
        let mut made = None;
        let started = self.shared.recorder.now();
        let answer = understand(self.ask(target, ask).await, |body| {
            let client = Client::of_credential(body);
            let credential = CredentialId::new(&client.credential);
            made = Some((credential.clone(), client));
            Done::Credential(credential)
        });
        self.shared.recorder.note(started, target.node, call, answer.clone());
        (answer, made)
    }

    /// Reads the public keys.
    pub(super) async fn read_keys(&self, target: &Target) {
        let started = self.shared.recorder.now();
        let heard = self.ask(target, Ask::get("/.well-known/jwks.json")).await;
        let kept_for = heard.as_ref().and_then(|heard| heard.max_age).unwrap_or_default();
        let answer = understand(heard, |body| {
            let keys = body["keys"].as_array().into_iter().flatten();
            let published = keys.filter_map(|key| key["kid"].as_str()).map(KeyId::new).collect();
            Done::Keys { published, kept_for }
        });
        self.shared.recorder.note(started, target.node, Call::ReadKeys, answer);
    }

    /// Reads the newest records.
    pub(super) async fn read_audit(&mut self, target: &Target) {
        if let Some(ask) = self.as_admin(Ask::get("/api/v1/audit?limit=50")).await {
            let _ = self.note(target, Call::ReadAudit, ask, |_| Done::Plain).await;
        }
    }

    /// Asks a node whether it is ready.
    pub(super) async fn ask_ready(&self, target: &Target) {
        let ask = Ask::get("/health/ready");
        let _ = self.note(target, Call::AskReady, ask, |_| Done::Plain).await;
    }

    async fn note(&self, target: &Target, call: Call, ask: Ask, read: impl FnOnce(&Value) -> Done) -> Answer {
        let started = self.shared.recorder.now();
        let answer = understand(self.ask(target, ask).await, read);
        if matches!(answer, Answer::Refused(401, _)) {
            self.shared.set_admin_token(None);
        }
        self.shared.recorder.note(started, target.node, call, answer.clone());
        answer
    }

    /// A request in the administrator's name; `None` if the administrator gets no token now.
    async fn as_admin(&mut self, ask: Ask) -> Option<Ask> {
        let token = self.admin_token().await?;
        Some(ask.bearing(&token))
    }

    pub(super) async fn admin_token(&mut self) -> Option<String> {
        if let Some(known) = self.shared.admin_token() {
            return Some(known);
        }
        let target = self.target();
        let ask = Ask::token(&self.shared.admin, ADMIN_SCOPES);
        let heard = self.ask(&target, ask).await.filter(|heard| heard.status == 200)?;
        let token = heard.body["access_token"].as_str().unwrap_or_default().to_owned();
        self.shared.set_admin_token(Some(token.clone()));
        Some(token)
    }
}

/// The header and the claims of a token, which its client believes.
fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    });
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

fn understand(heard: Option<Heard>, read: impl FnOnce(&Value) -> Done) -> Answer {
    let Some(Heard { status, body, .. }) = heard else {
        return Answer::Lost;
    };
    let code = || {
        let code = body["code"].as_str().or(body["error"].as_str());
        let message = body["message"].as_str().or(body["error_description"].as_str());
        format!("{}: {}", code.unwrap_or_default(), message.unwrap_or_default())
    };
    match status {
        200..300 => Answer::Done(read(&body)),
        429 | 503 => Answer::Unavailable(status),
        500.. => Answer::Broken(status, code()),
        _ => Answer::Refused(status, code()),
    }
}
