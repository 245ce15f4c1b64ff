//! Lists of agents: their order, pages, filters and the search.

use domain::{Agent, AgentFilter, AgentStatus, AgentType, DeploymentEnv, PageOf};

use super::world::{Tenant, at, page, whole};
use crate::Stores;

pub async fn agents_come_oldest_first_and_by_id_within_an_instant(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let mut agents: Vec<Agent> = (0..6).map(|_| tenant.agent()).collect();
    for (agent, millis) in agents.iter_mut().zip([5, 3, 3, -1, 5, 0]) {
        agent.created_at = at(millis);
    }
    // Registered neither in the order of their times nor in that of their ids.
    for index in [4, 1, 0, 5, 2, 3] {
        tenant.register(&agents[index]).await;
    }
    let listed = list(stores, &tenant, &AgentFilter::default()).await;
    let expected: Vec<Agent> = [3, 5, 1, 2, 0, 4].iter().map(|index| agents[*index].clone()).collect();
    assert_eq!(listed.data, expected);
}

pub async fn pages_cover_the_list_without_overlap(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    for _ in 0..7 {
        tenant.registered().await;
    }
    let all = list(stores, &tenant, &AgentFilter::default()).await.data;
    let mut seen = Vec::new();
    for (number, entries) in [(1, 3), (2, 3), (3, 1), (4, 0), (100_000, 0)] {
        let part = stores
            .agents
            .list(tenant.id(), &AgentFilter::default(), page(number, 3))
            .await;
        let part = part.expect("the store answers");
        assert_eq!(
            (part.data.len(), part.total, part.page, part.limit),
            (entries, 7, number, 3)
        );
        seen.extend(part.data);
    }
    assert_eq!(seen, all);
}

pub async fn an_organization_without_agents_has_an_empty_list(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let listed = list(stores, &tenant, &AgentFilter::default()).await;
    assert_eq!((listed.data.len(), listed.total, listed.page), (0, 0, 1));
}

pub async fn each_filter_alone_and_all_together(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let wanted = Agent {
        status: AgentStatus::Suspended,
        agent_type: AgentType::Router,
        owner: "routing".to_owned(),
        deployment_env: DeploymentEnv::Staging,
        ..tenant.agent()
    };
    tenant.register(&wanted).await;
    tenant.registered().await;
    let all = AgentFilter {
        status: Some(AgentStatus::Suspended),
        agent_type: Some(AgentType::Router),
        owner: Some("routing".to_owned()),
        deployment_env: Some(DeploymentEnv::Staging),
        q: Some(wanted.email.to_string()),
    };
    let none = AgentFilter::default;
    let filters = [
        AgentFilter {
            status: all.status,
            ..none()
        },
        AgentFilter {
            agent_type: all.agent_type,
            ..none()
        },
        AgentFilter {
            owner: all.owner.clone(),
            ..none()
        },
        AgentFilter {
            deployment_env: all.deployment_env,
            ..none()
        },
        AgentFilter {
            q: all.q.clone(),
            ..none()
        },
        all.clone(),
    ];
    for filter in &filters {
        let listed = list(stores, &tenant, filter).await;
        assert_eq!((listed.data, listed.total), (vec![wanted.clone()], 1), "{filter:?}");
    }
    let contradiction = AgentFilter {
        status: Some(AgentStatus::Active),
        ..all
    };
    let listed = list(stores, &tenant, &contradiction).await;
    assert_eq!((listed.data, listed.total), (Vec::new(), 0));
}

pub async fn an_owner_is_matched_exactly(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    for owner in ["Team", "team", "team ", "te%m", "t_am"] {
        tenant
            .register(&Agent {
                owner: owner.to_owned(),
                ..tenant.agent()
            })
            .await;
    }
    for (owner, count) in [
        ("team", 1),
        ("te%m", 1),
        ("t_am", 1),
        ("tea", 0),
        ("%", 0),
        ("", 0),
        ("TEAM", 0),
    ] {
        let filter = AgentFilter {
            owner: Some(owner.to_owned()),
            ..AgentFilter::default()
        };
        assert_eq!(list(stores, &tenant, &filter).await.total, count, "{owner:?}");
    }
}

pub(super) async fn list(stores: &Stores, tenant: &Tenant, filter: &AgentFilter) -> PageOf<Agent> {
    let listed = stores.agents.list(tenant.id(), filter, whole()).await;
    listed.expect("the store answers")
}
