//! A node without its sockets: its actors, and what answers requests. Whoever has sockets serves its fronts there; a
//! simulator hands it requests that never were on a wire.

use std::sync::Arc;
use std::time::Duration;

use actors::{
    ActorMeters, ActorSettings, AuditSettings, Dependencies, KeyRotationSettings, LimiterSettings, NodeActors,
};
use domain::ports::{Replication, RevocationView, SigningKeys};
use protocol::ClientSecrets;
use tokio::task::JoinHandle;

use super::drain_watch;
use super::error::StartError;
use super::foundation::Foundation;
use super::key_watch;
use super::peer_link::ServingPeers;
use crate::config::{Config, KeysConfig, LimitsConfig, ServerConfig};
use crate::http::certificates::Certificates;
use crate::http::cors::Cors;
use crate::http::front::{Front, FrontLimits};
use crate::http::health::{Health, RedisProbe, ShownCertificates};
use crate::http::keys::Keys;
use crate::http::oauth::seen::SeenTokens;
use crate::http::request_count::RequestCount;
use crate::http::resource::Resource;
use crate::http::routes;
use crate::http::services::Services;
use crate::http::verifier::TokenVerifier;
use crate::policy::AccessRules;
use crate::telemetry::HttpMeters;

/// What operators ask may take longer than what agents ask: members hand over and drain before they leave.
const OPERATORS_WAIT_MAX: Duration = Duration::from_secs(25);

/// How a node is to be reached.
pub struct Reached {
    /// Who it says it is.
    pub issuer: String,
    /// What agents are shown, where they are served over TLS.
    pub agents: Option<Arc<Certificates>>,
    /// What operators are shown, where they are served over TLS.
    pub operators: Option<Arc<Certificates>>,
}

/// A node without its sockets.
pub struct Core {
    /// Answers agents.
    pub public: Front,
    /// Answers operators.
    pub operators: Front,
    pub(super) foundation: Foundation,
    actors: NodeActors,
    health: Health,
    background: Vec<JoinHandle<()>>,
}

impl Core {
    /// Starts the actors over a foundation that holds an installation.
    pub async fn start(foundation: Foundation, reached: Reached) -> Result<Self, StartError> {
        let cluster = foundation.cluster.handle();
        if !cluster.is_bootstrapped() {
            return Err(StartError::NotInitialised);
        }
        let config = foundation.config.clone();
        let redis = RedisProbe::new(&config.redis)?;
        let actors = NodeActors::start(dependencies(&foundation, &config)?).await?;
        let keys = Arc::new(Keys::new(cluster.clone())?);
        let is_tls = (reached.agents.is_some(), reached.operators.is_some());
        let certificates = ShownCertificates {
            agents: reached.agents,
            operators: reached.operators,
            nodes: foundation.peers.as_ref().and_then(ServingPeers::tls),
        };
        let health = Health::new(
            foundation.stores.clone(),
            cluster.clone(),
            actors.health.clone(),
            redis.clone(),
            foundation.machine.clock.clone(),
            certificates,
            &foundation.meters,
        );
        let services = services(&foundation, &actors, reached.issuer, keys.clone(), health.clone())?;
        let requests = RequestCount::new();
        let public = front(
            routes::public(),
            &services,
            &config.server,
            (is_tls.0, requests.clone()),
        );
        let for_operators = ServerConfig {
            request_timeout: config.server.request_timeout.max(OPERATORS_WAIT_MAX),
            ..config.server.clone()
        };
        let operators = front(
            routes::operator(),
            &services,
            &for_operators,
            (is_tls.1, RequestCount::new()),
        );
        let mut background = vec![
            tokio::spawn(key_watch::follow(cluster.clone(), keys)),
            tokio::spawn(drain_watch::follow(cluster, health.clone(), requests)),
            tokio::spawn(foundation.meters.clone().run_upkeep()),
        ];
        background.extend(redis.map(|redis| tokio::spawn(redis.warn_if_lost())));
        Ok(Self {
            public,
            operators,
            foundation,
            actors,
            health,
            background,
        })
    }

    /// The node is going down and wants no more requests.
    pub fn set_draining(&self) {
        self.health.set_draining();
    }

    /// Lets another node lead, if this one does and there is one that can.
    pub async fn hand_over(&self) {
        self.foundation.hand_over().await;
    }

    /// Stops: actors flushed, store and log closed. Whoever serves its fronts has stopped to do so before.
    pub async fn stop(self) -> Result<(), StartError> {
        let drain_timeout = self.foundation.config.server.drain_timeout;
        self.actors.shutdown(drain_timeout).await;
        self.background.iter().for_each(JoinHandle::abort);
        self.foundation.close().await
    }
}

fn dependencies(foundation: &Foundation, config: &Config) -> Result<Dependencies, StartError> {
    let (cluster, stores) = (Arc::new(foundation.cluster.handle()), &foundation.stores);
    let digest_key = cluster.digest_key()?;
    Ok(Dependencies {
        clock: foundation.machine.clock.clone(),
        entropy: foundation.machine.entropy.clone(),
        agents: stores.agents.clone(),
        credentials: stores.credentials.clone(),
        clients: stores.clients.clone(),
        audit_trail: stores.audit_trail.clone(),
        outbox: stores.outbox.clone(),
        organizations: stores.organizations.clone(),
        signing_keys: cluster.clone() as Arc<dyn SigningKeys>,
        key_maker: foundation.machine.key_maker.clone(),
        replication: cluster.clone() as Arc<dyn Replication>,
        revocations: cluster as Arc<dyn RevocationView>,
        secrets: Arc::new(ClientSecrets::new(&digest_key)),
        settings: actor_settings(config),
        meters: ActorMeters::register(foundation.meters.as_ref()),
    })
}

fn actor_settings(config: &Config) -> ActorSettings {
    let LimitsConfig {
        requests_per_minute,
        token_requests_per_minute,
        introspect_per_minute,
        verify_per_minute,
    } = config.limits;
    let limiter = LimiterSettings {
        requests_per_minute,
        token_requests_per_minute,
        introspect_per_minute,
        verify_per_minute,
        ..LimiterSettings::default()
    };
    let audit = AuditSettings {
        batch_max: config.audit.batch_max as usize,
        batch_wait: config.audit.batch_wait,
        ..AuditSettings::default()
    };
    ActorSettings {
        limiter,
        audit,
        key_rotation: key_rotation(&config.keys),
        ..ActorSettings::default()
    }
}

fn key_rotation(keys: &KeysConfig) -> KeyRotationSettings {
    KeyRotationSettings {
        rotation_interval: keys.rotation_interval,
        publish_ahead: keys.publish_ahead,
        retain: keys.retain,
        terms: keys.terms(),
        ..KeyRotationSettings::default()
    }
}

fn services(
    foundation: &Foundation,
    actors: &NodeActors,
    issuer: String,
    keys: Arc<Keys>,
    health: Health,
) -> Result<Arc<Services>, StartError> {
    let (stores, machine) = (&foundation.stores, &foundation.machine);
    let cluster = Arc::new(foundation.cluster.handle());
    let access = AccessRules::built_in()?;
    for table in [routes::public(), routes::operator()] {
        access.check_complete(table.iter().flat_map(Resource::rule_names))?;
    }
    let revocations: Arc<dyn RevocationView> = cluster.clone();
    Ok(Arc::new(Services {
        tenants: actors.tenants.clone(),
        limiter: actors.limiter.clone(),
        audit: actors.audit.clone(),
        key_rotation: actors.key_rotation.clone(),
        agents: stores.agents.clone(),
        organizations: stores.organizations.clone(),
        credentials: stores.credentials.clone(),
        audit_trail: stores.audit_trail.clone(),
        cluster: cluster.as_ref().clone(),
        operator_token: foundation.operator_token.clone(),
        verifier: TokenVerifier::new(
            issuer.clone(),
            keys.clone(),
            (revocations.clone(), cluster.clone()),
            machine.clock.clone(),
        ),
        replication: cluster,
        revocations,
        keys,
        seen: SeenTokens::new(),
        access,
        health,
        meters: HttpMeters::new(foundation.meters.clone()),
        clock: machine.clock.clone(),
        entropy: machine.entropy.clone(),
        issuer,
    }))
}

fn front(
    mut resources: Vec<Resource>,
    services: &Arc<Services>,
    server: &ServerConfig,
    (is_tls, requests): (bool, RequestCount),
) -> Front {
    resources
        .iter_mut()
        .for_each(|resource| resource.apply(&services.access));
    let limits = FrontLimits {
        request_timeout: server.request_timeout,
        body_limit: server.body_limit,
        trusted_proxies: server.trusted_proxies.clone(),
        is_tls,
        cors: Cors::new(server.cors_origins.clone()),
        requests,
    };
    Front::new(resources, services.clone(), limits)
}
