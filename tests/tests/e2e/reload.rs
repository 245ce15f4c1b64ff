//! SIGHUP, and certificates that are replaced while the node serves.

use std::path::PathBuf;

use e2e::node::Place;
use e2e::process::Process;
use e2e::{Backend, Client, Node, NodeOptions, eventually, on_both_stores};
use reqwest::Certificate;

on_both_stores!(
    a_replaced_certificate_is_shown_to_new_connections_and_drops_none,
    a_certificate_that_can_not_be_used_changes_nothing_and_is_named,
    sighup_puts_a_certificate_and_the_log_level_in_force,
    sighup_with_a_bad_configuration_changes_nothing,
);

/// A node that serves TLS with the certificate in its scratch directory.
struct Served {
    place: Place,
    process: Process,
}

impl Served {
    async fn start(backend: Backend) -> (Self, Certificate) {
        let options = NodeOptions::on(backend).set("server.tls.cert", "tls.crt");
        let place = Place::fresh(options.set("server.tls.key", "tls.key")).await;
        let first = replace(&place);
        let (process, _) = place.launch().await.expect("a start");
        (Self { place, process }, first)
    }

    /// A client that believes this certificate and no other, and keeps its connection.
    fn client(&self, trusted: &Certificate) -> Believer {
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([trusted.clone()])
            .build();
        Believer {
            http: http.expect("a client"),
            url: format!("https://localhost:{}/health", self.place.address().port()),
        }
    }

    async fn shows(&self, certificate: &Certificate) {
        eventually("new connections to be shown the certificate", async || {
            self.client(certificate).is_answered().await.then_some(())
        })
        .await;
    }

    async fn says(&self, text: &str) {
        eventually(text, async || self.place.log().contains(text).then_some(())).await;
    }
}

struct Believer {
    http: reqwest::Client,
    url: String,
}

impl Believer {
    async fn is_answered(&self) -> bool {
        let answer = self.http.get(&self.url).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }
}

/// Puts a new certificate and its key where the node finds them.
fn replace(place: &Place) -> Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    write(place, "tls.crt", &made.cert.pem());
    write(place, "tls.key", &made.signing_key.serialize_pem());
    Certificate::from_pem(made.cert.pem().as_bytes()).expect("our own certificate")
}

/// As careful operators do: nobody sees half a file.
fn write(place: &Place, name: &str, text: &str) {
    let new = place.scratch.path("new.pem");
    std::fs::write(&new, text).expect("the scratch directory can be written");
    std::fs::rename(new, place.scratch.path(name)).expect("the scratch directory can be written");
}

async fn a_replaced_certificate_is_shown_to_new_connections_and_drops_none(backend: Backend) {
    let (node, first) = Served::start(backend).await;
    let connected = node.client(&first);
    assert!(connected.is_answered().await);
    let second = replace(&node.place);
    node.shows(&second).await;
    assert!(!node.client(&first).is_answered().await, "a new connection");
    assert!(
        connected.is_answered().await,
        "the connection that was there is used: another would be shown what it does not believe"
    );
}

async fn a_certificate_that_can_not_be_used_changes_nothing_and_is_named(backend: Backend) {
    let (mut node, first) = Served::start(backend).await;
    write(&node.place, "tls.crt", "no certificate");
    node.says("the former one stays in force").await;
    let log = node.place.log();
    let line = log.lines().find(|line| line.contains("the former one stays in force"));
    assert!(
        line.is_some_and(|line| line.contains("ERROR") && line.contains("tls.crt")),
        "{log}"
    );
    assert!(node.client(&first).is_answered().await);
    let second = replace(&node.place);
    node.shows(&second).await;
    node.process.signal("TERM");
    assert!(node.process.exit().await.success());
}

/// A configuration file for a node with TLS; the log level is the last line.
fn write_config(place: &Place, log_level: &str) -> PathBuf {
    let path = place.scratch.path("agentidp.toml");
    let text = format!(
        "[server]\nlisten = \"{}\"\noperator_listen = \"127.0.0.1:0\"\n[cluster]\ndata_dir = \"{}\"\n[telemetry]\nlog_level = \"{log_level}\"\n",
        place.address(),
        place.data_dir().display()
    );
    std::fs::write(&path, text).expect("the scratch directory can be written");
    path
}

/// As [`Served::start`], with `init` and `serve` and a configuration file.
async fn serve(backend: Backend) -> (Served, Certificate) {
    let options = NodeOptions::on(backend).set("server.tls.cert", "tls.crt");
    let place = Place::fresh(options.set("server.tls.key", "tls.key")).await;
    let first = replace(&place);
    let config = write_config(&place, "info").display().to_string();
    let init = place.command(&["init", "--config", &config]).output();
    assert!(init.expect("it runs").status.success());
    let mut command = place.command(&["serve", "--config", &config]);
    let (process, _) = Process::start(&mut command, &place.scratch.path("node.log"));
    let served = Served { place, process };
    served.shows(&first).await;
    (served, first)
}

async fn sighup_puts_a_certificate_and_the_log_level_in_force(backend: Backend) {
    let (mut node, first) = serve(backend).await;
    let connected = node.client(&first);
    assert!(connected.is_answered().await);
    assert!(!node.place.log().contains("DEBUG"), "{}", node.place.log());
    // Nothing has changed, so nobody but the signal has the certificate read.
    node.process.signal("HUP");
    node.says("new connections are shown this certificate").await;
    let second = replace(&node.place);
    write_config(&node.place, "debug");
    node.process.signal("HUP");
    node.shows(&second).await;
    // A client that hangs up in the handshake is told at this level.
    assert!(!node.client(&first).is_answered().await);
    node.says("DEBUG").await;
    assert!(connected.is_answered().await, "nobody was cut off");
    assert!(node.process.is_running());
    node.process.signal("TERM");
    assert!(node.process.exit().await.success());
}

async fn sighup_with_a_bad_configuration_changes_nothing(backend: Backend) {
    let (mut node, first) = serve(backend).await;
    write_config(&node.place, "info=what");
    node.process.signal("HUP");
    node.says("the configuration can't be used; the former one stays in force")
        .await;
    assert!(node.place.log().contains("telemetry.log_level"), "{}", node.place.log());
    assert!(node.client(&first).is_answered().await);
    assert!(node.process.is_running());
}

/// Also without TLS and without a configuration file, as `dev` has neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sighup_does_not_end_a_node() {
    let mut node = Node::start(Backend::Embedded).await;
    let client: Client = node.admin().await.new_client().await;
    node.process().signal("HUP");
    eventually("the signal to be heard", async || {
        node.place.log().contains("was read again").then_some(())
    })
    .await;
    let _ = node.token(&client, "").await;
}
