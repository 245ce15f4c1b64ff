//! Founding a cluster again whose majority is lost for good; the node must be stopped. The decision is recorded in the
//! system organization's audit log before it is carried out.

use std::path::Path;

use cluster::{IssuedTokens, Remains, Restored};
use domain::{Action, AuditRecord, EventId, JsonText, Organization, OrganizationId, Origin, Outcome};
use storage::Stores;

use super::error::StartError;
use super::foundation::{cluster_config, open_stores, prepare_data_directory};
use super::machine::Machine;
use super::master_key::{self, MasterKeyPolicy};
use crate::config::Config;

/// What a cluster is founded again from, read and verified; nothing is changed yet.
pub struct Restoring {
    config: Config,
    machine: Machine,
    remains: Remains,
}

impl Restoring {
    /// Reads a snapshot, or, without one, what the node of this configuration has in its data directory.
    pub async fn prepare(config: Config, machine: Machine, snapshot: Option<&Path>) -> Result<Self, StartError> {
        prepare_data_directory(&config.cluster.data_dir)?;
        let master_keys = master_key::load(&config, MasterKeyPolicy::Require, machine.entropy.as_ref())?;
        let cluster = cluster_config(&config, cluster::Founding::Join)?;
        let remains = match snapshot {
            Some(path) => Remains::of_file(path)?.lock(&cluster)?,
            None => Remains::of_folder(&cluster).await?,
        };
        let checked = remains.check(&master_keys);
        checked.map_err(|error| master_key::explain(&config, error))?;
        remains.first_revision(machine.clock.now())?;
        Ok(Self {
            config,
            machine,
            remains,
        })
    }

    /// What it was read from.
    pub fn remains(&self) -> &Remains {
        &self.remains
    }

    /// Records that the cluster is restored, and does it.
    pub async fn carry_out(self, tokens: IssuedTokens) -> Result<Restored, StartError> {
        let stores = open_stores(&self.config).await?;
        let done = self.carry_out_with(&stores, tokens).await;
        stores.close().await;
        done
    }

    async fn carry_out_with(self, stores: &Stores, tokens: IssuedTokens) -> Result<Restored, StartError> {
        stores.migrate().await?;
        let system = stores.organizations.find_by_slug(Organization::SYSTEM_SLUG).await?;
        let Some(system) = system else {
            let path = self.config.cluster.data_dir.clone();
            return Err(StartError::LostStore { path });
        };
        let recorded = self.record(system.organization_id, tokens, Outcome::Success);
        let failed = self.record(system.organization_id, tokens, Outcome::Failure);
        stores.audit_trail.append(vec![recorded]).await?;
        let config = cluster_config(&self.config, cluster::Founding::Join)?;
        let now = self.machine.clock.now();
        match self
            .remains
            .restore(&config, tokens, now, self.machine.entropy.as_ref())
        {
            Ok(restored) => Ok(restored),
            Err(error) => {
                stores.audit_trail.append(vec![failed]).await?;
                Err(error.into())
            }
        }
    }

    fn record(&self, organization_id: OrganizationId, tokens: IssuedTokens, outcome: Outcome) -> AuditRecord {
        let now = self.machine.clock.now();
        let (node, found) = (
            self.config.cluster.node_id.to_string(),
            self.remains.revision().0.to_string(),
        );
        let source = self.remains.source().display().to_string();
        let metadata = [
            ("nodeId", node.as_str()),
            ("source", &source),
            ("foundRevision", &found),
            ("issuedTokens", describe(tokens)),
        ];
        AuditRecord {
            event_id: EventId::mint(now, self.machine.entropy.as_ref()),
            organization_id,
            agent_id: None,
            action: Action::ClusterRestored,
            outcome,
            origin: Origin {
                ip_address: None,
                user_agent: Some("agentidp cluster restore".to_owned()),
            },
            metadata: JsonText::object(&metadata),
            timestamp: now,
        }
    }
}

/// The word for it in the audit log and on the command line.
pub fn describe(tokens: IssuedTokens) -> &'static str {
    match tokens {
        IssuedTokens::Keep => "keep",
        IssuedTokens::Revoke => "revoke",
    }
}
