//! The listener for operators over TLS: who has an operator's certificate is let in, and who has the token; nobody else.

use std::process::Output;
use std::time::Duration;

use e2e::scratch::Scratch;
use e2e::{Api, Backend, Node, NodeOptions, eventually};
use serde_json::Value;

/// Certificates as `agentidp cluster certs` makes them, for one node and its operators.
struct Certificates(Scratch);

impl Certificates {
    fn new() -> Self {
        let certificates = Self(Scratch::new());
        certificates.make();
        certificates
    }

    /// Makes all of them, an authority included if there is none.
    fn make(&self) {
        let out = self.path("");
        let arguments = ["cluster", "certs", "--out", &out, "--nodes", "1", "--operator"];
        let made = e2e::options::bare_command(&arguments)
            .output()
            .expect("the program runs");
        assert!(made.status.success(), "{}", text(&made));
    }

    fn path(&self, name: &str) -> String {
        self.0.path(name).display().to_string()
    }

    fn options(&self) -> NodeOptions {
        NodeOptions::on(Backend::Embedded)
            .set("server.operator_tls.ca", self.path("ca.pem"))
            .set("server.operator_tls.cert", self.path("node-1.pem"))
            .set("server.operator_tls.key", self.path("node-1.key"))
    }

    fn ca(&self) -> String {
        self.0.text("ca.pem")
    }
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(String::from_utf8_lossy)
        .concat()
}

/// `agentidp cluster status` with a certificate and its authority.
fn status(node: &Node, ca: &str, certificate: Option<(&str, &str)>) -> Output {
    let operator = node.announcement.text("operatorUrl");
    let mut arguments = vec!["cluster", "status", "--json", "--operator", operator, "--ca", ca];
    if let Some((certificate, key)) = certificate {
        arguments.extend(["--operator-cert", certificate, "--operator-key", key]);
    }
    node.place.command(&arguments).output().expect("the program runs")
}

fn with(node: &Node, ca: &Certificates, own: &Certificates, name: &str) -> Output {
    let (certificate, key) = (own.path(&format!("{name}.pem")), own.path(&format!("{name}.key")));
    status(node, &ca.path("ca.pem"), Some((&certificate, &key)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operators_certificate_lets_in_and_no_other_does() {
    let certificates = Certificates::new();
    let node = certificates.options().start().await;
    assert!(node.announcement.text("operatorUrl").starts_with("https://"));
    let answer = with(&node, &certificates, &certificates, "operator");
    assert!(answer.status.success(), "{}", text(&answer));
    let members: Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    assert_eq!(members["leader"], 1, "{members}");
    // A node's certificate is no operator's, nor is that of another authority's operator.
    for (own, name) in [(&certificates, "node-1"), (&Certificates::new(), "operator")] {
        let refused = with(&node, &certificates, own, name);
        assert!(!refused.status.success(), "{name}: {}", text(&refused));
    }
    // Whoever is told of another authority does not take the node for one of the cluster.
    let deceived = with(&node, &Certificates::new(), &certificates, "operator");
    assert!(!deceived.status.success(), "{}", text(&deceived));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_certificate_the_token_is_needed_and_enough() {
    let certificates = Certificates::new();
    let node = certificates.options().start().await;
    let url = node.announcement.text("operatorUrl").to_owned();
    let api = Api::trusting(&url, &certificates.ca());
    let _ = api.get("/cluster/status").send().await.expect(401);
    let _ = api.get("/cluster/status").bearer("wrong").send().await.expect(401);
    let token = std::fs::read_to_string(node.place.data_dir().join("operator.token")).expect("the node has made it");
    let _ = api.get("/cluster/status").bearer(token.trim()).send().await.expect(200);
    // Nobody needs to show anything for what tells no secret.
    let metrics = api.get("/metrics").send().await.expect(200).text();
    let left = metrics
        .lines()
        .find_map(|line| line.strip_prefix("agentidp_certificate_expires_in_seconds{shown_to=\"operators\"} "));
    let left: f64 = left.expect("a gauge").parse().expect("a number");
    let days = Duration::from_secs_f64(left).as_secs() / 86_400;
    assert_eq!(days, 364, "a year, and some of it has passed");
    assert!(
        Api::at(&url).get("/metrics").try_send().await.is_err(),
        "it is not known to this machine"
    );
    let plain = Api::at(&url.replace("https", "http")).get("/metrics").try_send().await;
    assert!(plain.is_err(), "nothing is served in the clear");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_authority_is_trusted_and_the_former_one_forgotten_without_a_restart() {
    let certificates = Certificates::new();
    let node = certificates.options().start().await;
    let former = Scratch::new();
    for name in ["operator.pem", "operator.key"] {
        std::fs::copy(certificates.path(name), former.path(name)).expect("both are there");
    }
    std::fs::remove_file(certificates.path("ca.key")).expect("it is there");
    certificates.make();
    eventually("the new operator is let in", async || {
        let answer = with(&node, &certificates, &certificates, "operator");
        answer.status.success().then_some(())
    })
    .await;
    let path = |name: &str| former.path(name).display().to_string();
    let (certificate, key) = (path("operator.pem"), path("operator.key"));
    let refused = status(&node, &certificates.path("ca.pem"), Some((&certificate, &key)));
    assert!(!refused.status.success(), "{}", text(&refused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_not_served_in_the_clear_off_this_machine() {
    let check = |listen: &str| {
        let options = NodeOptions::on(Backend::Embedded).set("server.operator_listen", listen);
        options
            .command(&["config", "check"])
            .output()
            .expect("the program runs")
    };
    let refused = check("0.0.0.0:3900");
    assert!(!refused.status.success());
    let said = text(&refused);
    assert!(
        said.contains("server.operator_tls") && said.contains("agentidp cluster certs"),
        "{said}"
    );
}
