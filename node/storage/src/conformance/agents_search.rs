//! Searching agents: what is looked into, and that a text is nothing but a text.

use domain::{Agent, AgentFilter};

use super::agents_list::list;
use super::world::{Tenant, unique};
use crate::Stores;

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
            assert_eq!(list(stores, &tenant, &filter).await.total, 0, "{text:?}");
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

async fn search(stores: &Stores, tenant: &Tenant, q: &str) -> u64 {
    let filter = AgentFilter {
        q: Some(q.to_owned()),
        ..AgentFilter::default()
    };
    let listed = list(stores, tenant, &filter).await;
    assert_eq!(listed.data.len() as u64, listed.total);
    listed.total
}
