//! Histories that are written down by tests: one call after the other, a millisecond each.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::history::{
    AgentId, Answer, Call, CredentialId, Disturbance, Done, Effect, Entry, History, KeyId, Moment, NodeId, Status,
    TokenId,
};

const CALL: Duration = Duration::from_millis(1);

/// The answer to whoever reads the public keys.
pub(super) fn keys_read(names: &[&str], kept_for: Duration) -> Answer {
    let published = names.iter().map(|name| KeyId::new(name)).collect();
    Answer::Done(Done::Keys { published, kept_for })
}

/// A history, and how late it is in it.
#[derive(Default)]
pub(super) struct Script {
    pub(super) history: History,
    now: Moment,
}

impl Script {
    pub(super) fn call(&mut self, node: u64, call: Call, answer: Answer) -> &mut Self {
        let started = self.now.plus(CALL);
        let ended = started.plus(CALL);
        self.now = ended;
        self.history.entries.push(Entry {
            started,
            ended,
            node: NodeId(node),
            call,
            answer,
        });
        self
    }

    pub(super) fn issue(&mut self, node: u64, token: &str, agent: &str, credential: &str) -> &mut Self {
        let call = Call::Issue {
            agent: AgentId::new(agent),
            credential: CredentialId::new(credential),
        };
        let done = Done::Token(TokenId::new(token), KeyId::new("key"));
        self.call(node, call, Answer::Done(done))
    }

    /// The last token is signed with another key.
    pub(super) fn signed_with(&mut self, key: &str) -> &mut Self {
        if let Answer::Done(Done::Token(_, with)) = &mut self.last_mut().answer {
            *with = KeyId::new(key);
        }
        self
    }

    pub(super) fn revoke_token(&mut self, node: u64, token: &str) -> &mut Self {
        self.call(node, Call::RevokeToken(TokenId::new(token)), Answer::Done(Done::Plain))
    }

    pub(super) fn revoke_credential(&mut self, node: u64, agent: &str, credential: &str) -> &mut Self {
        let call = Call::RevokeCredential(AgentId::new(agent), CredentialId::new(credential));
        self.call(node, call, Answer::Done(Done::Plain))
    }

    pub(super) fn suspend(&mut self, node: u64, agent: &str) -> &mut Self {
        self.set_status(node, agent, Status::Suspended)
    }

    pub(super) fn reactivate(&mut self, node: u64, agent: &str) -> &mut Self {
        self.set_status(node, agent, Status::Active)
    }

    fn set_status(&mut self, node: u64, agent: &str, status: Status) -> &mut Self {
        self.call(
            node,
            Call::SetStatus(AgentId::new(agent), status),
            Answer::Done(Done::Plain),
        )
    }

    pub(super) fn introspect(&mut self, node: u64, token: &str, is_active: bool) -> &mut Self {
        let answer = Answer::Done(Done::Vouched(is_active));
        self.call(node, Call::Introspect(TokenId::new(token)), answer)
    }

    pub(super) fn present(&mut self, node: u64, token: &str, is_active: bool) -> &mut Self {
        let answer = Answer::Done(Done::Vouched(is_active));
        self.call(node, Call::Present(TokenId::new(token)), answer)
    }

    pub(super) fn fault(&mut self, effect: Effect, nodes: &[u64]) -> &mut Self {
        let nodes: BTreeSet<NodeId> = nodes.iter().copied().map(NodeId).collect();
        self.history.disturbances.push(Disturbance {
            name: "a fault".to_owned(),
            from: self.now,
            until: Moment::NEVER,
            effects: vec![(effect, nodes, self.now, Moment::NEVER)],
        });
        self
    }

    pub(super) fn heal(&mut self) -> &mut Self {
        for disturbance in &mut self.history.disturbances {
            disturbance.until = self.now;
            disturbance.effects.iter_mut().for_each(|effect| effect.3 = self.now);
        }
        self
    }

    pub(super) fn wait(&mut self, time: Duration) -> &mut Self {
        self.now = self.now.plus(time);
        self
    }

    pub(super) fn last(&self) -> &Entry {
        self.history.entries.last().expect("a call was made")
    }

    pub(super) fn last_mut(&mut self) -> &mut Entry {
        self.history.entries.last_mut().expect("a call was made")
    }
}
