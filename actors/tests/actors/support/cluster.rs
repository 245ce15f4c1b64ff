//! A replicated state of one, in memory: counts revisions and knows what was revoked and changed when.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::ports::{Replication, ReplicationError, RevocationView};
use domain::{AgentId, Applied, NodeId, OrganizationId, ReplicatedChange, Revision, Subject, TokenFacts};

use super::switches::Switches;

/// The replicated state.
#[derive(Default)]
pub struct MemoryCluster {
    state: Mutex<State>,
    stale: AtomicBool,
    has_others: AtomicBool,
    pub applying: Switches,
}

#[derive(Default)]
struct State {
    revision: u64,
    revoked: BTreeMap<Subject, u64>,
    agents: BTreeMap<AgentId, u64>,
    organizations: BTreeMap<OrganizationId, u64>,
    log: Vec<ReplicatedChange>,
    silent: Vec<NodeId>,
}

impl MemoryCluster {
    /// The node can't prove that its view is recent.
    pub fn set_stale(&self, stale: bool) {
        self.stale.store(stale, Ordering::SeqCst);
    }

    /// There are other members.
    pub fn set_has_others(&self) {
        self.has_others.store(true, Ordering::SeqCst);
    }

    /// These members confirm nothing.
    pub fn set_silent(&self, members: &[NodeId]) {
        self.state.lock().expect("no panic").silent = members.to_vec();
    }

    /// Everything that was applied.
    pub fn log(&self) -> Vec<ReplicatedChange> {
        self.state.lock().expect("no panic").log.clone()
    }

    fn check_fresh(&self) -> Result<(), ReplicationError> {
        if self.stale.load(Ordering::SeqCst) {
            Err(ReplicationError::Stale)
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Replication for MemoryCluster {
    async fn apply(&self, changes: Vec<ReplicatedChange>) -> Result<Applied, ReplicationError> {
        if !self.applying.pass().await {
            return Err(ReplicationError::Unavailable("switched off".into()));
        }
        let mut state = self.state.lock().expect("no panic");
        for change in changes {
            state.revision += 1;
            let revision = state.revision;
            match change {
                ReplicatedChange::Revoke(revocation) => state.revoked.insert(revocation.subject, revision),
                ReplicatedChange::AgentChanged(agent) => state.agents.insert(agent, revision),
                ReplicatedChange::OrganizationChanged(organization) => {
                    state.organizations.insert(organization, revision)
                }
            };
            state.log.push(change);
        }
        Ok(Applied {
            revision: Revision(state.revision),
            unconfirmed: state.silent.clone(),
        })
    }

    async fn catch_up(&self) -> Result<(), ReplicationError> {
        self.check_fresh()
    }

    fn is_alone(&self) -> bool {
        !self.has_others.load(Ordering::SeqCst)
    }
}

impl RevocationView for MemoryCluster {
    fn revision(&self) -> Result<Revision, ReplicationError> {
        self.check_fresh()?;
        Ok(Revision(self.state.lock().expect("no panic").revision))
    }

    fn is_revoked(&self, token: &TokenFacts) -> Result<bool, ReplicationError> {
        self.check_fresh()?;
        let state = self.state.lock().expect("no panic");
        let at = |subject| state.revoked.get(&subject).copied();
        let for_ever = [Subject::Token(token.token), Subject::Family(token.family)];
        let until_then = [
            Subject::Credential(token.credential),
            Subject::Agent(token.agent),
            Subject::Organization(token.organization),
        ];
        let is_older = |subject| at(subject).is_some_and(|revision| token.issued_at.0 < revision);
        Ok(for_ever.into_iter().any(|subject| at(subject).is_some()) || until_then.into_iter().any(is_older))
    }

    fn is_outdated(&self, organization: OrganizationId, agent: AgentId, read_at: Revision) -> bool {
        let state = self.state.lock().expect("no panic");
        let changed = [state.agents.get(&agent), state.organizations.get(&organization)];
        changed.into_iter().flatten().any(|revision| read_at.0 < *revision)
    }
}
