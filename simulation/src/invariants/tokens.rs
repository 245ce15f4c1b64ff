//! The tokens of a history: when each was issued, to whom, and with what.

use std::collections::BTreeMap;

use crate::history::{
    AgentId, Answer, Call, CredentialId, Disturbance, Done, Effect, Entry, History, KeyId, Moment, NodeId, TokenId,
};

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

/// Whether keys may have been replaced of which a node had not heard when it was asked.
pub(super) fn may_lack_keys(history: &History, entry: &Entry) -> bool {
    let mut entries = history.entries.iter();
    let were_replaced = entries.any(|earlier| matches!(earlier.call, Call::RotateKeys(_)));
    let mut disturbances = history.disturbances.iter();
    let lags = |fault: &Disturbance| fault.touches(Effect::MayLag, entry.node, entry.started, entry.ended);
    were_replaced && disturbances.any(lags)
}
