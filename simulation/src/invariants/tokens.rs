//! The tokens of a history: when each was issued, to whom, and with what.

use std::collections::BTreeMap;

use crate::history::{AgentId, Answer, Call, CredentialId, Done, History, KeyId, Moment, NodeId, TokenId};

/// A token that a client has got.
pub(super) struct Token {
    pub(super) agent: AgentId,
    pub(super) credential: CredentialId,
    pub(super) key: KeyId,
    /// Which node issued it.
    pub(super) node: NodeId,
    /// When the client asked for it.
    pub(super) asked: Moment,
    /// When the client had it.
    pub(super) issued: Moment,
}

/// All of them.
pub(super) fn issued(history: &History) -> BTreeMap<TokenId, Token> {
    let mut tokens = BTreeMap::new();
    for entry in &history.entries {
        if let (Call::Issue { agent, credential }, Answer::Done(Done::Token(token, key))) = (&entry.call, &entry.answer)
        {
            let found = Token {
                agent: agent.clone(),
                credential: credential.clone(),
                key: key.clone(),
                node: entry.node,
                asked: entry.started,
                issued: entry.ended,
            };
            tokens.insert(token.clone(), found);
        }
    }
    tokens
}
