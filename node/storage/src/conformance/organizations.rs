//! Organizations: creating and finding.

use domain::ports::Conflict;
use domain::{Action, Organization, OrganizationId, OrganizationStatus, SigningAlgorithm, Tier, Timestamp};

use super::agents_search::ATTACKS;
use super::world::{Tenant, at, conflict, new_organization, unique, uuid};
use crate::Stores;

pub async fn an_organization_is_found_by_id_and_by_slug(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    Tenant::new(stores).await;
    let found = stores.organizations.find(tenant.id()).await.expect("the store answers");
    assert_eq!(found.as_ref(), Some(&tenant.organization));
    let found = stores.organizations.find_by_slug(&tenant.organization.slug).await;
    assert_eq!(found.expect("the store answers"), Some(tenant.organization));
}

pub async fn every_setting_of_an_organization_comes_back(stores: &Stores) {
    let mut tenant = Tenant::new(stores).await;
    for (index, status) in OrganizationStatus::ALL.iter().enumerate() {
        tenant.organization = Organization {
            name: "Łódź & Söhne \"GmbH\" 🦀 '%_\\".to_owned(),
            status: *status,
            tier: Tier::ALL[index],
            token_ttl_seconds: [60, 3601, 86_400][index],
            signing_algorithm: SigningAlgorithm::ALL[index],
            created_at: Timestamp::from_millis(-86_400_001),
            updated_at: Timestamp::from_millis(253_402_300_799_999),
            row_version: 7,
            ..new_organization()
        };
        let change = tenant.change(Action::OrganizationCreated);
        stores
            .organizations
            .create(&tenant.organization, &change)
            .await
            .expect("it is new");
        let found = stores.organizations.find(tenant.id()).await.expect("the store answers");
        assert_eq!(found.as_ref(), Some(&tenant.organization));
    }
}

pub async fn a_slug_is_taken_only_once(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let mut second = tenant.clone();
    second.organization = Organization {
        slug: tenant.organization.slug.clone(),
        ..new_organization()
    };
    let change = second.change(Action::OrganizationCreated);
    let refused = stores.organizations.create(&second.organization, &change).await;
    assert_eq!(conflict(refused), Conflict::OrganizationSlug);
    let found = stores.organizations.find(second.id()).await.expect("the store answers");
    assert_eq!(found, None);
    assert_eq!(
        (second.events().await, second.messages().await),
        (Vec::new(), Vec::new())
    );
    let found = stores.organizations.find_by_slug(&tenant.organization.slug).await;
    assert_eq!(found.expect("the store answers"), Some(tenant.organization));
}

pub async fn unknown_organizations_are_not_found(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let found = stores.organizations.find(OrganizationId(uuid())).await;
    assert_eq!(found.expect("the store answers"), None);
    let slug = &tenant.organization.slug;
    let unknown = [
        String::new(),
        format!("{slug}x"),
        format!("no-{}", unique()),
        slug.to_uppercase(),
        format!(" {slug}"),
    ];
    for slug in unknown {
        let found = stores.organizations.find_by_slug(&slug).await;
        assert_eq!(found.expect("the store answers"), None, "{slug:?}");
    }
}

pub async fn a_slug_is_text_and_never_sql(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    for attack in ATTACKS.iter().chain(&["%", "_", "organization-%"]) {
        let found = stores.organizations.find_by_slug(attack).await;
        assert_eq!(found.expect("the store answers"), None, "{attack:?}");
    }
    let mut odd = tenant.clone();
    odd.organization = Organization {
        name: ATTACKS[3].to_owned(),
        ..new_organization()
    };
    let change = odd.change(Action::OrganizationCreated);
    stores
        .organizations
        .create(&odd.organization, &change)
        .await
        .expect("it is new");
    let found = stores.organizations.find(odd.id()).await.expect("the store answers");
    assert_eq!(found, Some(odd.organization));
}

pub async fn a_creation_leaves_an_audit_event_and_a_message(stores: &Stores) {
    let mut tenant = Tenant::new(stores).await;
    tenant.organization = new_organization();
    let mut change = tenant.change(Action::OrganizationCreated);
    change.message.occurred_at = at(31);
    let id = stores
        .organizations
        .create(&tenant.organization, &change)
        .await
        .expect("it is new");
    let messages = tenant.messages().await;
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].id, &messages[0].message), (id, &change.message));
    let events = tenant.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event_id, change.audit.event_id);
}
