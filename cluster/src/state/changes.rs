//! Which cached rows are stale: the revision at which an agent or an organization last changed.

use std::time::Duration;

use domain::{AgentId, OrganizationId, Revision, Timestamp};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

/// How long a change is remembered. A row that was read longer ago than this is read anew, changed or not.
pub(crate) const CHANGE_MEMORY: Duration = Duration::from_secs(24 * 3600);

/// What changed. The order of the variants is part of the snapshot format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Changed {
    Agent(AgentId),
    Organization(OrganizationId),
}

/// A change as a snapshot holds it: what, at which revision, and the state's time then.
pub(crate) type ChangeImage = (Changed, Revision, Timestamp);

/// The latest change of each subject. What is forgotten counts as changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    agents: OrdMap<AgentId, Revision>,
    organizations: OrdMap<OrganizationId, Revision>,
    by_revision: OrdMap<Revision, (Changed, Timestamp)>,
    forgotten_up_to: Revision,
}

impl Changes {
    pub(crate) fn agent_changed(&mut self, agent: AgentId, revision: Revision, now: Timestamp, limit: usize) {
        if let Some(former) = self.agents.insert(agent, revision) {
            self.by_revision.remove(&former);
        }
        self.by_revision.insert(revision, (Changed::Agent(agent), now));
        self.keep(limit);
    }

    pub(crate) fn organization_changed(
        &mut self,
        organization: OrganizationId,
        revision: Revision,
        now: Timestamp,
        limit: usize,
    ) {
        if let Some(former) = self.organizations.insert(organization, revision) {
            self.by_revision.remove(&former);
        }
        self.by_revision
            .insert(revision, (Changed::Organization(organization), now));
        self.keep(limit);
    }

    /// Whether what was read of an agent when the state was at `read_at` may have changed since.
    pub(crate) fn is_outdated(&self, organization: OrganizationId, agent: AgentId, read_at: Revision) -> bool {
        let after = |changed: Option<&Revision>| changed.is_some_and(|changed| read_at < *changed);
        read_at < self.forgotten_up_to || after(self.agents.get(&agent)) || after(self.organizations.get(&organization))
    }

    /// Forgets, oldest first and at most `limit`, what is older than [`CHANGE_MEMORY`].
    pub(crate) fn forget(&mut self, now: Timestamp, limit: usize) {
        for _ in 0..limit {
            if !self.has_expired(now) {
                return;
            }
            self.forget_oldest();
        }
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.by_revision
            .get_min()
            .is_some_and(|(_, (_, changed_at))| changed_at.plus(CHANGE_MEMORY) <= now)
    }

    fn keep(&mut self, limit: usize) {
        while self.by_revision.len() > limit {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((revision, (changed, _))) = self.by_revision.get_min().copied() else {
            return;
        };
        self.by_revision.remove(&revision);
        match changed {
            Changed::Agent(agent) => drop(self.agents.remove(&agent)),
            Changed::Organization(organization) => drop(self.organizations.remove(&organization)),
        }
        self.forgotten_up_to = self.forgotten_up_to.max(revision);
    }

    pub(crate) fn forgotten_up_to(&self) -> Revision {
        self.forgotten_up_to
    }

    /// Nothing remembered, everything up to `forgotten_up_to` forgotten.
    pub(crate) fn forgotten(forgotten_up_to: Revision) -> Self {
        Self {
            forgotten_up_to,
            ..Self::default()
        }
    }

    /// Everything, oldest first.
    pub(crate) fn images(&self) -> impl Iterator<Item = ChangeImage> + '_ {
        self.by_revision
            .iter()
            .map(|(revision, (changed, at))| (*changed, *revision, *at))
    }

    /// Puts back one that a snapshot holds; false if the snapshot contradicts itself.
    pub(crate) fn restore(&mut self, (changed, revision, at): ChangeImage) -> bool {
        let former = match changed {
            Changed::Agent(agent) => self.agents.insert(agent, revision),
            Changed::Organization(organization) => self.organizations.insert(organization, revision),
        };
        let taken = self.by_revision.insert(revision, (changed, at));
        former.is_none() && taken.is_none()
    }
}
