//! What was to kill tokens: revocations of tokens and credentials, and suspensions of agents.

use std::collections::BTreeMap;
use std::time::Duration;

use super::tokens::Token;
use crate::history::{AgentId, Call, CredentialId, Effect, Entry, History, Moment, NodeId, Rotation, Status, TokenId};
use crate::{DRIFT_PER_MILLE_MAX, SILENT_AFTER};

/// How long the answer to a kill waits for the members, by the fastest clock; one that came sooner was confirmed by all that
/// could be reached.
const BARRIER: Duration = Duration::from_micros(500 * (1_000 - DRIFT_PER_MILLE_MAX));

/// For how long an order to replace keys may wait at its node after it was not answered.
const KEYS_WAIT_MAX: Duration = Duration::from_secs(30);

/// An attempt to kill.
#[derive(Clone, Copy)]
pub(super) struct Kill {
    pub(super) started: Moment,
    pub(super) ended: Moment,
    /// Whether it was answered 2xx.
    pub(super) is_acknowledged: bool,
}

/// All attempts that may have had an effect, and what may have undone them.
#[derive(Default)]
pub(super) struct Kills {
    tokens: BTreeMap<TokenId, Vec<Kill>>,
    credentials: BTreeMap<CredentialId, Vec<Kill>>,
    agents: BTreeMap<AgentId, Vec<Kill>>,
    reactivations: BTreeMap<AgentId, Vec<Kill>>,
    rotations: BTreeMap<CredentialId, Vec<Kill>>,
    emergencies: Vec<Kill>,
}

impl Kills {
    pub(super) fn of(history: &History) -> Self {
        let mut kills = Self::default();
        for entry in history.entries.iter().filter(|entry| entry.answer.may_be_done()) {
            let kill = Kill::of(entry);
            match &entry.call {
                Call::RevokeToken(token) => kills.tokens.entry(token.clone()).or_default().push(kill),
                Call::RevokeCredential(_, credential) => {
                    kills.credentials.entry(credential.clone()).or_default().push(kill);
                }
                Call::RotateCredential(_, credential) => {
                    kills.rotations.entry(credential.clone()).or_default().push(kill);
                }
                Call::SetStatus(agent, Status::Suspended) => {
                    kills.agents.entry(agent.clone()).or_default().push(kill);
                }
                Call::SetStatus(agent, Status::Active) => {
                    kills.reactivations.entry(agent.clone()).or_default().push(kill);
                }
                Call::RotateKeys(Rotation::Emergency) => kills.emergencies.push(Kill {
                    ended: kill.ended.min(entry.ended.plus(KEYS_WAIT_MAX)),
                    ..kill
                }),
                _ => {}
            }
        }
        kills
    }

    /// Every attempt that may have killed a token, acknowledged or not.
    pub(super) fn possible<'a>(&'a self, id: &TokenId, token: &'a Token) -> impl Iterator<Item = &'a Kill> + 'a {
        let tokens = self.tokens.get(id).into_iter().flatten();
        let credentials = self.credentials.get(&token.credential).into_iter().flatten();
        let agents = self.agents.get(&token.agent).into_iter().flatten();
        tokens.chain(credentials).chain(agents)
    }

    /// Every acknowledged attempt after which a token had to be dead. One to suspend its agent does not count if the token
    /// may have been issued after a reactivation that may have come later.
    pub(super) fn certain<'a>(&'a self, id: &TokenId, token: &'a Token) -> impl Iterator<Item = &'a Kill> + 'a {
        let lasting = self.tokens.get(id).into_iter().flatten();
        let lasting = lasting.chain(self.credentials.get(&token.credential).into_iter().flatten());
        let suspensions = self.agents.get(&token.agent).into_iter().flatten();
        let suspensions = suspensions.filter(|suspension| !self.is_undone(suspension, token));
        let emergencies = self.emergencies.iter();
        let emergencies = emergencies.filter(|emergency| token.issued < emergency.started);
        lasting
            .chain(suspensions)
            .chain(emergencies)
            .filter(|kill| kill.is_acknowledged)
    }

    /// Whether an emergency until a moment may keep a token from being alive, or its key from being published, at the node
    /// of a call: the one that issued it may have signed it with a former key, or the one that is asked may not know the
    /// new one.
    pub(super) fn emergency_between(&self, history: &History, token: &Token, entry: &Entry, until: Moment) -> bool {
        self.emergencies.iter().any(|emergency| {
            let is_former = emergency.known_at(history, token.node) > token.asked;
            let is_unknown = emergency.known_at(history, entry.node) > entry.started;
            emergency.started < until && (is_former || is_unknown)
        })
    }

    /// The last rotation of a credential that was acknowledged before a moment: the one that killed the secret before the
    /// one that is in use then.
    pub(super) fn rotation_before(&self, credential: &CredentialId, moment: Moment) -> Option<&Kill> {
        let rotations = self.rotations.get(credential).into_iter().flatten();
        let acknowledged = rotations.filter(|kill| kill.is_acknowledged && kill.ended <= moment);
        acknowledged.max_by_key(|kill| kill.ended)
    }

    fn is_undone(&self, suspension: &Kill, token: &Token) -> bool {
        let reactivations = self.reactivations.get(&token.agent).into_iter().flatten();
        let mut later = reactivations.filter(|reactivation| reactivation.ended > suspension.started);
        later.any(|reactivation| reactivation.started < token.issued)
    }
}

impl Kill {
    fn of(entry: &Entry) -> Self {
        Self {
            started: entry.started,
            // What was not answered may be done at any later time.
            ended: if entry.answer.is_done() {
                entry.ended
            } else {
                Moment::NEVER
            },
            is_acknowledged: entry.answer.is_done(),
        }
    }

    /// When a node knows of an acknowledged kill at the latest: with the answer, or `max_revocation_staleness` later if it
    /// may not have heard of it in time. That is so if a fault of ours was upon the node while the kill was under way (cut
    /// off, down, paused, full, on a lossy wire), or if the kill took the whole time that an answer waits for the members
    /// and no fault upon another explains it.
    pub(super) fn known_at(&self, history: &History, node: NodeId) -> Moment {
        let upon = |node| {
            let mut disturbances = history.disturbances.iter();
            disturbances.any(|disturbance| disturbance.touches(Effect::MayLag, node, self.started, self.ended))
        };
        let is_explained = || {
            let effects = history.disturbances.iter().flat_map(|disturbance| &disturbance.effects);
            effects.flat_map(|(_, nodes, ..)| nodes).any(|node| upon(*node))
        };
        let took_long = self.ended.since(self.started) >= BARRIER;
        if upon(node) || (took_long && !is_explained()) {
            self.ended.plus(SILENT_AFTER)
        } else {
            self.ended
        }
    }
}
