//! A cluster of three nodes on this machine, as `agentidp dev --nodes 3` starts it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tokio::time::Instant;

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
        self.signal(node_id, "KILL");
    }

    /// Tells a node to stop, as whoever upgrades it does.
    pub fn terminate(&self, node_id: u64) {
        self.signal(node_id, "TERM");
    }

    fn signal(&self, node_id: u64, name: &str) {
        let pid = self.node(node_id)["pid"].as_u64().expect("a number");
        process::signal(u32::try_from(pid).expect("a process id"), name);
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

    /// The folder of a node, whether it is one of the three or came later.
    pub fn folder(&self, node_id: u64) -> PathBuf {
        self.place.data_dir().join(format!("node-{node_id}"))
    }

    /// The configuration of a node.
    pub fn config_file(&self, node_id: u64) -> PathBuf {
        self.folder(node_id).join("agentidp.toml")
    }

    /// What a node that was started by [`Cluster::serve`] says.
    pub fn said(&self, node_id: u64) -> String {
        std::fs::read_to_string(self.own_log(node_id)).unwrap_or_default()
    }

    /// Starts a node by itself, as an operator does.
    pub fn serve(&self, node_id: u64) -> Process {
        let config = self.config_file(node_id).display().to_string();
        let mut command = self.command(&["serve", "--config", &config]);
        Process::start(&mut command, &self.own_log(node_id)).0
    }

    /// The program, told of the store but not where to listen.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command.env_remove("AGENTIDP_CLUSTER__LISTEN");
        command
    }

    /// Asks a node's operator listener by `agentidp cluster`; returns what was printed. While a new leader is elected, it is
    /// asked again, as the answer says.
    pub fn cluster_command(&self, node_id: u64, arguments: &[&str]) -> String {
        let url = self.operator_url_of(node_id);
        let access = ["--operator", &url, "--operator-token-file", self.operator_token_file()];
        let words = [&["cluster"], arguments, &access[..]].concat();
        let end = Instant::now() + DEADLINE;
        loop {
            let output = self.command(&words).output().expect("the program runs");
            if output.status.success() {
                return String::from_utf8(output.stdout).expect("text");
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                said.contains("try again") && Instant::now() < end,
                "{arguments:?}: {said}"
            );
        }
    }

    /// Lets a node join that node `seed` invites, with the configuration that it has.
    pub fn join(&self, seed: u64, node_id: u64) {
        let output = self.try_to_join(seed, node_id, &self.invite(seed, node_id));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Has node `seed` invite a node; returns the file with the invitation.
    pub fn invite(&self, seed: u64, node_id: u64) -> PathBuf {
        let invited = self.cluster_command(seed, &["invite", "--json"]);
        let invited: Value = serde_json::from_str(&invited).expect("JSON");
        let file = self.folder(node_id).join("invite");
        std::fs::write(&file, invited["invite"].as_str().expect("a text")).expect("writable");
        file
    }

    /// Runs `agentidp cluster join` for a node.
    pub fn try_to_join(&self, seed: u64, node_id: u64, invite: &Path) -> Output {
        let (config, seed) = (self.config_file(node_id), self.operator_url_of(seed));
        let words = [
            "cluster",
            "join",
            "--config",
            &config.display().to_string(),
            "--seed",
            &seed,
        ];
        let file = invite.display().to_string();
        let output = self.command(&[&words[..], &["--invite-file", &file]].concat()).output();
        output.expect("the program runs")
    }

    /// Makes a folder, a certificate and a configuration for one more node.
    pub fn prepare(&self, node_id: u64) {
        let certificates = self.place.data_dir().join("certs").display().to_string();
        let words = [
            "cluster",
            "certs",
            "--out",
            &certificates,
            "--nodes",
            &node_id.to_string(),
        ];
        let output = self.command(&words).output().expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::create_dir(self.folder(node_id)).expect("a new folder");
        let text = std::fs::read_to_string(self.config_file(3)).expect("a configuration");
        let mut config: toml::Table = text.parse().expect("TOML");
        let set = |config: &mut toml::Table, section: &str, key: &str, value: String| {
            let section = config[section].as_table_mut().expect("a section");
            section.insert(key.to_owned(), toml::Value::String(value));
        };
        set(&mut config, "server", "listen", ports::free().to_string());
        set(&mut config, "server", "operator_listen", ports::free().to_string());
        set(&mut config, "cluster", "listen", ports::free().to_string());
        set(
            &mut config,
            "cluster",
            "data_dir",
            self.folder(node_id).display().to_string(),
        );
        let cluster = config["cluster"].as_table_mut().expect("a section");
        let number = i64::try_from(node_id).expect("a small number");
        cluster.insert("node_id".to_owned(), toml::Value::Integer(number));
        let tls = cluster["tls"].as_table_mut().expect("a section");
        for (key, ending) in [("cert", "pem"), ("key", "key")] {
            let file = format!("{certificates}/node-{node_id}.{ending}");
            tls.insert(key.to_owned(), toml::Value::String(file));
        }
        std::fs::write(self.config_file(node_id), config.to_string()).expect("writable");
    }

    /// The listener for agents of a node that was prepared.
    pub fn api_of(&self, node_id: u64) -> Api {
        Api::at(&self.configured(node_id, "listen"))
    }

    fn operator_url_of(&self, node_id: u64) -> String {
        self.configured(node_id, "operator_listen")
    }

    fn configured(&self, node_id: u64, key: &str) -> String {
        let text = std::fs::read_to_string(self.config_file(node_id)).expect("a configuration");
        let config: toml::Table = text.parse().expect("TOML");
        let address = config["server"][key].as_str().expect("an address");
        format!("http://{address}")
    }

    fn own_log(&self, node_id: u64) -> PathBuf {
        self.place.scratch.path(format!("node-{node_id}.log"))
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
