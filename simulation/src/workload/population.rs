//! What the clients know of each other's doings: agents with their secrets, and tokens.

use std::collections::BTreeSet;

use super::client::Client;
use crate::history::{AgentId, CredentialId, TokenId};
use crate::random::Random;

/// How many tokens are remembered as long as nobody has killed them.
const TOKENS_MAX: usize = 4_000;
/// How many of the newest tokens are looked at more often than the rest.
const NEWEST: usize = 40;

/// Who writes to an agent: each has one writer, so that its last acknowledged write is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// Nobody: it only gets tokens.
    Plain,
    /// The suspender.
    Suspended,
    /// The keeper of credentials.
    Rekeyed,
}

/// An agent that can prove itself.
#[derive(Clone)]
pub(super) struct Holder {
    pub(super) agent: AgentId,
    pub(super) credential: CredentialId,
    pub(super) client: Client,
    pub(super) duty: Duty,
}

/// A token that somebody has.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) id: TokenId,
    pub(super) agent: AgentId,
    pub(super) credential: CredentialId,
    pub(super) text: String,
}

/// All agents and tokens.
#[derive(Default)]
pub(super) struct Population {
    pub(super) holders: Vec<Holder>,
    tokens: Vec<Held>,
    /// Tokens that somebody wanted to kill; they are looked at once more at the end.
    pub(super) condemned: Vec<Held>,
    known: BTreeSet<TokenId>,
}

impl Population {
    /// Some agent of this duty.
    pub(super) fn holder(&self, duty: Duty, random: &mut Random) -> Option<Holder> {
        let candidates: Vec<&Holder> = self.holders.iter().filter(|holder| holder.duty == duty).collect();
        random.pick(&candidates).map(|holder| (*holder).clone())
    }

    /// Replaces what is known of an agent, or forgets it.
    pub(super) fn replace(&mut self, agent: &AgentId, by: Option<Holder>) {
        self.holders.retain(|holder| holder.agent != *agent);
        self.holders.extend(by);
    }

    pub(super) fn add_token(&mut self, token: Held, random: &mut Random) {
        if self.tokens.len() >= TOKENS_MAX {
            let forgotten = random.below(self.tokens.len() / 2);
            let _ = self.tokens.remove(forgotten);
        }
        self.tokens.push(token);
    }

    /// One of all tokens, or, as often, one of the newest.
    pub(super) fn token(&self, random: &mut Random) -> Option<Held> {
        if random.happens(500) {
            let newest = &self.tokens[self.tokens.len().saturating_sub(NEWEST)..];
            random.pick(newest).cloned()
        } else {
            random.pick(&self.tokens).cloned()
        }
    }

    /// The newest tokens, at most so many, that hold this.
    pub(super) fn newest(&self, most: usize, holds: impl Fn(&Held) -> bool) -> Vec<Held> {
        let matching = self.tokens.iter().rev().filter(|token| holds(token));
        matching.take(most).cloned().collect()
    }

    /// Somebody wants to kill these.
    pub(super) fn condemn(&mut self, tokens: &[Held]) {
        for token in tokens {
            if self.known.insert(token.id.clone()) {
                self.condemned.push(token.clone());
            }
        }
    }
}
