//! Nodes with certificates of one authority, answers that a test gives itself, and what was logged.

use std::cell::RefCell;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use domain::Timestamp;
use domain::ports::{Clock, Entropy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::certs::{CertificateAuthority, Validity};
use crate::network::tcp::frame::Frame;
use crate::network::tcp::hello::{Greeting, Hello};
use crate::network::tcp::{
    Answering, Endpoint, LocalNode, PeerServer, Says, Security, Standing, TcpLimits, TcpTransport, Tls, TlsFiles,
};
use crate::network::{Peer, Transport as _, TransportError};

/// Longer than any test takes.
pub(super) const LONG: Duration = Duration::from_secs(120);

/// A wall clock that only a test turns.
pub(super) struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Counts how often it was asked, which is once for each failed attempt to connect.
#[derive(Default)]
pub(super) struct Draws(AtomicUsize);

impl Entropy for Draws {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fetch_add(1, Ordering::SeqCst);
        bytes.fill(7);
    }
}

impl Draws {
    pub(super) async fn at_least(&self, count: usize) {
        until(|| (self.0.load(Ordering::SeqCst) >= count).then_some(())).await;
    }
}

/// How long a test waits for what must come before it fails.
const PATIENCE: Duration = Duration::from_secs(60);

async fn patiently<T>(coming: impl Future<Output = T>) -> T {
    timeout(PATIENCE, coming)
        .await
        .expect("what was waited for did not come")
}

pub(super) async fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    patiently(async {
        loop {
            if let Some(found) = found() {
                return found;
            }
            sleep(Duration::from_millis(2)).await;
        }
    })
    .await
}

/// The certificates of a cluster, in a folder.
pub(super) struct Lab {
    folder: tempfile::TempDir,
    clock: Arc<Hand>,
    pub(super) authority: CertificateAuthority,
}

impl Lab {
    pub(super) fn new() -> Self {
        let clock = Arc::new(Hand(AtomicI64::new(1_800_000_000)));
        Self {
            folder: tempfile::tempdir().unwrap(),
            authority: authority(&clock),
            clock,
        }
    }

    /// The same folder and clock, and another authority of the same name.
    pub(super) fn renew_authority(&mut self) {
        self.authority = authority(&self.clock);
    }

    pub(super) fn pass_days(&self, days: i64) {
        self.clock.0.fetch_add(days * 86_400, Ordering::SeqCst);
    }

    /// Writes a certificate of the named node into the files of node `holder`.
    pub(super) fn write(&self, holder: u64, named: u64, days: u64) -> TlsFiles {
        let validity = self.days(days);
        let issued = self.authority.issue(named, &[], validity).unwrap();
        let path = |kind: &str| self.folder.path().join(format!("{holder}.{kind}"));
        let files = TlsFiles {
            ca: path("ca"),
            cert: path("crt"),
            key: path("key"),
        };
        std::fs::write(&files.ca, self.authority.certificate_pem()).unwrap();
        std::fs::write(&files.cert, &issued.certificate_pem).unwrap();
        std::fs::write(&files.key, issued.key_pem.expose()).unwrap();
        files
    }

    pub(super) fn days(&self, days: u64) -> Validity {
        Validity::starting(self.clock.now(), Duration::from_secs(days * 86_400))
    }

    pub(super) fn open(&self, files: TlsFiles, node_id: u64) -> Arc<Tls> {
        let tls = Tls::open(files, node_id, "prod", self.clock.clone());
        Arc::new(tls.unwrap_or_else(|error| panic!("{error}")))
    }

    pub(super) fn tls(&self, node_id: u64) -> Arc<Tls> {
        self.open(self.write(node_id, node_id, 100), node_id)
    }

    /// A node with a certificate of its own.
    pub(super) fn endpoint(&self, node_id: u64) -> Endpoint {
        endpoint(LocalNode::new(node_id, "test"), Security::Tls(self.tls(node_id)))
    }
}

fn authority(clock: &Hand) -> CertificateAuthority {
    let validity = Validity::starting(clock.now(), Duration::from_secs(1_000 * 86_400));
    CertificateAuthority::new("prod", validity).unwrap()
}

pub(super) fn endpoint(local: LocalNode, security: Security) -> Endpoint {
    Endpoint {
        local: Arc::new(local.or_for_nobody()),
        security,
        limits: limits(),
    }
}

/// A node without certificates.
pub(super) fn plain(node_id: u64) -> Endpoint {
    endpoint(LocalNode::new(node_id, "test"), Security::LoopbackOnly)
}

/// Retries at once, and time limits that no test meets by chance.
pub(super) fn limits() -> TcpLimits {
    TcpLimits {
        handshake_timeout: LONG,
        ping_every: Duration::from_millis(20),
        silence_max: LONG,
        idle_max: LONG,
        write_timeout: LONG,
        drain_max: LONG,
        backoff_min: Duration::from_millis(2),
        backoff_max: Duration::from_millis(4),
        ..TcpLimits::default()
    }
}

/// Answers with what was asked, backwards.
pub(super) struct Backwards;

#[async_trait]
impl Answering for Backwards {
    async fn answer(&self, request: &[u8]) -> Vec<u8> {
        request.iter().rev().copied().collect()
    }
}

/// A request that the test has to answer.
pub(super) struct Asked {
    pub(super) request: Vec<u8>,
    pub(super) answer: oneshot::Sender<Vec<u8>>,
}

/// Hands requests to the test.
pub(super) struct Asking(mpsc::UnboundedSender<Asked>);

impl Asking {
    pub(super) fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<Asked>) {
        let (sender, asked) = mpsc::unbounded_channel();
        (Arc::new(Self(sender)), asked)
    }
}

#[async_trait]
impl Answering for Asking {
    async fn answer(&self, request: &[u8]) -> Vec<u8> {
        let (answer, answered) = oneshot::channel();
        let request = request.to_vec();
        let _ = self.0.send(Asked { request, answer });
        answered.await.expect("the test answers what it was asked")
    }
}

pub(super) async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

pub(super) async fn serve(endpoint: Endpoint, answering: Arc<dyn Answering>) -> PeerServer {
    PeerServer::serve(listener().await, endpoint, answering).unwrap()
}

/// A transport, and how often it has failed to connect.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) transport: Arc<TcpTransport>,
    pub(super) draws: Arc<Draws>,
}

impl Caller {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let draws = Arc::new(Draws::default());
        Self {
            transport: Arc::new(TcpTransport::new(endpoint, draws.clone())),
            draws,
        }
    }

    pub(super) async fn call(
        &self,
        node_id: u64,
        address: SocketAddr,
        request: &[u8],
    ) -> Result<Vec<u8>, TransportError> {
        self.call_within(node_id, address, request, LONG).await
    }

    pub(super) async fn call_within(
        &self,
        node_id: u64,
        address: SocketAddr,
        request: &[u8],
        deadline: Duration,
    ) -> Result<Vec<u8>, TransportError> {
        let address = address.to_string();
        let peer = Peer { node_id, address };
        self.transport.call(&peer, request.to_vec(), deadline).await
    }

    /// Calls again and again until it works.
    pub(super) async fn succeed(&self, node_id: u64, address: SocketAddr) {
        patiently(async {
            while self.call(node_id, address, b"again").await.is_err() {
                sleep(Duration::from_millis(2)).await;
            }
        })
        .await;
    }

    /// Calls again and again until it fails.
    pub(super) async fn fail(&self, node_id: u64, address: SocketAddr) -> TransportError {
        patiently(async {
            loop {
                if let Err(error) = self.call(node_id, address, b"again").await {
                    return error;
                }
            }
        })
        .await
    }
}

pub(super) fn unreachable(error: TransportError) -> String {
    match error {
        TransportError::Unreachable { reason, .. } => reason,
        TransportError::Interrupted { reason, .. } => panic!("interrupted: {reason}"),
    }
}

pub(super) fn interrupted(error: TransportError) -> String {
    match error {
        TransportError::Interrupted { reason, .. } => reason,
        TransportError::Unreachable { reason, .. } => panic!("unreachable: {reason}"),
    }
}

/// A peer that a test plays, byte by byte.
pub(super) struct Raw(pub(super) TcpStream);

impl Raw {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    pub(super) async fn send_message(&mut self, body: &[u8]) {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        self.send(&[&length[..], body].concat()).await;
    }

    pub(super) async fn send_frame(&mut self, frame: Frame) {
        let mut bytes = BytesMut::new();
        frame.write_to(&mut bytes);
        self.send(&bytes).await;
    }

    /// The next message; `None` at the end.
    pub(super) async fn message(&mut self) -> Option<bytes::Bytes> {
        let length = patiently(self.0.read_u32()).await.ok()?;
        let mut body = vec![0; usize::try_from(length).unwrap()];
        patiently(self.0.read_exact(&mut body)).await.ok()?;
        Some(body.into())
    }

    /// Says hello as a node without certificates, and hears the other one's.
    pub(super) async fn greet(&mut self, node_id: u64) {
        let hello = LocalNode::new(node_id, "raw").hello();
        self.send_message(&Greeting::Hello(hello).to_bytes()).await;
        assert!(matches!(self.greeting().await, Greeting::Hello(Hello { .. })));
        self.send_message(&Greeting::Agreed.to_bytes()).await;
    }

    pub(super) async fn greeting(&mut self) -> Greeting {
        Greeting::read(self.message().await.unwrap()).unwrap()
    }

    /// Reads until the other side closes.
    pub(super) async fn closed(mut self) {
        let mut rest = Vec::new();
        // A reset is an end, too.
        let _ = patiently(self.0.read_to_end(&mut rest)).await;
    }
}

thread_local! {
    static CAPTURED: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// What this thread logs.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

/// Ends the capture.
pub(super) struct Capture;

impl Drop for Capture {
    fn drop(&mut self) {
        CAPTURED.set(None);
    }
}

impl Log {
    /// From now on, what this thread logs. One subscriber serves all threads: with one for each of them, a line that
    /// another thread comes upon first may be taken for one that nobody wants.
    pub(super) fn capture() -> (Self, Capture) {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let subscriber = tracing_subscriber::fmt().with_writer(|| ToThread).with_ansi(false);
            subscriber.without_time().init();
        });
        let log = Self::default();
        CAPTURED.set(Some(log.clone()));
        (log, Capture)
    }

    pub(super) fn lines(&self, with: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .filter(|line| line.contains(with))
            .map(str::to_owned)
            .collect()
    }

    /// The first line with this in it, as soon as it is there.
    pub(super) async fn line(&self, with: &str) -> String {
        until(|| self.lines(with).first().cloned()).await
    }
}

/// Writes to the log that the current thread captures, if it does.
struct ToThread;

impl Write for ToThread {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        CAPTURED.with_borrow(|log| {
            if let Some(log) = log {
                log.0.lock().unwrap().extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A member of a cluster as far as its greetings say.
#[derive(Default)]
pub(super) struct Member {
    pub(super) cluster: u128,
    pub(super) standing: Standing,
    /// Who must have a log.
    pub(super) others: Vec<u64>,
    pub(super) halted: Mutex<Option<String>>,
}

impl Member {
    pub(super) fn of(cluster: u128) -> Self {
        Self {
            cluster,
            ..Self::default()
        }
    }
}

impl Says for Member {
    fn cluster_id(&self) -> Option<Uuid> {
        Some(Uuid::from_u128(self.cluster))
    }
    fn standing(&self) -> Standing {
        self.standing
    }
    fn must_have_log(&self, node_id: u64) -> bool {
        self.others.contains(&node_id)
    }
    fn halt(&self, reason: &str) {
        *self.halted.lock().unwrap() = Some(reason.to_owned());
    }
}
