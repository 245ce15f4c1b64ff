//! A store whose every operation is timed. The ports are wrapped where they enter the composition, so both stores are
//! measured alike, whoever calls them, and no store knows of it.
//!
//! What is timed is what the caller waits for, the wait for a connection included; operations that fail count, operations
//! whose caller stops waiting do not.

use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{
    Agents, AuditTrail, Clients, Clock, CredentialRotation, Credentials, Organizations, Outbox, StoreError,
};
use domain::{
    Agent, AgentFilter, AgentId, AuditEvent, AuditFilter, AuditRecord, ChainHead, Change, ClientRecord, Credential,
    CredentialId, CredentialStatus, EventId, Organization, OrganizationId, OutboxEntry, OutboxId, Page, PageOf,
    StoredCredential, Timestamp,
};
use metrics::Histogram;
use storage::Stores;

use crate::telemetry::{Meters, STORE_SECONDS};

/// The same stores, timed.
pub fn metered(mut stores: Stores, meters: &Meters, clock: &Arc<dyn Clock>) -> Stores {
    stores.organizations = Arc::new(MeteredOrganizations::over(stores.organizations, meters, clock));
    stores.agents = Arc::new(MeteredAgents::over(stores.agents, meters, clock));
    stores.credentials = Arc::new(MeteredCredentials::over(stores.credentials, meters, clock));
    stores.clients = Arc::new(MeteredClients::over(stores.clients, meters, clock));
    stores.audit_trail = Arc::new(MeteredAuditTrail::over(stores.audit_trail, meters, clock));
    stores.outbox = Arc::new(MeteredOutbox::over(stores.outbox, meters, clock));
    stores
}

/// Wraps a port: a histogram for each of its operations, which are listed as the port declares them. One that is
/// forgotten does not compile.
macro_rules! metered {
    ($port:ident as $name:ident, $prefix:literal {
        $($operation:ident($($argument:ident: $of:ty),+) -> $answer:ty;)+
    }) => {
        struct $name {
            inner: Arc<dyn $port>,
            clock: Arc<dyn Clock>,
            $($operation: Histogram,)+
        }

        impl $name {
            fn over(inner: Arc<dyn $port>, meters: &Meters, clock: &Arc<dyn Clock>) -> Self {
                Self {
                    inner,
                    clock: clock.clone(),
                    $($operation: meters.histogram(
                        STORE_SECONDS,
                        &[("operation", concat!($prefix, ".", stringify!($operation)))],
                    ),)+
                }
            }
        }

        #[async_trait]
        impl $port for $name {
            $(async fn $operation(&self, $($argument: $of),+) -> Result<$answer, StoreError> {
                let started = self.clock.monotonic();
                let answer = self.inner.$operation($($argument),+).await;
                self.$operation.record(self.clock.monotonic().saturating_sub(started));
                answer
            })+
        }
    };
}

metered!(Organizations as MeteredOrganizations, "organizations" {
    create(organization: &Organization, change: &Change) -> OutboxId;
    find(organization: OrganizationId) -> Option<Organization>;
    find_by_slug(slug: &str) -> Option<Organization>;
});

metered!(Agents as MeteredAgents, "agents" {
    register(agent: &Agent, change: &Change) -> OutboxId;
    find(organization: OrganizationId, agent: AgentId) -> Option<Agent>;
    list(organization: OrganizationId, filter: &AgentFilter, page: Page) -> PageOf<Agent>;
    update(agent: &Agent, change: &Change) -> OutboxId;
    decommission(agent: &Agent, change: &Change) -> OutboxId;
});

metered!(Credentials as MeteredCredentials, "credentials" {
    create(credential: &StoredCredential, change: &Change) -> OutboxId;
    find(organization: OrganizationId, agent: AgentId, credential: CredentialId) -> Option<Credential>;
    list(
        organization: OrganizationId,
        agent: AgentId,
        status: Option<CredentialStatus>,
        page: Page
    ) -> PageOf<Credential>;
    rotate(organization: OrganizationId, rotation: &CredentialRotation, change: &Change) -> (Credential, OutboxId);
    revoke(organization: OrganizationId, credential: CredentialId, at: Timestamp, change: &Change) -> OutboxId;
    touch(organization: OrganizationId, used: &[(CredentialId, Timestamp)]) -> ();
});

metered!(Clients as MeteredClients, "clients" {
    load(client: AgentId) -> Option<ClientRecord>;
});

metered!(AuditTrail as MeteredAuditTrail, "audit_trail" {
    append(records: Vec<AuditRecord>) -> ();
    list(organization: OrganizationId, filter: &AuditFilter, page: Page) -> PageOf<AuditEvent>;
    find(organization: OrganizationId, event: EventId) -> Option<AuditEvent>;
    range(organization: OrganizationId, after: u64, limit: u32) -> Vec<AuditEvent>;
    head(organization: OrganizationId) -> ChainHead;
});

metered!(Outbox as MeteredOutbox, "outbox" {
    pending(after: Option<OutboxId>, limit: u32) -> Vec<OutboxEntry>;
    complete(entries: &[OutboxId]) -> ();
});

#[cfg(test)]
mod tests {
    use storage::{EmbeddedStore, Execution};

    use super::*;
    use crate::app::Machine;
    use crate::telemetry::MetricsRecorder;

    #[tokio::test]
    async fn each_operation_is_counted_once_under_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(&folder.path().join("store.db"), Execution::Inline).unwrap();
        let meters: Meters = Arc::new(MetricsRecorder::new().unwrap());
        let machine = Machine::real();
        let stores = metered(Stores::embedded(store), &meters, &machine.clock);
        let nobody = OrganizationId::mint(machine.clock.now(), machine.entropy.as_ref());
        assert!(stores.organizations.find(nobody).await.unwrap().is_none());
        assert!(stores.audit_trail.range(nobody, 0, 1).await.unwrap().is_empty());
        assert!(stores.audit_trail.range(nobody, 0, 1).await.unwrap().is_empty());
        stores.close().await;
        assert!(stores.organizations.find(nobody).await.is_err());
        let text = meters.render();
        let is_count = |line: &&str| line.contains("_count{") && !line.ends_with(" 0");
        let counts: Vec<&str> = text.lines().filter(is_count).collect();
        let expected = [
            r#"agentidp_db_query_duration_seconds_count{operation="audit_trail.range"} 2"#,
            r#"agentidp_db_query_duration_seconds_count{operation="organizations.find"} 2"#,
        ];
        assert!(expected.iter().all(|line| counts.contains(line)), "{text}");
        assert_eq!(counts.len(), expected.len(), "and nothing else: {text}");
    }
}
