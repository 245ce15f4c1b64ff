//! Who makes a change must be active when it is made, in the very transaction; how many credentials an agent may have.

use domain::ports::{Conflict, StoreError};
use domain::{
    Action, Agent, AgentStatus, Author, Change, Credential, Organization, OrganizationStatus, OutboxId,
    StoredCredential, Timestamp,
};
use tokio::task::JoinSet;

use super::rotation::rotation;
use super::world::{Tenant, at, conflict, new_organization, next};
use crate::Stores;

pub async fn an_active_author_may_change_everything(stores: &Stores) {
    let world = World::new(stores).await;
    for result in world.attempts().await {
        result.expect("the author is active");
    }
}

pub async fn an_author_that_is_suspended_or_decommissioned_changes_nothing(stores: &Stores) {
    for status in [AgentStatus::Suspended, AgentStatus::Decommissioned] {
        let world = World::new(stores).await;
        let ended = Agent {
            status,
            ..next(&world.author_agent)
        };
        let change = world.tenant.change(Action::AgentUpdated);
        let updated = stores.agents.update(&ended, &change).await;
        updated.expect("it is the latest revision");
        world.assert_refused().await;
    }
}

pub async fn an_author_whose_credential_is_revoked_changes_nothing(stores: &Stores) {
    let world = World::new(stores).await;
    world.tenant.revoke(world.author.credential, at(25)).await;
    world.assert_refused().await;
}

/// Changes are made at 30 milliseconds.
pub async fn an_author_whose_credential_has_expired_changes_nothing(stores: &Stores) {
    let world = World::expiring(stores, at(30)).await;
    world.assert_refused().await;
    let world = World::expiring(stores, at(31)).await;
    for result in world.attempts().await {
        result.expect("it has not expired yet");
    }
}

pub async fn an_author_whose_organization_is_suspended_changes_nothing(stores: &Stores) {
    let organization = Organization {
        status: OrganizationStatus::Suspended,
        ..new_organization()
    };
    let tenant = Tenant::of(stores, organization).await;
    World::within(tenant, None).await.assert_refused().await;
}

pub async fn an_author_with_a_credential_of_another_agent_changes_nothing(stores: &Stores) {
    let mut world = World::new(stores).await;
    world.author.credential = world.victim_credential.credential.credential_id;
    world.assert_refused().await;
}

pub async fn an_author_of_another_organization_changes_nothing(stores: &Stores) {
    let (mut world, other) = (World::new(stores).await, World::new(stores).await);
    world.author = other.author;
    world.assert_refused().await;
}

pub async fn an_author_may_end_itself(stores: &Stores) {
    let world = World::new(stores).await;
    let change = world.change(Action::CredentialRevoked);
    let revoked = stores
        .credentials
        .revoke(world.tenant.id(), world.author.credential, at(31), &change);
    revoked.await.expect("it was active until then");
    let world = World::new(stores).await;
    let ended = Agent {
        status: AgentStatus::Decommissioned,
        ..next(&world.author_agent)
    };
    let change = world.change(Action::AgentDecommissioned);
    let decommissioned = stores.agents.decommission(&ended, &change).await;
    decommissioned.expect("it was active until then");
}

/// Each tries to suspend the other, through connections of their own: one of them must have come too late.
pub async fn of_two_agents_that_suspend_each_other_one_wins(stores: &Stores) {
    for _ in 0..8 {
        let world = World::new(stores).await;
        let other = Author {
            agent: world.victim.agent_id,
            credential: world.victim_credential.credential.credential_id,
        };
        let mut tasks = JoinSet::new();
        for (author, target) in [(world.author, &world.victim), (other, &world.author_agent)] {
            let suspended = Agent {
                status: AgentStatus::Suspended,
                ..next(target)
            };
            let (stores, change) = (stores.clone(), by(author, world.tenant.change(Action::AgentSuspended)));
            tasks.spawn(async move { stores.agents.update(&suspended, &change).await });
        }
        let results = tasks.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        assert!(
            results
                .iter()
                .any(|result| matches!(result, Err(StoreError::AuthorNotActive))),
            "{results:?}"
        );
    }
}

pub async fn an_organization_is_not_created_by_an_author_that_is_not_active(stores: &Stores) {
    let world = World::new(stores).await;
    world.tenant.revoke(world.author.credential, at(25)).await;
    let new = new_organization();
    let mut change = world.change(Action::OrganizationCreated);
    change.message.organization_id = new.organization_id;
    assert_not_active(stores.organizations.create(&new, &change).await);
    let found = stores.organizations.find(new.organization_id).await;
    assert_eq!(found.expect("the store answers"), None);
}

pub async fn an_agent_has_no_more_active_credentials_than_allowed(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let (agent, other) = (tenant.registered().await.agent_id, tenant.registered().await.agent_id);
    let mut expired = tenant.credential(agent);
    expired.credential.expires_at = Some(at(1));
    tenant.store(&expired).await;
    for _ in 1..Credential::ACTIVE_MAX {
        tenant.stored(agent).await;
    }
    let change = tenant.change(Action::CredentialGenerated);
    let before = tenant.snapshot().await;
    let refused = stores.credentials.create(&tenant.credential(agent), &change).await;
    assert_eq!(conflict(refused), Conflict::CredentialLimit);
    assert_eq!(tenant.snapshot().await, before);
    tenant.stored(other).await;
    tenant.revoke(expired.credential.credential_id, at(31)).await;
    tenant.stored(agent).await;
}

pub async fn credentials_that_are_made_at_once_are_no_more_than_allowed(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await.agent_id;
    let mut tasks = JoinSet::new();
    for _ in 0..Credential::ACTIVE_MAX + 6 {
        let (stores, new) = (stores.clone(), tenant.credential(agent));
        let change = tenant.change(Action::CredentialGenerated);
        tasks.spawn(async move { stores.credentials.create(&new, &change).await });
    }
    let refused = tasks.join_all().await.into_iter().filter_map(Result::err);
    let refused: Vec<Conflict> = refused.map(|error| conflict::<()>(Err(error))).collect();
    assert_eq!(refused, [Conflict::CredentialLimit; 6]);
    let active = tenant.load(agent).await.credentials.len();
    assert_eq!(u32::try_from(active), Ok(Credential::ACTIVE_MAX));
}

/// An agent with a credential that makes changes, and another that they are made to.
struct World {
    stores: Stores,
    tenant: Tenant,
    author: Author,
    author_agent: Agent,
    victim: Agent,
    victim_credential: StoredCredential,
}

impl World {
    async fn new(stores: &Stores) -> Self {
        Self::within(Tenant::new(stores).await, None).await
    }

    async fn expiring(stores: &Stores, expires_at: Timestamp) -> Self {
        Self::within(Tenant::new(stores).await, Some(expires_at)).await
    }

    async fn within(tenant: Tenant, expires_at: Option<Timestamp>) -> Self {
        let (author_agent, victim) = (tenant.registered().await, tenant.registered().await);
        let mut own = tenant.credential(author_agent.agent_id);
        own.credential.expires_at = expires_at;
        tenant.store(&own).await;
        Self {
            stores: tenant.stores(),
            author: Author {
                agent: author_agent.agent_id,
                credential: own.credential.credential_id,
            },
            victim_credential: tenant.stored(victim.agent_id).await,
            tenant,
            author_agent,
            victim,
        }
    }

    fn change(&self, action: Action) -> Change {
        by(self.author, self.tenant.change(action))
    }

    /// Every kind of write that there is, in an order in which all of them can succeed.
    async fn attempts(&self) -> Vec<Result<OutboxId, StoreError>> {
        let (agents, credentials) = (&self.stores.agents, &self.stores.credentials);
        let (id, credential) = (self.tenant.id(), &self.victim_credential);
        let rotated = credentials
            .rotate(id, &rotation(credential, None), &self.change(Action::CredentialRotated))
            .await;
        let new = self.tenant.credential(self.victim.agent_id);
        let suspended = Agent {
            status: AgentStatus::Suspended,
            ..next(&self.victim)
        };
        let updated = agents.update(&suspended, &self.change(Action::AgentSuspended)).await;
        let latest = match &updated {
            Ok(_) => &suspended,
            Err(_) => &self.victim,
        };
        let ended = Agent {
            status: AgentStatus::Decommissioned,
            ..next(latest)
        };
        vec![
            rotated.map(|(_, id)| id),
            updated,
            agents
                .register(&self.tenant.agent(), &self.change(Action::AgentCreated))
                .await,
            credentials
                .create(&new, &self.change(Action::CredentialGenerated))
                .await,
            credentials
                .revoke(
                    id,
                    credential.credential.credential_id,
                    at(31),
                    &self.change(Action::CredentialRevoked),
                )
                .await,
            agents
                .decommission(&ended, &self.change(Action::AgentDecommissioned))
                .await,
        ]
    }

    /// Asserts that nothing of the organization can be changed, and that it does not change.
    async fn assert_refused(&self) {
        let before = self.tenant.snapshot().await;
        for result in self.attempts().await {
            assert_not_active(result);
        }
        assert_eq!(self.tenant.snapshot().await, before);
    }
}

fn by(author: Author, change: Change) -> Change {
    Change {
        author: Some(author),
        ..change
    }
}

#[track_caller]
fn assert_not_active(result: Result<OutboxId, StoreError>) {
    assert!(matches!(result, Err(StoreError::AuthorNotActive)), "{result:?}");
}
