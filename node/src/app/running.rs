//! A node that serves: its actors, its listeners, and how it stops.

use std::net::SocketAddr;
use std::sync::Arc;

use actors::{
    ActorMeters, ActorSettings, AuditSettings, Dependencies, KeyRotationSettings, LimiterSettings, NodeActors,
};
use domain::ports::{Replication, RevocationView, SigningKeys};
use futures::future::join_all;
use protocol::ClientSecrets;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::certificate_watch::CertificateWatch;
use super::drain_watch;
use super::error::StartError;
use super::foundation::Foundation;
use super::key_maker::ThreadedKeyMaker;
use super::key_watch;
use super::listener_tls::ListenerTls;
use super::listeners::Listeners;
use super::machine::Machine;
use super::peer_link::ServingPeers;
use crate::config::{Config, KeysConfig, LimitsConfig, ServerConfig};
use crate::http::cors::Cors;
use crate::http::front::{Front, FrontLimits};
use crate::http::health::{Health, RedisProbe, ShownCertificates};
use crate::http::keys::Keys;
use crate::http::oauth::seen::SeenTokens;
use crate::http::operator_token::OperatorToken;
use crate::http::request_count::RequestCount;
use crate::http::request_memory::RequestMemory;
use crate::http::resource::Resource;
use crate::http::routes;
use crate::http::server::{Server, ServerLimits};
use crate::http::services::Services;
use crate::http::verifier::TokenVerifier;
use crate::policy::AccessRules;
use crate::telemetry::HttpMeters;

/// A node that serves.
pub struct Running {
    /// Who it says it is.
    pub issuer: String,
    /// Where agents are served.
    pub address: SocketAddr,
    /// Where operators are served.
    pub operator_address: SocketAddr,
    foundation: Foundation,
    actors: NodeActors,
    health: Health,
    stop: watch::Sender<bool>,
    tls: ListenerTls,
    servers: Vec<JoinHandle<()>>,
    background: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts the actors over a foundation that holds an installation, and serves.
    pub async fn start(foundation: Foundation, listeners: Listeners, tls: ListenerTls) -> Result<Self, StartError> {
        let cluster = foundation.cluster.handle();
        if !cluster.is_bootstrapped() {
            return Err(StartError::NotInitialised);
        }
        let config = foundation.config.clone();
        let Listeners {
            agents,
            address,
            operators,
            operator_address,
        } = listeners;
        let shown = |watch: &Option<CertificateWatch>| watch.as_ref().map(CertificateWatch::certificates);
        let (public_tls, operator_tls) = (shown(&tls.agents), shown(&tls.operators));
        let issuer = config
            .server
            .public_url
            .clone()
            .unwrap_or_else(|| config.server.default_issuer(address));

        let redis = RedisProbe::new(&config.redis)?;
        let actors = NodeActors::start(dependencies(&foundation, &config)?).await?;
        let keys = Arc::new(Keys::new(cluster.clone())?);
        let certificates = ShownCertificates {
            agents: public_tls.clone(),
            operators: operator_tls.clone(),
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
        let services = services(&foundation, &actors, issuer.clone(), keys.clone(), health.clone())?;

        let (stop, stopped) = watch::channel(false);
        let requests = RequestCount::new();
        let public_front = front(
            routes::public(),
            &services,
            &config.server,
            (public_tls.is_some(), requests.clone()),
        );
        let operator_front = front(
            routes::operator(),
            &services,
            &config.server,
            (operator_tls.is_some(), RequestCount::new()),
        );
        let limits = server_limits(&config.server);
        let servers = vec![
            tokio::spawn(Server::new(agents, public_front, public_tls, limits.clone()).run(stopped.clone())),
            tokio::spawn(Server::new(operators, operator_front, operator_tls, limits).run(stopped)),
        ];
        let mut background = vec![
            tokio::spawn(key_watch::follow(cluster.clone(), keys)),
            tokio::spawn(drain_watch::follow(cluster, health.clone(), requests)),
            tokio::spawn(foundation.meters.clone().run_upkeep()),
        ];
        background.extend(redis.map(|redis| tokio::spawn(redis.warn_if_lost())));
        background.extend(tls.watches().cloned().map(|watch| tokio::spawn(watch.follow())));
        tracing::info!(%address, %operator_address, issuer, "serving");
        Ok(Self {
            issuer,
            address,
            operator_address,
            foundation,
            actors,
            health,
            stop,
            tls,
            servers,
            background,
        })
    }

    /// Where operators call it.
    pub fn operator_url(&self) -> String {
        let scheme = if self.tls.operators.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.operator_address)
    }

    /// Reads the certificates' files again.
    pub fn reload_certificate(&self) {
        if let Some(peers) = &self.foundation.peers {
            peers.reload_certificates();
        }
        self.tls.watches().for_each(CertificateWatch::look_now);
    }

    /// Waits until this node can't go on, and answers why. Whoever watches over its process should start it again.
    pub async fn failed(&self) -> StartError {
        self.foundation.cluster.handle().failed().await.into()
    }

    /// Stops: not ready any more, led by another node, requests in flight finished, actors flushed, store and log closed.
    pub async fn stop(self) -> Result<(), StartError> {
        self.health.set_draining();
        let _ = self.stop.send(true);
        // Not after the drain, which may take long: changes go on elsewhere meanwhile.
        tokio::join!(self.foundation.hand_over(), join_all(self.servers));
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
        key_maker: Arc::new(ThreadedKeyMaker::new(foundation.machine.entropy.clone())),
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
        operator_token: operator_token(&foundation.config, machine)?,
        replication: cluster,
        verifier: TokenVerifier::new(issuer.clone(), keys.clone(), revocations.clone(), machine.clock.clone()),
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

/// The operators' token from its file, which is made where there is none.
pub fn operator_token(config: &Config, machine: &Machine) -> Result<OperatorToken, StartError> {
    let path = config.operator_token_file();
    OperatorToken::open(&path, machine.entropy.as_ref()).map_err(|source| StartError::OperatorToken { path, source })
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

fn server_limits(server: &ServerConfig) -> ServerLimits {
    ServerLimits {
        header_timeout: server.header_timeout,
        connections_max: server.connections_max,
        connections_per_address_max: server.connections_per_address_max,
        trusted_proxies: server.trusted_proxies.clone(),
        memory: RequestMemory::of_node(),
        drain_timeout: server.drain_timeout,
    }
}
