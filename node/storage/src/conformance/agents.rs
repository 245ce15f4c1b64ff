//! Agents: registering, finding, changing and ending one.

use domain::ports::Conflict;
use domain::{
    Action, Agent, AgentId, AgentStatus, AgentType, CredentialStatus, DeploymentEnv, ReplicatedChange, Timestamp,
};

use super::world::{Tenant, assert_not_found, at, conflict, email, next, uuid};
use crate::Stores;

pub async fn an_agent_is_found_as_it_was_registered(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let texts = ["resume:read", "resume:*", "a.b-c_d:x1"];
    let mut agent = Agent {
        agent_type: AgentType::Orchestrator,
        version: "1.2.3-rc.1+b5".to_owned(),
        capabilities: texts.iter().map(|text| text.parse().expect("a capability")).collect(),
        owner: "Ünïcode \"quoted\" 'team' \\ % _ 🦀".to_owned(),
        is_public: true,
        did: Some("did:web:agents.example:bot".to_owned()),
        created_at: at(1),
        updated_at: at(2),
        ..tenant.agent()
    };
    tenant.register(&agent).await;
    assert_eq!(find(stores, &agent).await, Some(agent.clone()));
    agent = tenant.agent();
    agent.capabilities.clear();
    agent.owner.clear();
    tenant.register(&agent).await;
    assert_eq!(find(stores, &agent).await, Some(agent));
}

pub async fn every_type_environment_and_status_comes_back(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    for (index, agent_type) in AgentType::ALL.iter().enumerate() {
        let agent = Agent {
            agent_type: *agent_type,
            deployment_env: DeploymentEnv::ALL[index % DeploymentEnv::ALL.len()],
            status: AgentStatus::ALL[index % AgentStatus::ALL.len()],
            ..tenant.agent()
        };
        tenant.register(&agent).await;
        assert_eq!(find(stores, &agent).await, Some(agent));
    }
}

pub async fn a_registration_leaves_an_audit_event_and_a_message(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.agent();
    let mut change = tenant.change(Action::AgentCreated);
    change.audit.agent_id = Some(agent.agent_id);
    change.message.agent_id = Some(agent.agent_id);
    change.message.replicate = vec![ReplicatedChange::AgentChanged(agent.agent_id)];
    let id = stores.agents.register(&agent, &change).await.expect("it is new");
    let event = tenant.events().await.pop().expect("there is an event");
    assert_eq!(
        (event.event_id, event.action.known(), event.agent_id),
        (change.audit.event_id, Some(Action::AgentCreated), Some(agent.agent_id))
    );
    let entry = tenant.messages().await.pop().expect("there is a message");
    assert_eq!((entry.id, entry.message), (id, change.message));
}

pub async fn an_email_is_taken_only_once(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let first = tenant.registered().await;
    let second = Agent {
        email: first.email.clone(),
        ..tenant.agent()
    };
    let before = tenant.snapshot().await;
    let change = tenant.change(Action::AgentCreated);
    let refused = stores.agents.register(&second, &change).await;
    assert_eq!(conflict(refused), Conflict::AgentEmail);
    assert_eq!(tenant.snapshot().await, before);
    let suspended = Agent {
        status: AgentStatus::Suspended,
        ..next(&first)
    };
    update(stores, &tenant, &suspended).await;
    let refused = stores.agents.register(&second, &change).await;
    assert_eq!(conflict(refused), Conflict::AgentEmail);
}

pub async fn two_organizations_may_use_one_email(stores: &Stores) {
    let (one, other) = (Tenant::new(stores).await, Tenant::new(stores).await);
    let first = one.registered().await;
    let second = Agent {
        email: first.email.clone(),
        ..other.agent()
    };
    other.register(&second).await;
    assert_eq!(find(stores, &first).await, Some(first));
    assert_eq!(find(stores, &second).await, Some(second));
}

pub async fn an_unknown_agent_is_not_found(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    tenant.registered().await;
    assert_eq!(find(stores, &tenant.agent()).await, None);
}

pub async fn an_update_replaces_every_field(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let bystander = tenant.registered().await;
    let mut agent = tenant.registered().await;
    for did in [Some("did:web:agents.example:new".to_owned()), None] {
        agent = Agent {
            email: email(),
            agent_type: AgentType::Custom,
            version: "2.0.0".to_owned(),
            capabilities: vec!["report:write".parse().expect("a capability")],
            owner: "o'neil -- the other team".to_owned(),
            deployment_env: DeploymentEnv::Staging,
            status: AgentStatus::Suspended,
            is_public: !agent.is_public,
            did,
            ..next(&agent)
        };
        update(stores, &tenant, &agent).await;
        assert_eq!(find(stores, &agent).await, Some(agent.clone()));
    }
    assert_eq!(find(stores, &bystander).await, Some(bystander));
    let actions: Vec<_> = tenant
        .messages()
        .await
        .iter()
        .map(|entry| entry.message.action)
        .collect();
    assert_eq!(actions[3..], [Action::AgentUpdated; 2]);
    assert_eq!(tenant.events().await[4].action, Action::AgentUpdated);
}

pub async fn an_update_of_another_revision_is_refused(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let first = tenant.registered().await;
    let second = next(&first);
    update(stores, &tenant, &second).await;
    let before = tenant.snapshot().await;
    for row_version in [0, 1, 2, 4, 5, u64::from(u32::MAX)] {
        let other = Agent {
            row_version,
            owner: "too late".to_owned(),
            ..first.clone()
        };
        let refused = stores.agents.update(&other, &tenant.change(Action::AgentUpdated)).await;
        assert_eq!(conflict(refused), Conflict::RowVersion, "revision {row_version}");
    }
    assert_eq!(tenant.snapshot().await, before);
}

pub async fn an_update_of_an_unknown_agent_is_refused(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let before = tenant.snapshot().await;
    let unknown = next(&tenant.agent());
    assert_not_found(
        stores
            .agents
            .update(&unknown, &tenant.change(Action::AgentUpdated))
            .await,
    );
    assert_eq!(tenant.snapshot().await, before);
}

pub async fn an_update_to_a_taken_email_is_refused(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let (first, second) = (tenant.registered().await, tenant.registered().await);
    let before = tenant.snapshot().await;
    let greedy = Agent {
        email: first.email.clone(),
        ..next(&second)
    };
    let refused = stores
        .agents
        .update(&greedy, &tenant.change(Action::AgentUpdated))
        .await;
    assert_eq!(conflict(refused), Conflict::AgentEmail);
    assert_eq!(tenant.snapshot().await, before);
}

pub async fn a_decommissioned_agent_has_no_credentials_left(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let (agent, bystander) = (tenant.registered().await, tenant.registered().await);
    let (active, revoked) = (tenant.stored(agent.agent_id).await, tenant.stored(agent.agent_id).await);
    let untouched = tenant.stored(bystander.agent_id).await;
    tenant.revoke(revoked.credential.credential_id, at(35)).await;
    let ended = ended(&agent);
    let change = tenant.change(Action::AgentDecommissioned);
    let id = stores
        .agents
        .decommission(&ended, &change)
        .await
        .expect("it is the latest revision");
    assert_eq!(find(stores, &agent).await, Some(ended.clone()));
    let active = tenant.find_credential(&active.credential).await;
    assert_eq!(
        (active.status, active.revoked_at),
        (CredentialStatus::Revoked, Some(ended.updated_at))
    );
    let revoked = tenant.find_credential(&revoked.credential).await;
    assert_eq!(revoked.revoked_at, Some(at(35)), "an earlier revocation keeps its time");
    assert_eq!(
        tenant.find_credential(&untouched.credential).await,
        untouched.credential
    );
    let entry = tenant.messages().await.pop().expect("there is a message");
    assert_eq!((entry.id, entry.message), (id, change.message));
    let event = tenant.events().await.pop().expect("there is an event");
    assert_eq!(event.event_id, change.audit.event_id);
}

pub async fn a_decommissioned_agent_gives_its_email_back(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let mut agent = tenant.agent();
    for _ in 0..3 {
        agent.agent_id = AgentId(uuid());
        tenant.register(&agent).await;
        let change = tenant.change(Action::AgentDecommissioned);
        let ended = stores.agents.decommission(&ended(&agent), &change).await;
        ended.expect("it is the latest revision");
    }
    agent.agent_id = AgentId(uuid());
    tenant.register(&agent).await;
    assert_eq!(find(stores, &agent).await, Some(agent));
}

pub async fn a_decommissioning_of_another_revision_revokes_nothing(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await;
    tenant.stored(agent.agent_id).await;
    update(stores, &tenant, &next(&agent)).await;
    let before = tenant.snapshot().await;
    let change = tenant.change(Action::AgentDecommissioned);
    let refused = stores.agents.decommission(&ended(&agent), &change).await;
    assert_eq!(conflict(refused), Conflict::RowVersion);
    assert_eq!(tenant.snapshot().await, before);
}

pub async fn a_decommissioning_of_an_unknown_agent_is_refused(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let before = tenant.snapshot().await;
    let change = tenant.change(Action::AgentDecommissioned);
    assert_not_found(stores.agents.decommission(&ended(&tenant.agent()), &change).await);
    assert_eq!(tenant.snapshot().await, before);
}

pub async fn times_before_1970_and_far_ahead_come_back(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    for millis in [-62_135_596_799_999, -1, 0, 1, 999, 253_402_300_799_999] {
        let time = Timestamp::from_millis(millis);
        let agent = Agent {
            created_at: time,
            updated_at: time,
            ..tenant.agent()
        };
        tenant.register(&agent).await;
        assert_eq!(find(stores, &agent).await, Some(agent), "{time}");
    }
}

async fn find(stores: &Stores, agent: &Agent) -> Option<Agent> {
    let found = stores.agents.find(agent.organization_id, agent.agent_id).await;
    found.expect("the store answers")
}

async fn update(stores: &Stores, tenant: &Tenant, agent: &Agent) {
    let change = tenant.change(Action::AgentUpdated);
    stores
        .agents
        .update(agent, &change)
        .await
        .expect("it is the latest revision");
}

fn ended(agent: &Agent) -> Agent {
    Agent {
        status: AgentStatus::Decommissioned,
        ..next(agent)
    }
}
