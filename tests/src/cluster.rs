//! A cluster of three nodes on this machine, as `agentidp dev --nodes 3` starts it.

use std::net::SocketAddr;
use std::process::Output;

use serde_json::Value;

use crate::api::{Answer, Api};
use crate::backend::Backend;
use crate::client::Client;
use crate::eventually::DEADLINE;
use crate::node::{Place, token_form};
use crate::options::NodeOptions;
use crate::ports;
use crate::process::{self, Process};
use crate::session::Session;

/// Three nodes. Killed, and their data removed, when dropped.
pub struct Cluster {
    // Dropped before the place that it lives in: the nodes end with the process that started them.
    process: Process,
    announcement: Value,
    /// The administrator that the first start made.
    pub admin: Client,
    arguments: Vec<String>,
    place: Place,
}

impl Cluster {
    /// Starts one on a fresh store.
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(NodeOptions::on(backend)).await
    }

    /// Starts one with these options on a fresh store.
    pub async fn start_with(options: NodeOptions) -> Self {
        let options = options
            .set("limits.token_requests_per_minute", 0)
            .set("limits.introspect_per_minute", 0)
            .set("cluster.listen", ports::free_run());
        let place = Place::fresh(options).await;
        let listen = |option: &str| vec![option.to_owned(), ports::free_run().to_string()];
        let data_dir = place.data_dir().display().to_string();
        let words = ["dev", "--nodes", "3", "--json", "--data-dir", &data_dir].map(str::to_owned);
        let arguments = [words.to_vec(), listen("--listen"), listen("--operator-listen")].concat();
        let (process, announcement) = launch(&place, &arguments).await;
        let text = |member: &str| announcement[member].as_str().expect("a text").to_owned();
        let admin = Client {
            id: text("clientId"),
            secret: text("clientSecret"),
            credential: String::new(),
        };
        Self {
            process,
            announcement,
            admin,
            arguments,
            place,
        }
    }

    /// The listener for agents of a node, by its number.
    pub fn api(&self, node_id: u64) -> Api {
        Api::at(self.text(node_id, "url"))
    }

    /// The listener for operators of a node.
    pub fn operator(&self, node_id: u64) -> Api {
        Api::at(self.text(node_id, "operatorUrl"))
    }

    /// The address of a node's listener for operators.
    pub fn operator_url(&self, node_id: u64) -> &str {
        self.text(node_id, "operatorUrl")
    }

    /// What operators show.
    pub fn operator_token(&self) -> String {
        let text = std::fs::read_to_string(self.operator_token_file()).expect("the nodes have made it");
        text.trim().to_owned()
    }

    /// Where the operators' token is.
    pub fn operator_token_file(&self) -> &str {
        self.announcement["operatorTokenFile"].as_str().expect("a text")
    }

    /// What the first start printed, and what later ones do.
    pub fn announcement(&self) -> &Value {
        &self.announcement
    }

    /// Where the cluster lives.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The members, asked from one of them.
    pub async fn status(&self, node_id: u64) -> Value {
        let request = self.operator(node_id).get("/cluster/status");
        request.bearer(&self.operator_token()).send().await.expect(200).json()
    }

    /// Who leads, asked from a node that lives.
    pub async fn leader(&self, node_id: u64) -> Option<u64> {
        self.status(node_id).await["leader"].as_u64()
    }

    /// Where a node serves agents.
    pub fn address(&self, node_id: u64) -> SocketAddr {
        let url = self.text(node_id, "url");
        url.trim_start_matches("http://").parse().expect("an address")
    }

    /// Stops all nodes; what they have made stays.
    pub async fn stop(&mut self) {
        self.process.signal("TERM");
        self.process.exit().await;
    }

    /// Ends a node as a crash would.
    pub fn kill(&self, node_id: u64) {
        let pid = self.node(node_id)["pid"].as_u64().expect("a number");
        process::signal(u32::try_from(pid).expect("a process id"), "KILL");
    }

    /// Ends all nodes as a crash would, and starts them again.
    pub async fn crash_and_start_again(&mut self) {
        (1..=3).for_each(|node_id| self.kill(node_id));
        self.process.kill();
        (self.process, self.announcement) = launch(&self.place, &self.arguments).await;
    }

    /// What every node is told from its next start on.
    pub fn set(&mut self, key: &str, value: impl ToString) {
        self.place.set(key, value);
    }

    /// The signing keys, asked from a node that lives.
    pub async fn keys(&self, node_id: u64) -> Value {
        let request = self.operator(node_id).get("/cluster/keys");
        request.bearer(&self.operator_token()).send().await.expect(200).json()
    }

    /// What the program answers to an operator of a node.
    pub fn operate(&self, node_id: u64, arguments: &[&str]) -> Output {
        let (url, file) = (self.operator_url(node_id), self.operator_token_file());
        let access = ["--operator", url, "--operator-token-file", file];
        let mut command = self.place.command(&[arguments, &access].concat());
        command.output().expect("the program runs")
    }

    /// A token for a client from a node; the default scope if `scope` is empty.
    pub async fn token(&self, node_id: u64, client: &Client, scope: &str) -> String {
        let request = self.api(node_id).post("/oauth2/token").basic(client);
        let body = request.form(&token_form(scope)).send().await.expect(200).json();
        body["access_token"].as_str().expect("an access token").to_owned()
    }

    /// A session of the administrator with these scopes at a node.
    pub async fn session(&self, node_id: u64, scope: &str) -> Session {
        let token = self.token(node_id, &self.admin, scope).await;
        Session::new(self.api(node_id), token)
    }

    /// What a node's introspection answers.
    pub async fn introspect(&self, node_id: u64, token: &str) -> Answer {
        let request = self.api(node_id).post("/oauth2/introspect").basic(&self.admin);
        request.form(&[("token", token)]).send().await
    }

    /// Whether a node vouches for a token.
    pub async fn is_active(&self, node_id: u64, token: &str) -> bool {
        let body = self.introspect(node_id, token).await.expect(200).json();
        body["active"].as_bool().unwrap_or_else(|| panic!("active in {body}"))
    }

    /// What a node answers when a token is to be revoked.
    pub async fn revoke(&self, node_id: u64, token: &str) -> Answer {
        let request = self.api(node_id).post("/oauth2/revoke").basic(&self.admin);
        request.form(&[("token", token)]).send().await
    }

    fn node(&self, node_id: u64) -> &Value {
        let nodes = self.announcement["nodes"].as_array().expect("a list");
        let mut nodes = nodes.iter();
        nodes
            .find(|node| node["nodeId"] == node_id)
            .expect("there are three nodes")
    }

    fn text(&self, node_id: u64, member: &str) -> &str {
        self.node(node_id)[member].as_str().expect("a text")
    }
}

async fn launch(place: &Place, arguments: &[String]) -> (Process, Value) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = place.command(&arguments);
    // Four processes, and three of them wait for each other.
    let launched = place.launch_within(&mut command, DEADLINE * 4).await;
    let (process, announcement) = launched.unwrap_or_else(|failed| panic!("the cluster did not start: {failed:?}"));
    (process, announcement.0)
}
