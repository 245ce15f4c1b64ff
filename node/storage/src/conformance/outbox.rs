//! The outbox, as the relay sees it. Other organizations' messages may wait in it too.

use domain::{
    Action, Agent, AgentId, CredentialId, OutboxEntry, OutboxId, ReplicatedChange, Revocation, Subject, Timestamp,
    TokenFamily, TokenId,
};

use super::world::{Tenant, at, next, uuid};
use crate::Stores;

pub async fn a_message_comes_back_as_it_was_written(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let subjects = [
        Subject::Token(TokenId(uuid())),
        Subject::Family(TokenFamily(uuid())),
        Subject::Credential(CredentialId(uuid())),
        Subject::Agent(AgentId(uuid())),
        Subject::Organization(tenant.id()),
    ];
    let mut change = tenant.change(Action::AgentSuspended);
    change.message.agent_id = Some(AgentId(uuid()));
    change.message.replicate = subjects
        .map(|subject| {
            ReplicatedChange::Revoke(Revocation {
                subject,
                forget_at: at(86_400_001),
            })
        })
        .to_vec();
    change
        .message
        .replicate
        .push(ReplicatedChange::AgentChanged(AgentId(uuid())));
    change
        .message
        .replicate
        .push(ReplicatedChange::OrganizationChanged(tenant.id()));
    let id = stores
        .agents
        .register(&tenant.agent(), &change)
        .await
        .expect("it is new");
    let nothing = {
        let mut change = tenant.change(Action::AgentCreated);
        change.message.replicate.clear();
        change
    };
    stores
        .agents
        .register(&tenant.agent(), &nothing)
        .await
        .expect("it is new");
    let messages = tenant.messages().await;
    assert_eq!((messages[1].id, &messages[1].message), (id, &change.message));
    assert_eq!(messages[2].message, nothing.message);
}

pub async fn messages_come_in_the_order_of_their_writes(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let mut agent = tenant.registered().await;
    let mut written = Vec::new();
    for _ in 0..5 {
        agent = next(&agent);
        written.push(update(stores, &tenant, &agent, at(30)).await);
    }
    assert!(written.is_sorted(), "{written:?}");
    let pending: Vec<OutboxId> = tenant.messages().await.iter().map(|entry| entry.id).collect();
    assert_eq!(pending[2..], written);
}

pub async fn a_page_goes_on_after_the_last_entry_of_the_one_before(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let mut agent = tenant.registered().await;
    for _ in 0..4 {
        agent = next(&agent);
        update(stores, &tenant, &agent, at(30)).await;
    }
    let mut walked = Vec::new();
    loop {
        let after = walked.last().map(|entry: &OutboxEntry| entry.id);
        let page = stores.outbox.pending(after, 2).await.expect("the store answers");
        if page.is_empty() {
            break;
        }
        walked.extend(page);
    }
    assert!(walked.is_sorted_by_key(|entry| entry.id));
    walked.retain(|entry| entry.message.organization_id == tenant.id());
    assert_eq!(walked, tenant.messages().await);
}

pub async fn no_more_than_the_limit_is_answered(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let agent = tenant.registered().await;
    update(stores, &tenant, &next(&agent), at(30)).await;
    for limit in 0..4u32 {
        let pending = stores.outbox.pending(None, limit).await.expect("the store answers");
        assert_eq!(pending.len(), limit.min(3) as usize);
        assert!(pending.is_sorted_by_key(|entry| entry.id));
    }
}

pub async fn what_is_complete_does_not_come_back(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    let mut agent = tenant.registered().await;
    for _ in 0..4 {
        agent = next(&agent);
        update(stores, &tenant, &agent, at(30)).await;
    }
    let messages = tenant.messages().await;
    let ids = |entries: &[OutboxEntry]| entries.iter().map(|entry| entry.id).collect::<Vec<_>>();
    let all = ids(&messages);
    complete(stores, &[all[3], all[0]]).await;
    assert_eq!(ids(&tenant.messages().await), [all[1], all[2], all[4], all[5]]);
    complete(stores, &all).await;
    assert_eq!(tenant.messages().await, []);
    agent = next(&agent);
    let later = update(stores, &tenant, &agent, at(30)).await;
    assert!(later > all[5], "an id is never used again");
    assert_eq!(ids(&tenant.messages().await), [later]);
    assert_eq!(tenant.events().await.len(), 7, "the log keeps what the outbox forgets");
}

pub async fn unknown_and_complete_ids_are_ignored(stores: &Stores) {
    let tenant = Tenant::new(stores).await;
    tenant.registered().await;
    let before = tenant.messages().await;
    complete(stores, &[]).await;
    complete(
        stores,
        &[OutboxId(i64::MAX), OutboxId(-1), OutboxId(0), OutboxId(i64::MIN)],
    )
    .await;
    assert_eq!(tenant.messages().await, before);
    let first = before[0].id;
    complete(stores, &[OutboxId(i64::MAX), first, first]).await;
    complete(stores, &[first]).await;
    assert_eq!(tenant.messages().await, before[1..]);
}

async fn update(stores: &Stores, tenant: &Tenant, agent: &Agent, occurred_at: Timestamp) -> OutboxId {
    let mut change = tenant.change(Action::AgentUpdated);
    change.message.occurred_at = occurred_at;
    let updated = stores.agents.update(agent, &change).await;
    updated.expect("it is the latest revision")
}

async fn complete(stores: &Stores, ids: &[OutboxId]) {
    stores.outbox.complete(ids).await.expect("ids are always taken");
}
