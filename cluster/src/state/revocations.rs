//! The deny list: who is dead, and until when that must be remembered.

use std::time::Duration;

use domain::{
    AgentId, CredentialId, OrganizationId, Revision, Revocation, Subject, Timestamp, TokenFacts, TokenFamily, TokenId,
};
use imbl::{OrdMap, OrdSet};

use crate::command::Refusal;

/// How long a revocation is remembered beyond the moment when its last token has expired: wall clocks differ between
/// the nodes, and whoever verifies a token may allow some leeway after its expiry.
pub(crate) const FORGET_MARGIN: Duration = Duration::from_secs(600);

/// Everything that was issued before a revision is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cutoff {
    before: Revision,
    forget_at: Timestamp,
}

/// The deny list. Each kind of subject has a map of its own, so that a token is checked against five small look-ups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Revocations {
    tokens: OrdMap<TokenId, Timestamp>,
    families: OrdMap<TokenFamily, Timestamp>,
    credentials: OrdMap<CredentialId, Cutoff>,
    agents: OrdMap<AgentId, Cutoff>,
    organizations: OrdMap<OrganizationId, Cutoff>,
    /// The same by the time when they may be forgotten, so that a tick does not search.
    by_forget_at: OrdSet<(Timestamp, Subject)>,
}

/// A revocation as a snapshot holds it; `before` is there for credentials, agents and organizations.
pub(crate) type RevocationImage = (Subject, Option<Revision>, Timestamp);

impl Revocations {
    /// Remembers a revocation that is applied at `revision`. One that is there already is kept until the later of the
    /// two times, and its cut-off moves on.
    pub(crate) fn revoke(&mut self, revocation: &Revocation, revision: Revision, limit: usize) -> Result<(), Refusal> {
        let subject = revocation.subject;
        let known = self.forget_at(subject);
        if known.is_none() && self.len() >= limit {
            return Err(Refusal::DenyListFull);
        }
        let forget_at = known.map_or(revocation.forget_at, |known| known.max(revocation.forget_at));
        self.put(subject, revision, forget_at);
        if known != Some(forget_at) {
            if let Some(known) = known {
                self.by_forget_at.remove(&(known, subject));
            }
            self.by_forget_at.insert((forget_at, subject));
        }
        Ok(())
    }

    /// Forgets, earliest first and at most `limit`, what no living token can be about any more.
    pub(crate) fn forget(&mut self, now: Timestamp, limit: usize) {
        for _ in 0..limit {
            let Some((forget_at, subject)) = self.by_forget_at.get_min().copied() else {
                return;
            };
            if !is_over(forget_at, now) {
                return;
            }
            self.by_forget_at.remove(&(forget_at, subject));
            self.take(subject);
        }
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.by_forget_at
            .get_min()
            .is_some_and(|(forget_at, _)| is_over(*forget_at, now))
    }

    pub(crate) fn is_revoked(&self, token: &TokenFacts) -> bool {
        let after = |cutoff: Option<&Cutoff>| cutoff.is_some_and(|cutoff| token.issued_at < cutoff.before);
        self.tokens.contains_key(&token.token)
            || self.families.contains_key(&token.family)
            || after(self.credentials.get(&token.credential))
            || after(self.agents.get(&token.agent))
            || after(self.organizations.get(&token.organization))
    }

    pub(crate) fn len(&self) -> usize {
        self.by_forget_at.len()
    }

    /// Everything, in the order in which it will be forgotten.
    pub(crate) fn images(&self) -> impl Iterator<Item = RevocationImage> + '_ {
        self.by_forget_at
            .iter()
            .map(|(forget_at, subject)| (*subject, self.cutoff(*subject), *forget_at))
    }

    /// Puts back one that a snapshot holds; false if the snapshot contradicts itself.
    pub(crate) fn restore(&mut self, (subject, before, forget_at): RevocationImage) -> bool {
        let has_cutoff = !matches!(subject, Subject::Token(_) | Subject::Family(_));
        if before.is_some() != has_cutoff || self.forget_at(subject).is_some() {
            return false;
        }
        self.put(subject, before.unwrap_or_default(), forget_at);
        self.by_forget_at.insert((forget_at, subject));
        true
    }

    fn put(&mut self, subject: Subject, before: Revision, forget_at: Timestamp) {
        let cutoff = Cutoff { before, forget_at };
        match subject {
            Subject::Token(id) => drop(self.tokens.insert(id, forget_at)),
            Subject::Family(id) => drop(self.families.insert(id, forget_at)),
            Subject::Credential(id) => drop(self.credentials.insert(id, cutoff)),
            Subject::Agent(id) => drop(self.agents.insert(id, cutoff)),
            Subject::Organization(id) => drop(self.organizations.insert(id, cutoff)),
        }
    }

    fn take(&mut self, subject: Subject) {
        match subject {
            Subject::Token(id) => drop(self.tokens.remove(&id)),
            Subject::Family(id) => drop(self.families.remove(&id)),
            Subject::Credential(id) => drop(self.credentials.remove(&id)),
            Subject::Agent(id) => drop(self.agents.remove(&id)),
            Subject::Organization(id) => drop(self.organizations.remove(&id)),
        }
    }

    fn forget_at(&self, subject: Subject) -> Option<Timestamp> {
        match subject {
            Subject::Token(id) => self.tokens.get(&id).copied(),
            Subject::Family(id) => self.families.get(&id).copied(),
            Subject::Credential(id) => self.credentials.get(&id).map(|cutoff| cutoff.forget_at),
            Subject::Agent(id) => self.agents.get(&id).map(|cutoff| cutoff.forget_at),
            Subject::Organization(id) => self.organizations.get(&id).map(|cutoff| cutoff.forget_at),
        }
    }

    fn cutoff(&self, subject: Subject) -> Option<Revision> {
        match subject {
            Subject::Token(_) | Subject::Family(_) => None,
            Subject::Credential(id) => self.credentials.get(&id).map(|cutoff| cutoff.before),
            Subject::Agent(id) => self.agents.get(&id).map(|cutoff| cutoff.before),
            Subject::Organization(id) => self.organizations.get(&id).map(|cutoff| cutoff.before),
        }
    }
}

fn is_over(forget_at: Timestamp, now: Timestamp) -> bool {
    forget_at.plus(FORGET_MARGIN) <= now
}
