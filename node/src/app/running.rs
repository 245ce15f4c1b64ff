//! A node that serves: its actors, its listeners, and how it stops.

use std::net::SocketAddr;
use std::sync::Arc;

use actors::{ActorMeters, ActorSettings, AuditSettings, Dependencies, LimiterSettings, NodeActors};
use domain::ports::{Replication, RevocationView};
use protocol::ClientSecrets;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::certificate_watch::CertificateWatch;
use super::error::StartError;
use super::foundation::Foundation;
use super::key_watch;
use super::listeners::Listeners;
use super::machine::Machine;
use crate::config::{Config, LimitsConfig, ServerConfig};
use crate::http::body_budget::BodyBudget;
use crate::http::cors::Cors;
use crate::http::front::{Front, FrontLimits};
use crate::http::health::{Health, RedisProbe};
use crate::http::keys::Keys;
use crate::http::oauth::seen::SeenTokens;
use crate::http::operator_token::OperatorToken;
use crate::http::resource::Resource;
use crate::http::routes;
use crate::http::server::{BODY_BYTES_MAX, Server, ServerLimits};
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
    certificate: Option<CertificateWatch>,
    servers: Vec<JoinHandle<()>>,
    background: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts the actors over a foundation that holds an installation, and serves.
    pub async fn start(
        foundation: Foundation,
        listeners: Listeners,
        certificate: Option<CertificateWatch>,
    ) -> Result<Self, StartError> {
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
        let acceptor = certificate.as_ref().map(CertificateWatch::acceptor).transpose()?;
        let issuer = config
            .server
            .public_url
            .clone()
            .unwrap_or_else(|| config.server.default_issuer(address));

        let redis = RedisProbe::new(&config.redis)?;
        let actors = NodeActors::start(dependencies(&foundation, &config)?).await?;
        let keys = Arc::new(Keys::new(key_watch::ring_of(&cluster)?));
        let health = Health::new(
            foundation.stores.clone(),
            cluster.clone(),
            actors.health.clone(),
            redis.clone(),
            foundation.machine.clock.clone(),
            &foundation.meters,
        );
        let services = services(&foundation, &actors, issuer.clone(), keys.clone(), health.clone())?;

        let (stop, stopped) = watch::channel(false);
        let public_front = front(routes::public(), &services, &config.server, config.server.tls.is_some());
        let operator_front = front(routes::operator(), &services, &config.server, false);
        let limits = server_limits(&config.server);
        let servers = vec![
            tokio::spawn(Server::new(agents, public_front, acceptor, limits.clone()).run(stopped.clone())),
            tokio::spawn(Server::new(operators, operator_front, None, limits).run(stopped)),
        ];
        let mut background = vec![
            tokio::spawn(key_watch::follow(cluster, keys)),
            tokio::spawn(foundation.meters.clone().run_upkeep()),
        ];
        background.extend(redis.map(|redis| tokio::spawn(redis.warn_if_lost())));
        background.extend(certificate.clone().map(|watch| tokio::spawn(watch.follow())));
        tracing::info!(%address, %operator_address, issuer, "serving");
        Ok(Self {
            issuer,
            address,
            operator_address,
            foundation,
            actors,
            health,
            stop,
            certificate,
            servers,
            background,
        })
    }

    /// Reads the certificates' files again.
    pub fn reload_certificate(&self) {
        if let Some(peers) = &self.foundation.peers {
            peers.reload_certificates();
        }
        if let Some(certificate) = &self.certificate {
            certificate.look_now();
        }
    }

    /// Stops: not ready any more, requests in flight finished, actors flushed, store and log closed.
    pub async fn stop(self) -> Result<(), StartError> {
        self.health.set_draining();
        let _ = self.stop.send(true);
        for server in self.servers {
            let _ = server.await;
        }
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
        ..ActorSettings::default()
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
        agents: stores.agents.clone(),
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

fn front(mut resources: Vec<Resource>, services: &Arc<Services>, server: &ServerConfig, is_tls: bool) -> Front {
    resources
        .iter_mut()
        .for_each(|resource| resource.apply(&services.access));
    let limits = FrontLimits {
        request_timeout: server.request_timeout,
        body_limit: server.body_limit,
        trusted_proxies: server.trusted_proxies.clone(),
        is_tls,
        cors: Cors::new(server.cors_origins.clone()),
    };
    Front::new(resources, services.clone(), limits)
}

fn server_limits(server: &ServerConfig) -> ServerLimits {
    ServerLimits {
        header_timeout: server.header_timeout,
        connections_max: server.connections_max,
        connections_per_address_max: server.connections_per_address_max,
        trusted_proxies: server.trusted_proxies.clone(),
        bodies: BodyBudget::new(BODY_BYTES_MAX),
        drain_timeout: server.drain_timeout,
    }
}
