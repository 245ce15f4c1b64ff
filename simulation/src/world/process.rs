//! A node's process: the real node, composed over a simulated machine, on a runtime of its own whose time stands still
//! unless the world moves it. What is dropped with the runtime is lost, as with a process that is killed.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cluster::{
    ClusterError, ClusterHandle, ClusterNode, ClusterPorts, Execution, Files, Founding, LocalNode, MasterKey,
    MasterKeys,
};
use node::app::{AdminSecret, Core, Foundation, Machine, Reached, StartError, cluster_config};
use node::config::Config;
use node::http::front::Front;
use node::http::operator_token::OperatorToken;
use node::http::places::{Place, Places};
use node::http::request_memory::RequestMemory;
use node::telemetry::MetricsRecorder;
use storage::Stores;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::network::Network;
use super::node_settings::NodeSettings;
use super::peers::PeerTransport;
use super::time::TICK;
use super::wire::{FrontAnswer, FrontRequest};
use crate::lock::lock;
use crate::workload::Client;

/// Who every node says it is.
const ISSUER: &str = "https://id.agentidp.example";
/// How many connections the one address of all clients may have.
const CONNECTIONS_MAX: u32 = 10_000;

/// How long verifiers keep keys where those that are ordered follow soon, and how far clocks may differ there.
const JWKS_MAX_AGE: Duration = Duration::from_secs(1);
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// What a process is started with.
pub struct Parts {
    /// The node's number.
    pub node_id: u64,
    /// Time, randomness and keys.
    pub machine: Machine,
    /// Rows.
    pub stores: Stores,
    /// The way to the other nodes.
    pub network: Network,
    /// The disk that the node keeps its log on.
    pub files: Arc<dyn Files>,
    /// Whether it founds the cluster, if there is none yet.
    pub founding: Founding,
    /// Chooses in which order the runtime does what could be done in any.
    pub seed: u64,
    /// What its configuration says.
    pub settings: NodeSettings,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to stop, and did what is to be done then.
    Well,
    /// By itself, with an error.
    Failed(String),
    /// By itself: it found damage in what it had written, and says where.
    Damaged(String),
    /// Without warning.
    Killed,
}

impl Ended {
    fn of(ended: Result<(), StartError>) -> Self {
        match ended {
            Ok(()) => Self::Well,
            Err(error @ StartError::Cluster(ClusterError::CorruptLog { .. })) => Self::Damaged(error.to_string()),
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

/// A running process.
pub struct Process {
    runtime: Runtime,
    life: JoinHandle<()>,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
}

/// What the world sees of a process.
#[derive(Default)]
struct State {
    cluster: Option<ClusterHandle>,
    serving: Option<Serving>,
    local: Option<Arc<LocalNode>>,
    admin: Option<Client>,
    ended: Option<Ended>,
}

/// Answers clients.
#[derive(Clone)]
struct Serving {
    public: Front,
    place: Arc<Place>,
}

impl Process {
    /// Starts a node.
    pub fn start(parts: Parts) -> std::io::Result<Self> {
        // Only there with `--cfg tokio_unstable` (.cargo/config.toml): without it this does not compile.
        let seed = tokio::runtime::RngSeed::from_bytes(&parts.seed.to_le_bytes());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .rng_seed(seed)
            .build()?;
        let state = Arc::new(Mutex::new(State::default()));
        let (stop, stopped) = oneshot::channel();
        let seen = state.clone();
        let life = runtime.spawn(async move {
            let ended = Box::pin(live(parts, &seen, stopped)).await;
            let mut seen = lock(&seen);
            seen.serving = None;
            seen.ended = Some(Ended::of(ended));
        });
        Ok(Self {
            runtime,
            life,
            state,
            stop: Some(stop),
        })
    }

    /// Lets one tick pass.
    pub fn tick(&self) {
        self.runtime.block_on(async { tokio::time::sleep(TICK).await });
    }

    /// Lets a time pass in which the process did nothing.
    pub fn skip(&self, time: Duration) {
        self.runtime.block_on(async { tokio::time::advance(time).await });
    }

    /// Asks it to stop; it finishes what it has begun.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<Ended> {
        let ended = lock(&self.state).ended.clone();
        // Whoever panics says no more.
        let panicked = || self.life.is_finished().then(|| Ended::Failed("it panicked".to_owned()));
        ended.or_else(panicked)
    }

    /// Who speaks for it when it greets another node, once its log is open.
    pub fn local(&self) -> Option<Arc<LocalNode>> {
        lock(&self.state).local.clone()
    }

    /// Its view of the cluster, once its log is open.
    pub fn cluster(&self) -> Option<ClusterHandle> {
        lock(&self.state).cluster.clone()
    }

    /// Whether it serves clients.
    pub fn is_serving(&self) -> bool {
        lock(&self.state).serving.is_some()
    }

    /// The administrator, where the installation was made.
    pub fn admin(&self) -> Option<Client> {
        lock(&self.state).admin.clone()
    }

    /// Does something on it.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Lets it answer a client; false if it serves none.
    pub fn answer(&self, request: FrontRequest, answered: impl FnOnce(FrontAnswer) + Send + 'static) -> bool {
        let Some(serving) = lock(&self.state).serving.clone() else {
            return false;
        };
        self.runtime.spawn(async move {
            let response = serving.public.handle(request, &serving.place).await;
            answered(FrontAnswer::of(response).await);
        });
        true
    }
}

async fn live(parts: Parts, state: &Mutex<State>, stopped: oneshot::Receiver<()>) -> Result<(), StartError> {
    let founds = parts.founding == Founding::Alone;
    let foundation = lay(parts).await?;
    let cluster = foundation.cluster.handle();
    let local = LocalNode::new(foundation.config.cluster.node_id, "simulated");
    local.speak_for(&cluster);
    {
        let mut state = lock(state);
        state.local = Some(Arc::new(local));
        state.cluster = Some(cluster.clone());
    }
    foundation.begin().await?;
    if founds {
        let made = foundation.bootstrap(AdminSecret::IfNone).await?;
        if let Some(secret) = made.admin.client_secret {
            lock(state).admin = Some(Client {
                id: made.admin.client_id.to_string(),
                secret: secret.expose().to_owned(),
                credential: String::new(),
            });
        }
    }
    let reached = Reached {
        issuer: ISSUER.to_owned(),
        agents: None,
        operators: None,
    };
    let core = Core::start(foundation, reached).await?;
    let memory = RequestMemory::of_node();
    let clients = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 1));
    let place = Places::new(CONNECTIONS_MAX, Vec::new(), memory)
        .take(clients)
        .expect("it is the first");
    lock(state).serving = Some(Serving {
        public: core.public.clone(),
        place: Arc::new(place),
    });
    let failure = tokio::select! {
        _ = stopped => None,
        failure = cluster.failed() => Some(failure),
    };
    core.set_draining();
    lock(state).serving = None;
    core.hand_over().await;
    core.stop().await?;
    failure.map_or(Ok(()), |failure| Err(failure.into()))
}

/// Opens what a node stands on.
async fn lay(parts: Parts) -> Result<Foundation, StartError> {
    let config = configuration(&parts);
    let meters = Arc::new(MetricsRecorder::new().map_err(|error| StartError::Metrics(error.to_string()))?);
    let Machine { clock, entropy, .. } = parts.machine.clone();
    let ports = ClusterPorts {
        transport: Arc::new(PeerTransport::new(parts.node_id, parts.network)),
        files: parts.files,
        ..ClusterPorts::new(clock, entropy.clone(), master_keys(parts.settings.master_key))
    };
    let cluster = cluster::ClusterConfig {
        execution: Execution::Inline,
        snapshot_every: parts.settings.snapshot_every,
        entries_kept: parts.settings.entries_kept,
        ..cluster_config(&config, parts.founding)?
    };
    Ok(Foundation {
        operator_token: OperatorToken::new(entropy.as_ref()),
        cluster: ClusterNode::open(cluster, ports).await?,
        config,
        machine: parts.machine,
        meters,
        stores: parts.stores,
        peers: None,
    })
}

fn configuration(parts: &Parts) -> Config {
    let (mut config, ..) = Config::inspect(Vec::new());
    config.cluster.node_id = parts.node_id;
    config.cluster.data_dir = PathBuf::from("/var/lib/agentidp");
    config.cluster.advertise = Some(address(parts.node_id));
    config.cluster.format_max = parts.settings.format_max;
    if parts.settings.keys_follow_soon {
        let keys = &mut config.keys;
        (keys.jwks_max_age, keys.clock_skew) = (JWKS_MAX_AGE, CLOCK_SKEW);
        keys.publish_ahead = keys.terms().published_before_use();
        keys.retain = keys.terms().kept_after_use();
    }
    config.limits.requests_per_minute = 0;
    config.limits.token_requests_per_minute = 0;
    config.limits.introspect_per_minute = 0;
    config.limits.verify_per_minute = 0;
    config
}

/// Where a node is reached, for messages to people: parcels are addressed by number.
pub fn address(node_id: u64) -> String {
    format!("node-{node_id}:3950")
}

/// The one of this number, and the one before it.
fn master_keys(number: u8) -> MasterKeys {
    let key = |number: u8| {
        let mut bytes = [7; 32];
        bytes[0] = 1;
        bytes[1] = number;
        MasterKey::from_bytes(&bytes).expect("32 bytes that differ")
    };
    let former = number.checked_sub(1).map(key);
    MasterKeys::new([key(number)].into_iter().chain(former).collect()).expect("there is one")
}
