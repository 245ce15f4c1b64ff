//! The state as one would write it on a slate: lists that are searched from end to end.

use domain::{AgentId, OrganizationId, Revision, Revocation, Subject, Timestamp, TokenFacts};

use super::super::Limits;
use super::super::changes::CHANGE_MEMORY;
use super::super::revocations::FORGET_MARGIN;
use crate::command::{Command, CommandResult, Refusal};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Agent(AgentId),
    Organization(OrganizationId),
}

pub(super) struct Model {
    limits: Limits,
    revision: Revision,
    now: Timestamp,
    revocations: Vec<(Revocation, Revision)>,
    changes: Vec<(Row, Revision, Timestamp)>,
    forgotten_up_to: Revision,
}

impl Model {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            revision: Revision(0),
            now: Timestamp::EPOCH,
            revocations: Vec::new(),
            changes: Vec::new(),
            forgotten_up_to: Revision(0),
        }
    }

    pub(super) fn apply(&mut self, command: &Command) -> CommandResult {
        self.revision.0 += 1;
        let mut refusal = None;
        match command {
            Command::Revoke(revocation) => refusal = self.revoke(*revocation),
            Command::AgentChanged(agent) => self.changed(Row::Agent(*agent)),
            Command::OrganizationChanged(organization) => self.changed(Row::Organization(*organization)),
            Command::Tick { now } if *now >= self.now => self.tick(*now),
            Command::Tick { .. } => {}
            other => unreachable!("the model does not know {other:?}"),
        }
        CommandResult {
            revision: self.revision,
            refusal,
        }
    }

    fn revoke(&mut self, revocation: Revocation) -> Option<Refusal> {
        if let Some((known, at)) = self
            .revocations
            .iter_mut()
            .find(|(known, _)| known.subject == revocation.subject)
        {
            known.forget_at = known.forget_at.max(revocation.forget_at);
            *at = self.revision;
        } else if self.revocations.len() == self.limits.revocations {
            return Some(Refusal::DenyListFull);
        } else {
            self.revocations.push((revocation, self.revision));
        }
        None
    }

    fn changed(&mut self, row: Row) {
        self.changes.retain(|(known, _, _)| *known != row);
        self.changes.push((row, self.revision, self.now));
        while self.changes.len() > self.limits.changes {
            self.forgotten_up_to = self.changes.remove(0).1;
        }
    }

    fn tick(&mut self, now: Timestamp) {
        self.now = now;
        self.revocations
            .retain(|(revocation, _)| revocation.forget_at.plus(FORGET_MARGIN) > now);
        while self
            .changes
            .first()
            .is_some_and(|(_, _, at)| at.plus(CHANGE_MEMORY) <= now)
        {
            self.forgotten_up_to = self.changes.remove(0).1;
        }
    }

    pub(super) fn revocation_count(&self) -> usize {
        self.revocations.len()
    }

    pub(super) fn is_revoked(&self, token: &TokenFacts) -> bool {
        self.revocations
            .iter()
            .any(|(revocation, at)| match revocation.subject {
                Subject::Token(id) => id == token.token,
                Subject::Family(id) => id == token.family,
                Subject::Credential(id) => id == token.credential && token.issued_at < *at,
                Subject::Agent(id) => id == token.agent && token.issued_at < *at,
                Subject::Organization(id) => id == token.organization && token.issued_at < *at,
            })
    }

    pub(super) fn is_outdated(&self, organization: OrganizationId, agent: AgentId, read_at: Revision) -> bool {
        let concerns = |row: Row| row == Row::Agent(agent) || row == Row::Organization(organization);
        read_at < self.forgotten_up_to
            || self
                .changes
                .iter()
                .any(|(row, revision, _)| concerns(*row) && read_at < *revision)
    }
}
