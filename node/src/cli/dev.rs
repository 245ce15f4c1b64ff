//! `agentidp dev`: a working node with one command and nothing else installed.

use std::io::IsTerminal;

use clap::Args;
use cluster::Founding;
use serde_json::json;

use super::dev_cluster::{self, Wanted};
use super::output::{self, CommandError};
use super::reload::Reload;
use super::serve::until_stopped;
use super::server_options::Overrides;
use super::signals::{Hangup, Signals};
use crate::app::{AdminSecret, Foundation, Installation, Listeners, Machine, MasterKeyPolicy, Running};
use crate::config::{Environment, StoreLocation};

/// Options of `dev`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    overrides: Overrides,
    /// Start a whole cluster of so many nodes, each a process of its own.
    #[arg(long, value_name = "N", conflicts_with = "new_admin_secret")]
    nodes: Option<u16>,
    /// Print one line of JSON instead of a page for people.
    #[arg(long)]
    json: bool,
    /// Replace the administrator's secret and print the new one: the way back in when it was lost.
    #[arg(long)]
    new_admin_secret: bool,
}

/// Makes the installation at the first start, serves it at every start.
pub async fn run(options: Options, environment: &Environment) -> Result<(), CommandError> {
    if let Some(nodes) = options.nodes {
        let (json, overrides) = (options.json, options.overrides);
        return dev_cluster::run(Wanted { nodes, json, overrides }, environment).await;
    }
    let (config, reload) = Reload::first(None, environment, options.overrides)?;
    // A node that was tried out in a terminal should not outlive it and keep the port.
    let hangup = if std::io::stderr().is_terminal() {
        Hangup::Ends
    } else {
        Hangup::Reloads
    };
    let mut signals = Signals::listen(hangup)?;
    // Where nothing is installed there is no secret to replace: then nothing is made, not even a master key.
    let (admin_secret, master_key) = if options.new_admin_secret {
        (AdminSecret::Replace, MasterKeyPolicy::Require)
    } else {
        (AdminSecret::IfNone, MasterKeyPolicy::CreateIfMissing)
    };
    let listeners = Listeners::bind(&config.server).await?;
    let foundation = Foundation::open(config.clone(), Machine::real(), master_key, Founding::Alone).await?;
    let installation = foundation.bootstrap(admin_secret).await?;
    let running = Running::start(foundation, listeners).await?;
    let data_dir = std::path::absolute(&config.cluster.data_dir)?.display().to_string();
    let started = Started {
        running: &running,
        installation: &installation,
        data_dir,
        is_embedded: matches!(config.store.location, StoreLocation::Embedded(_)),
    };
    output::line(&if options.json {
        started.as_json()
    } else {
        started.as_page()
    })?;
    until_stopped(running, &mut signals, &reload).await
}

struct Started<'a> {
    running: &'a Running,
    installation: &'a Installation,
    data_dir: String,
    is_embedded: bool,
}

impl Started<'_> {
    fn as_json(&self) -> String {
        let admin = &self.installation.admin;
        json!({
            "issuer": self.running.issuer,
            "operatorUrl": format!("http://{}", self.running.operator_address),
            "clientId": admin.client_id,
            "clientSecret": admin.client_secret.as_ref().map(domain::Secret::expose),
            "organizationId": self.installation.organization_id,
            "dataDir": self.data_dir,
            "pid": std::process::id(),
        })
        .to_string()
    }

    fn as_page(&self) -> String {
        let store = if self.is_embedded { "embedded" } else { "PostgreSQL" };
        let place = format!(
            "AgentIdP {} is ready.\n\n  issuer     {}\n  operators  http://{}\n  data       {}\n  store      {store}\n",
            env!("CARGO_PKG_VERSION"),
            self.running.issuer,
            self.running.operator_address,
            self.data_dir
        );
        match &self.installation.admin.client_secret {
            Some(secret) => format!("{place}{}", self.first_steps(secret.expose())),
            None => format!(
                "{place}\nThe administrator's client id is {}. Its secret was shown at the first start; if it is lost, start once with\n\
                 --new-admin-secret.\n",
                self.installation.admin.client_id
            ),
        }
    }

    fn first_steps(&self, secret: &str) -> String {
        let (issuer, id) = (&self.running.issuer, self.installation.admin.client_id);
        format!(
            r#"
The administrator's credentials, shown this once:

  client id      {id}
  client secret  {secret}

Try it; paste these lines into another terminal:

  TOKEN=$(curl -s -u '{id}:{secret}' -d grant_type=client_credentials -d 'scope=agents:read agents:write audit:read' {issuer}/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s -w '\n' -u '{id}:{secret}' -d "token=$TOKEN" {issuer}/oauth2/introspect
  curl -s -w '\n' -H "Authorization: Bearer $TOKEN" {issuer}/api/v1/agents

For the commands of agentidp in that terminal:

  export AGENTIDP_CLIENT_ID={id} AGENTIDP_CLIENT_SECRET={secret} AGENTIDP_SERVER={issuer}

Ctrl-C stops the node; everything is kept.
"#
        )
    }
}
