//! Three members that talk over TCP with certificates.

use tokio::net::TcpListener;

use super::*;
use crate::certs::{CertificateAuthority, Validity};
use crate::network::{Endpoint, LocalNode, PeerServer, Security, TcpLimits, TcpTransport, Tls, TlsFiles};

/// A member, and what it is reached through.
struct Connected {
    node: ClusterNode,
    server: PeerServer,
    tls: Arc<Tls>,
    folder: tempfile::TempDir,
}

struct Cluster {
    authority: CertificateAuthority,
    members: BTreeMap<u64, Connected>,
}

fn validity() -> Validity {
    Validity::starting(Timestamp::from_seconds(1_800_000_000), Duration::from_secs(86_400))
}

fn write_certificate(authority: &CertificateAuthority, node_id: u64, folder: &Path) -> TlsFiles {
    let issued = authority.issue(node_id, &[], validity()).unwrap();
    let files = TlsFiles {
        ca: folder.join("ca.pem"),
        cert: folder.join("node.pem"),
        key: folder.join("node.key"),
    };
    std::fs::write(&files.ca, authority.certificate_pem()).unwrap();
    std::fs::write(&files.cert, &issued.certificate_pem).unwrap();
    std::fs::write(&files.key, issued.key_pem.expose()).unwrap();
    files
}

impl Connected {
    /// Starts a node as a process would: listens before it is ready, since to become ready it must be heard.
    async fn start(authority: &CertificateAuthority, node_id: u64, founding: Founding) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let files = write_certificate(authority, node_id, folder.path());
        let ports = ports(node_id, &Arc::new(Hub::default()));
        let tls = Tls::open(files, node_id, "raft", ports.clock.clone()).unwrap();
        let tls = Arc::new(tls);
        let endpoint = Endpoint {
            local: Arc::new(LocalNode::new(node_id, "test")),
            security: Security::Tls(tls.clone()),
            limits: TcpLimits::default(),
        };
        let transport = TcpTransport::new(endpoint.clone(), ports.entropy.clone());
        let ports = ClusterPorts {
            transport: Arc::new(transport),
            ..ports
        };
        let config = ClusterConfig {
            founding,
            address: listener.local_addr().unwrap().to_string(),
            ..config(node_id, folder.path())
        };
        let node = ClusterNode::open(config, ports).await.unwrap();
        endpoint.local.speak_for(&node.handle());
        let server = PeerServer::serve(listener, endpoint, Arc::new(node.handle())).unwrap();
        Self {
            node,
            server,
            tls,
            folder,
        }
    }

    fn joining(&self, node_id: u64) -> Joining {
        Joining {
            address: self.server.address().to_string(),
            ..joining(node_id, "here")
        }
    }

    async fn has(&self, revocations: usize) {
        while self.node.handle().status().revocations != revocations {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Cluster {
    /// A founder alone.
    async fn found() -> Self {
        let authority = CertificateAuthority::new("raft", validity()).unwrap();
        let founder = Connected::start(&authority, 1, Founding::Alone).await;
        founder.node.ready().await.unwrap();
        let members = BTreeMap::from([(1, founder)]);
        Self { authority, members }
    }

    async fn join(&mut self, node_id: u64) {
        let node = Connected::start(&self.authority, node_id, Founding::Join).await;
        let founder = self.members[&1].node.handle();
        founder.add_member(node.joining(node_id)).await.unwrap();
        node.node.ready().await.unwrap();
        founder.promote(node_id).await.unwrap();
        self.members.insert(node_id, node);
    }

    /// Revokes tokens at the first member, however long that takes.
    async fn revoke(&self, numbers: std::ops::Range<u128>) {
        let handle = self.members.values().next().unwrap().node.handle();
        for number in numbers {
            while handle.apply(vec![revoke_token(number)]).await.is_err() {
                sleep(Duration::from_millis(5)).await;
            }
        }
    }

    async fn all_have(&self, revocations: usize) {
        for member in self.members.values() {
            member.has(revocations).await;
        }
    }

    async fn shutdown(self) {
        for member in self.members.into_values() {
            member.server.stop().await;
            member.node.shutdown().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_agree_over_tcp_while_certificates_change_and_after_the_founder_is_lost() {
    let mut cluster = Cluster::found().await;
    cluster.join(2).await;
    cluster.join(3).await;
    cluster.revoke(0..20).await;
    cluster.all_have(20).await;

    for (node_id, member) in &cluster.members {
        write_certificate(&cluster.authority, *node_id, member.folder.path());
        assert!(member.tls.reload().unwrap());
        cluster
            .revoke(100 + u128::from(*node_id)..101 + u128::from(*node_id))
            .await;
    }
    cluster.all_have(23).await;

    let Connected { node, server, .. } = cluster.members.remove(&1).unwrap();
    drop(server);
    node.shutdown().await.unwrap();
    cluster.revoke(200..210).await;
    cluster.all_have(33).await;
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_joins_late_gets_a_snapshot_over_tcp() {
    let mut cluster = Cluster::found().await;
    // More than the log keeps behind a snapshot, so that entries alone can't bring anybody up.
    cluster.revoke(0..150).await;
    let founder = &cluster.members[&1].node;
    while openraft::async_runtime::WatchReceiver::borrow_watched(&founder.raft.metrics())
        .purged
        .is_none()
    {
        sleep(Duration::from_millis(5)).await;
    }
    cluster.join(2).await;
    cluster.all_have(150).await;
    let late = cluster.members[&2].node.handle();
    assert!(late.status().snapshot.is_some(), "it could not have come by entries");
    cluster.shutdown().await;
}
