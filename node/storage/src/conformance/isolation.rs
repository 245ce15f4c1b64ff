//! What one organization can see and do of another: nothing.

use domain::audit::ChainHead;
use domain::ports::StoreError;
use domain::{
    Action, Agent, AgentFilter, AgentId, AgentStatus, AuditFilter, Change, CredentialId, OrganizationId,
    StoredCredential,
};

use super::rotation::rotation;
use super::world::{Tenant, assert_not_found, at, next, uuid, whole};
use crate::Stores;

/// An organization with something of everything, and one that would like to have it.
struct Neighbours {
    owner: Tenant,
    agent: Agent,
    credential: StoredCredential,
    intruder: Tenant,
    /// Of the intruder.
    own_agent: AgentId,
}

impl Neighbours {
    async fn new(stores: &Stores) -> Self {
        let (owner, intruder) = (Tenant::new(stores).await, Tenant::new(stores).await);
        let agent = owner.registered().await;
        let credential = owner.stored(agent.agent_id).await;
        let own_agent = intruder.registered().await.agent_id;
        intruder.stored(own_agent).await;
        Self {
            owner,
            agent,
            credential,
            intruder,
            own_agent,
        }
    }

    fn id(&self) -> OrganizationId {
        self.intruder.id()
    }

    fn credential_id(&self) -> CredentialId {
        self.credential.credential.credential_id
    }

    /// What the intruder's own audit log and outbox would hold if it got through.
    fn change(&self, action: Action) -> Change {
        self.intruder.change(action)
    }
}

pub async fn agents_of_others_are_not_found_and_not_listed(stores: &Stores) {
    let world = Neighbours::new(stores).await;
    let found = stores.agents.find(world.id(), world.agent.agent_id).await;
    assert_eq!(found.expect("the store answers"), None);
    for q in [None, Some(world.agent.email.to_string())] {
        let filter = AgentFilter {
            q: q.clone(),
            ..AgentFilter::default()
        };
        let listed = stores
            .agents
            .list(world.id(), &filter, whole())
            .await
            .expect("the store answers");
        assert_eq!(listed.total, u64::from(q.is_none()));
        assert!(listed.data.iter().all(|agent| agent.organization_id == world.id()));
    }
}

pub async fn agents_of_others_can_not_be_changed(stores: &Stores) {
    let world = Neighbours::new(stores).await;
    let before = (world.owner.snapshot().await, world.intruder.snapshot().await);
    let stolen = Agent {
        organization_id: world.id(),
        status: AgentStatus::Decommissioned,
        ..next(&world.agent)
    };
    let stale = Agent {
        row_version: 9,
        ..stolen.clone()
    };
    for agent in [&stolen, &stale] {
        assert_not_found(stores.agents.update(agent, &world.change(Action::AgentUpdated)).await);
        assert_not_found(
            stores
                .agents
                .decommission(agent, &world.change(Action::AgentDecommissioned))
                .await,
        );
    }
    assert_eq!((world.owner.snapshot().await, world.intruder.snapshot().await), before);
}

pub async fn credentials_of_others_are_not_found_and_not_listed(stores: &Stores) {
    let world = Neighbours::new(stores).await;
    for agent in [world.agent.agent_id, world.own_agent] {
        let found = stores.credentials.find(world.id(), agent, world.credential_id()).await;
        assert_eq!(found.expect("the store answers"), None);
    }
    let listed = stores
        .credentials
        .list(world.id(), world.agent.agent_id, None, whole())
        .await;
    let listed = listed.expect("the store answers");
    assert_eq!((listed.data, listed.total), (Vec::new(), 0));
}

pub async fn credentials_for_agents_of_others_are_refused(stores: &Stores) {
    let world = Neighbours::new(stores).await;
    let before = (world.owner.snapshot().await, world.intruder.snapshot().await);
    let backdoor = world.intruder.credential(world.agent.agent_id);
    let change = world.change(Action::CredentialGenerated);
    assert_not_found(stores.credentials.create(&backdoor, &change).await);
    assert_eq!((world.owner.snapshot().await, world.intruder.snapshot().await), before);
}

pub async fn credentials_of_others_can_not_be_changed(stores: &Stores) {
    let world = Neighbours::new(stores).await;
    let revoked = world.owner.stored(world.agent.agent_id).await;
    world.owner.revoke(revoked.credential.credential_id, at(31)).await;
    let before = (world.owner.snapshot().await, world.intruder.snapshot().await);
    // A revoked one is as unknown as an active one: no conflict tells that it is there.
    for credential in [&world.credential, &revoked] {
        let change = world.change(Action::CredentialRotated);
        let rotation = rotation(credential, Some(at(99)));
        assert_not_found(stores.credentials.rotate(world.id(), &rotation, &change).await);
        let change = world.change(Action::CredentialRevoked);
        let id = credential.credential.credential_id;
        assert_not_found(stores.credentials.revoke(world.id(), id, at(32), &change).await);
    }
    assert_eq!((world.owner.snapshot().await, world.intruder.snapshot().await), before);
}

pub async fn uses_of_credentials_of_others_are_not_noted(stores: &Stores) {
    let world = Neighbours::new(stores).await;
    let before = (world.owner.snapshot().await, world.intruder.snapshot().await);
    let used = [(world.credential_id(), at(50))];
    stores
        .credentials
        .touch(world.id(), &used)
        .await
        .expect("foreign ids are ignored");
    assert_eq!((world.owner.snapshot().await, world.intruder.snapshot().await), before);
}

pub async fn audit_events_of_others_are_not_seen(stores: &Stores) {
    let world = Neighbours::new(stores).await;
    let trail = &stores.audit_trail;
    let (theirs, own) = (world.owner.events().await, world.intruder.events().await);
    for event in &theirs {
        assert_eq!(
            trail.find(world.id(), event.event_id).await.expect("the store answers"),
            None
        );
    }
    let mut listed = trail
        .list(world.id(), &AuditFilter::default(), whole())
        .await
        .expect("the store answers");
    listed.data.reverse();
    assert_eq!((listed.data, listed.total), (own.clone(), own.len() as u64));
    assert_eq!(trail.range(world.id(), 0, 1000).await.expect("the store answers"), own);
    let head = trail.head(world.id()).await.expect("the store answers");
    assert_eq!(head.hash, own[own.len() - 1].hash);
}

pub async fn an_organization_that_does_not_exist_sees_nothing(stores: &Stores) {
    let world = Neighbours::new(stores).await;
    let nobody = OrganizationId(uuid());
    let listed = stores.agents.list(nobody, &AgentFilter::default(), whole()).await;
    assert_eq!(listed.expect("the store answers").total, 0);
    let found = stores.agents.find(nobody, world.agent.agent_id).await;
    assert_eq!(found.expect("the store answers"), None);
    let listed = stores
        .credentials
        .list(nobody, world.agent.agent_id, None, whole())
        .await;
    assert_eq!(listed.expect("the store answers").total, 0);
    let listed = stores.audit_trail.list(nobody, &AuditFilter::default(), whole()).await;
    assert_eq!(listed.expect("the store answers").total, 0);
    let head = stores.audit_trail.head(nobody).await;
    assert_eq!(head.expect("the store answers"), ChainHead::EMPTY);
}

/// Such a change would leave a record in somebody else's audit log.
pub async fn a_change_that_names_another_organization_is_refused(stores: &Stores) {
    let world = Neighbours::new(stores).await;
    let own = world.intruder.change(Action::AgentUpdated);
    let theirs = world.owner.change(Action::AgentUpdated);
    let agent = stores
        .agents
        .find(world.id(), world.own_agent)
        .await
        .expect("the store answers");
    let agent = agent.expect("it was registered");
    let own_credential = world.intruder.stored(world.own_agent).await;
    let before = (world.owner.snapshot().await, world.intruder.snapshot().await);
    for change in [
        Change {
            author: None,
            audit: theirs.audit.clone(),
            message: own.message.clone(),
        },
        Change {
            author: None,
            audit: own.audit.clone(),
            message: theirs.message.clone(),
        },
    ] {
        let new = world.intruder.credential(world.own_agent);
        let id = own_credential.credential.credential_id;
        let results = [
            stores.agents.register(&world.intruder.agent(), &change).await,
            stores.agents.update(&next(&agent), &change).await,
            stores.agents.decommission(&next(&agent), &change).await,
            stores.credentials.create(&new, &change).await,
            stores
                .credentials
                .rotate(world.id(), &rotation(&own_credential, None), &change)
                .await
                .map(|(_, id)| id),
            stores.credentials.revoke(world.id(), id, at(50), &change).await,
        ];
        for refused in results {
            assert!(
                matches!(refused, Err(StoreError::Internal(_) | StoreError::NotFound)),
                "{refused:?}"
            );
        }
    }
    assert_eq!((world.owner.snapshot().await, world.intruder.snapshot().await), before);
}
