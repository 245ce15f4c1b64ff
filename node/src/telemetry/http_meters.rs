//! What the front end counts. Labels are routes, methods and statuses, never an id, an email or a path with ids in it.

use std::collections::HashMap;
use std::sync::RwLock;
use std::time::Duration;

use domain::SigningAlgorithm;
use http::{Method, StatusCode};
use metrics::{Counter, Histogram};

use super::recorder::Meters;

type RouteKey = (Method, &'static str, StatusCode);

/// The front end's meters.
pub struct HttpMeters {
    meters: Meters,
    requests: RwLock<HashMap<RouteKey, (Counter, Histogram)>>,
    introspected_active: Counter,
    introspected_inactive: Counter,
    agents_registered: [Counter; 3],
}

impl HttpMeters {
    /// Over the node's recorder.
    pub fn new(meters: Meters) -> Self {
        let introspections = |active: &str| meters.counter("token_introspections_total", &[("active", active)]);
        let registered = domain::DeploymentEnv::ALL;
        let registered = [0, 1, 2].map(|index| {
            meters.counter(
                "agents_registered_total",
                &[("deployment_env", registered[index].as_str())],
            )
        });
        Self {
            introspected_active: introspections("true"),
            introspected_inactive: introspections("false"),
            agents_registered: registered,
            requests: RwLock::default(),
            meters,
        }
    }

    /// A request was answered.
    pub fn request(&self, method: &Method, route: &'static str, status: StatusCode, took: Duration) {
        let key = (known(method), route, status);
        let found = self.requests.read().ok().and_then(|map| map.get(&key).cloned());
        let (count, seconds) = found.unwrap_or_else(|| self.register(key));
        count.increment(1);
        seconds.record(took.as_secs_f64());
    }

    /// A token was issued under a grant.
    pub fn token_issued(&self, grant: &'static str, algorithm: SigningAlgorithm) {
        self.meters
            .counter("tokens_issued_total", &[("grant", grant), ("alg", algorithm.as_str())])
            .increment(1);
    }

    /// A token was introspected.
    pub fn introspection(&self, active: bool) {
        if active {
            self.introspected_active.increment(1)
        } else {
            self.introspected_inactive.increment(1)
        }
    }

    /// Tokens were revoked.
    pub fn revocation(&self, kind: &'static str) {
        self.meters
            .counter("token_revocations_total", &[("kind", kind)])
            .increment(1);
    }

    /// Somebody could not prove who they are.
    pub fn auth_failure(&self, reason: &'static str) {
        self.meters
            .counter("auth_failures_total", &[("reason", reason)])
            .increment(1);
    }

    /// An agent was registered.
    pub fn agent_registered(&self, env: domain::DeploymentEnv) {
        self.agents_registered[env as usize].increment(1);
    }

    /// Everything, in Prometheus' text format.
    pub fn render(&self) -> String {
        self.meters.render()
    }

    fn register(&self, key: RouteKey) -> (Counter, Histogram) {
        let (method, route, status) = (key.0.as_str(), key.1, key.2.as_str());
        let count = self.meters.counter(
            "http_requests_total",
            &[("method", method), ("route", route), ("status_code", status)],
        );
        let seconds = self
            .meters
            .histogram("http_request_duration_seconds", &[("method", method), ("route", route)]);
        if let Ok(mut map) = self.requests.write() {
            map.insert(key.clone(), (count.clone(), seconds.clone()));
        }
        (count, seconds)
    }
}

/// Methods that nobody serves share one label, so that a caller can't fill the memory with invented ones.
fn known(method: &Method) -> Method {
    const KNOWN: [Method; 7] = [
        Method::GET,
        Method::POST,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::PUT,
        Method::OPTIONS,
    ];
    if KNOWN.contains(method) {
        method.clone()
    } else {
        Method::TRACE
    }
}
