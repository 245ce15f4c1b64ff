//! Lists of agents: their order, pages, filters and the search.

use domain::ports::StoreError;
use domain::{Agent, AgentFilter, AgentStatus, AgentType, DeploymentEnv, PageOf};

use super::world::{Tenant, at, page, unique, whole};
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

pub async fn a_search_looks_into_email_owner_and_capabilities_and_nothing_else(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let number = unique();
    let agent = Agent {
        email: format!("needle.one-{number}@hay.example").parse().expect("an address"),
        version: "7.7.7-versionword".to_owned(),
        capabilities: ["first:read", "second:*"]
            .iter()
            .map(|text| text.parse().expect("a capability"))
            .collect(),
        owner: "owner of straw".to_owned(),
        did: Some("did:web:didword.example".to_owned()),
        ..tenant.agent()
    };
    tenant.register(&agent).await;
    for found in [
        "needle", "one-", "@hay", "owner of", "straw", "first", "t:read", "second:*", ":*", "",
    ] {
        assert_eq!(search(stores, &tenant, found).await, 1, "{found:?}");
    }
    // Neither other columns nor the form in which the capabilities are kept.
    for missed in [
        "versionword",
        "didword",
        "screener",
        "production",
        "active",
        "\",\"",
        "[",
        "]",
        "{",
        "}",
        "\"",
        ",",
        "readsecond",
        "read second",
        "examplefirst",
        "straw\"",
    ] {
        assert_eq!(search(stores, &tenant, missed).await, 0, "{missed:?}");
    }
}

pub async fn a_search_ignores_case_beyond_ascii_too(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    for owner in ["Ärztekammer ÉCOLE", "ДОМ и сад", "plain OWNER"] {
        tenant
            .register(&Agent {
                owner: owner.to_owned(),
                ..tenant.agent()
            })
            .await;
    }
    for found in ["ärzte", "ÄRZTE", "école", "Éc", "дом", "ДоМ", "САД", "PLAIN", "oWnEr"] {
        assert_eq!(search(stores, &tenant, found).await, 1, "{found:?}");
    }
    for missed in ["arzte", "ecole", "🦀", "dom"] {
        assert_eq!(search(stores, &tenant, missed).await, 0, "{missed:?}");
    }
    assert_eq!(search(stores, &tenant, "AGENTS.EXAMPLE").await, 3);
}

pub async fn a_search_takes_no_character_for_a_wildcard(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let owners = [
        "100% sure",
        "snake_case",
        r"back\slash",
        "it's",
        "say \"hi\"",
        "star * mark ?",
        "plain",
    ];
    for owner in owners {
        let capabilities = Vec::new();
        let agent = Agent {
            owner: owner.to_owned(),
            capabilities,
            ..tenant.agent()
        };
        tenant.register(&agent).await;
    }
    for (needle, count) in [
        ("%", 1),
        ("100%", 1),
        ("%sure", 0),
        ("1%e", 0),
        ("_", 1),
        ("snake_", 1),
        ("snak__case", 0),
        (r"\", 1),
        (r"back\s", 1),
        (r"\%", 0),
        (r"\_", 0),
        (r"\\", 0),
        ("'", 1),
        ("''", 0),
        ("\"", 1),
        ("\"\"", 0),
        ("*", 1),
        ("?", 1),
        ("st*k", 0),
        ("[a-z]", 0),
        ("p.ain", 0),
        ("$1", 0),
        (":q", 0),
    ] {
        assert_eq!(search(stores, &tenant, needle).await, count, "{needle:?}");
    }
}

pub async fn a_search_is_text_and_never_sql(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    tenant.registered().await;
    let before = tenant.snapshot().await;
    for attack in ATTACKS {
        assert_eq!(search(stores, &tenant, attack).await, 0, "{attack:?}");
        let filter = AgentFilter {
            owner: Some((*attack).to_owned()),
            ..AgentFilter::default()
        };
        assert_eq!(list(stores, &tenant, &filter).await.total, 0, "{attack:?}");
    }
    let long = "x".repeat(100_000);
    assert_eq!(search(stores, &tenant, &long).await, 0);
    assert_eq!(tenant.snapshot().await, before);
    let agent = Agent {
        owner: ATTACKS[0].to_owned(),
        ..tenant.agent()
    };
    tenant.register(&agent).await;
    assert_eq!(search(stores, &tenant, ATTACKS[0]).await, 1);
}

/// PostgreSQL has no such texts at all; a caller who sends one gets an empty list, not an error.
pub async fn texts_with_nul_find_nothing(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    tenant.registered().await;
    for text in ["\0", "talent team\0", "\0talent", "talent\0team"] {
        for filter in [
            AgentFilter {
                q: Some(text.to_owned()),
                ..AgentFilter::default()
            },
            AgentFilter {
                owner: Some(text.to_owned()),
                ..AgentFilter::default()
            },
        ] {
            let listed = try_list(stores, &tenant, &filter).await;
            assert_eq!(listed.expect("no error").total, 0, "{text:?}");
        }
        let found = stores.organizations.find_by_slug(text).await;
        assert_eq!(found.expect("no error"), None);
    }
}

/// Texts that would do harm if they were ever part of a statement.
pub(super) const ATTACKS: &[&str] = &[
    "' OR '1'='1",
    "' OR 1=1 --",
    "\" OR \"\"=\"",
    "x'; DROP TABLE agents; --",
    "x'); DELETE FROM audit_events; --",
    "%' OR email LIKE '%",
    "' UNION SELECT * FROM organizations --",
    "\\'; SELECT pg_sleep(10); --",
    "$$; DROP TABLE outbox; $$",
    "'; SET row_security = off; --",
    "/* */ OR true",
];

async fn try_list(stores: &Stores, tenant: &Tenant, filter: &AgentFilter) -> Result<PageOf<Agent>, StoreError> {
    stores.agents.list(tenant.id(), filter, whole()).await
}

async fn list(stores: &Stores, tenant: &Tenant, filter: &AgentFilter) -> PageOf<Agent> {
    try_list(stores, tenant, filter).await.expect("the store answers")
}

async fn search(stores: &Stores, tenant: &Tenant, q: &str) -> u64 {
    let filter = AgentFilter {
        q: Some(q.to_owned()),
        ..AgentFilter::default()
    };
    let listed = list(stores, tenant, &filter).await;
    assert_eq!(listed.data.len() as u64, listed.total);
    listed.total
}
