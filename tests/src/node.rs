//! A node: the real program in a process of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::api::Api;
use crate::backend::Backend;
use crate::client::Client;
use crate::eventually::DEADLINE;
use crate::options::NodeOptions;
use crate::ports;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::session::{Session, agent_body};
use crate::store::Store;

/// Every scope that an administrator of the system organization may have.
pub const ALL_SCOPES: &str =
    "agents:read agents:write tokens:read audit:read webhooks:read webhooks:write admin:orgs openid";

/// The file that a node's output goes to.
const LOG: &str = "node.log";

/// Where a node lives: what stays when its process goes.
pub struct Place {
    options: NodeOptions,
    listen: SocketAddr,
    operator_listen: SocketAddr,
    /// Dropped before the directory that it may lie in.
    pub store: Store,
    /// Holds the data directory and the log.
    pub scratch: Scratch,
}

/// What `dev --json` prints when the node is ready.
#[derive(Clone, Debug)]
pub struct Announcement(pub Value);

/// A node that ended instead of becoming ready.
#[derive(Debug)]
pub struct FailedStart {
    /// How it ended.
    pub status: ExitStatus,
    /// All that it said, on both outputs.
    pub output: String,
}

impl Place {
    /// An empty data directory, a fresh store and two free ports.
    pub async fn fresh(options: NodeOptions) -> Self {
        let scratch = Scratch::new();
        let store = Store::fresh(options.backend, &scratch.path("data")).await;
        Self {
            options,
            listen: ports::free(),
            operator_listen: ports::free(),
            store,
            scratch,
        }
    }

    /// What nodes here are told from the next start on.
    pub fn set(&mut self, key: &str, value: impl ToString) {
        self.options = self.options.clone().set(key, value);
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.scratch.path("data")
    }

    /// Where the node listens.
    pub fn address(&self) -> SocketAddr {
        self.listen
    }

    /// All that nodes said here, on both outputs.
    pub fn log(&self) -> String {
        self.scratch.text(LOG)
    }

    /// The program, told of this place's store.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.options.command(arguments);
        command
            .envs(self.store.environment())
            .env("HOME", self.scratch.path(""))
            .current_dir(self.scratch.path(""));
        command
    }

    /// `agentidp dev` for this place.
    pub fn dev_command(&self) -> Command {
        let (listen, operator) = (self.listen.to_string(), self.operator_listen.to_string());
        let data_dir = self.data_dir().display().to_string();
        self.command(&[
            "dev",
            "--listen",
            &listen,
            "--operator-listen",
            &operator,
            "--data-dir",
            &data_dir,
            "--json",
        ])
    }

    /// Starts a node here and waits until it is ready.
    pub async fn launch(&self) -> Result<(Process, Announcement), FailedStart> {
        self.launch_with(&mut self.dev_command()).await
    }

    /// As [`Place::launch`], with a command that prints a line when it is ready.
    pub async fn launch_with(&self, command: &mut Command) -> Result<(Process, Announcement), FailedStart> {
        self.launch_within(command, DEADLINE).await
    }

    /// As [`Place::launch_with`], with a command that may take longer.
    pub async fn launch_within(
        &self,
        command: &mut Command,
        deadline: Duration,
    ) -> Result<(Process, Announcement), FailedStart> {
        let said_before = self.log().len();
        let (mut process, first_line) = Process::start(command, &self.scratch.path(LOG));
        let line = timeout(deadline, first_line)
            .await
            .expect("a node is ready in time")
            .expect("the reader does not panic");
        match line.as_deref().map(serde_json::from_str::<Value>) {
            Some(Ok(line)) => Ok((process, Announcement(line))),
            _ => {
                let status = process.exit().await;
                let output = self.log().split_off(said_before);
                Err(FailedStart { status, output })
            }
        }
    }
}

impl Announcement {
    /// A member that is a text; panics if it is not.
    #[track_caller]
    pub fn text(&self, member: &str) -> &str {
        self.0[member]
            .as_str()
            .unwrap_or_else(|| panic!("{member} in {}", self.0))
    }
}

/// A node that serves. Killed, and its data removed, when dropped.
pub struct Node {
    // Dropped before the place that it lives in.
    process: Process,
    /// What it printed at its last start.
    pub announcement: Announcement,
    /// The administrator that its first start made.
    pub admin: Client,
    /// Where it lives.
    pub place: Place,
}

impl Node {
    /// Starts one on a fresh store with the usual options.
    pub async fn start(backend: Backend) -> Self {
        NodeOptions::on(backend).start().await
    }

    /// The first node at a place.
    pub async fn first(place: Place) -> Self {
        let (process, announcement) = place
            .launch()
            .await
            .unwrap_or_else(|failed| panic!("the node did not start: {failed:?}"));
        let text = |member| announcement.text(member).to_owned();
        let admin = Client {
            id: text("clientId"),
            secret: text("clientSecret"),
            credential: String::new(),
        };
        Self {
            process,
            admin,
            announcement,
            place,
        }
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        self.announcement.text("issuer")
    }

    /// The listener for agents.
    pub fn api(&self) -> Api {
        Api::at(&format!("http://{}", self.place.address()))
    }

    /// The listener for operators.
    pub fn operator(&self) -> Api {
        Api::at(self.announcement.text("operatorUrl"))
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends the process as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks the process to end, and waits until it has.
    pub async fn stop(&mut self) -> ExitStatus {
        self.process.signal("TERM");
        self.process.exit().await
    }

    /// Starts a new process at the same place.
    pub async fn start_again(&mut self) {
        self.process.kill();
        let started = self.place.launch().await;
        let (process, announcement) =
            started.unwrap_or_else(|failed| panic!("the node did not start again: {failed:?}"));
        self.process = process;
        self.announcement = announcement;
    }

    /// A token for a client; the default scope if `scope` is empty.
    pub async fn token(&self, client: &Client, scope: &str) -> String {
        let request = self.api().post("/oauth2/token").basic(client);
        let body = request.form(&token_form(scope)).send().await.expect(200).json();
        body["access_token"].as_str().expect("an access token").to_owned()
    }

    /// A session of a client with these scopes.
    pub async fn session(&self, client: &Client, scope: &str) -> Session {
        Session::new(self.api(), self.token(client, scope).await)
    }

    /// A session of the administrator with every scope.
    pub async fn admin(&self) -> Session {
        self.session(&self.admin, ALL_SCOPES).await
    }

    /// What introspection says of a token, asked by the administrator.
    pub async fn introspect(&self, token: &str) -> Value {
        self.api()
            .post("/oauth2/introspect")
            .basic(&self.admin)
            .form(&[("token", token)])
            .send()
            .await
            .expect(200)
            .json()
    }

    /// Whether introspection vouches for a token.
    pub async fn is_active(&self, token: &str) -> bool {
        let body = self.introspect(token).await;
        let active = body["active"].as_bool().unwrap_or_else(|| panic!("active in {body}"));
        assert!(
            active || body == json!({ "active": false }),
            "an inactive token says nothing else: {body}"
        );
        active
    }

    /// Whether a token is taken as a bearer.
    pub async fn accepts_bearer(&self, token: &str) -> bool {
        let answer = self.api().get("/agent-info").bearer(token).send().await;
        assert!(matches!(answer.status, 200 | 401), "{answer:?}");
        answer.status == 200
    }

    /// A session that can register an agent at once: for tests that need a working node and no more.
    pub async fn check_it_works(&self) {
        let admin = self.admin().await;
        let _ = admin.post("/api/v1/agents", &agent_body()).send().await.expect(201);
    }
}

/// The parameters of a token request; the default scope if `scope` is empty.
pub fn token_form(scope: &str) -> Vec<(&str, &str)> {
    let grant = ("grant_type", "client_credentials");
    if scope.is_empty() {
        vec![grant]
    } else {
        vec![grant, ("scope", scope)]
    }
}
