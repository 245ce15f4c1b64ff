//! `agentidp dev`: a working node with one command and nothing else installed.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::Path;

use clap::Args;
use cluster::Founding;
use serde_json::json;

use super::dev_cluster::{self, Wanted};
use super::output::{self, CommandError};
use super::reload::Reload;
use super::serve::until_stopped;
use super::server_options::Overrides;
use super::signals::{Hangup, Signals};
use crate::app::{
    AdminSecret, Foundation, Installation, ListenerTls, Listeners, Machine, MasterKeyPolicy, Running, StartError,
};
use crate::config::{Environment, ServerConfig, StoreLocation};

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
        return Box::pin(dev_cluster::run(Wanted { nodes, json, overrides }, environment)).await;
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
    let tls = ListenerTls::open(&config).map_err(StartError::from)?;
    let listeners = Listeners::bind(&config.server).await?;
    let foundation = Foundation::open(config.clone(), Machine::real(), master_key, Founding::Alone).await?;
    let installation = foundation.bootstrap(admin_secret).await?;
    let running = Running::start(foundation, listeners, tls).await?;
    warn_if_exposed(&config.server);
    let data_dir = std::path::absolute(&config.cluster.data_dir)?;
    let started = Started {
        running: &running,
        installation: &installation,
        store: store(&config.store.location, &data_dir, environment),
        data_dir: data_dir.display().to_string(),
    };
    output::line(&if options.json {
        started.as_json()
    } else {
        started.as_page()
    })?;
    Box::pin(until_stopped(running, &mut signals, &reload)).await
}

/// Other machines must not send their secrets here unencrypted without anybody knowing it.
pub fn warn_if_exposed(server: &ServerConfig) {
    if server.tls.is_none() && !server.listen.ip().is_loopback() {
        tracing::warn!(
            listen = %server.listen,
            "this can be reached from the network with the defaults of development, without TLS: secrets and tokens can be \
             read on the way; listen on 127.0.0.1, or set server.tls and server.public_url"
        );
    }
}

/// Which store it is and who said so: a variable that was set for another program must not go unnoticed.
pub fn store(location: &StoreLocation, data_dir: &Path, environment: &Environment) -> String {
    let mut keys = ["store.url", "store.url_file"].into_iter();
    let origin = match keys.find_map(|key| environment.variable_of(key)) {
        Some(variable) => format!("from {variable} in the environment"),
        None => "the default".to_owned(),
    };
    format!("{} ({origin})", location.describe(data_dir))
}

struct Started<'a> {
    running: &'a Running,
    installation: &'a Installation,
    store: String,
    data_dir: String,
}

impl Started<'_> {
    fn as_json(&self) -> String {
        let admin = &self.installation.admin;
        json!({
            "issuer": self.running.issuer,
            "operatorUrl": self.running.operator_url(),
            "clientId": admin.client_id,
            "clientSecret": admin.client_secret.as_ref().map(domain::Secret::expose),
            "organizationId": self.installation.organization_id,
            "dataDir": self.data_dir,
            "pid": std::process::id(),
        })
        .to_string()
    }

    fn as_page(&self) -> String {
        let place = format!(
            "AgentIdP {} is ready.\n\n  issuer     {}\n  operators  {}\n  data       {}\n  store      {}\n",
            env!("CARGO_PKG_VERSION"),
            self.running.issuer,
            self.running.operator_url(),
            self.data_dir,
            self.store
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
        let with_consent = if is_plain_elsewhere(issuer) {
            " (each with --allow-plain-http)"
        } else {
            ""
        };
        format!(
            r#"
The administrator's credentials, shown this once:

  client id      {id}
  client secret  {secret}

Try it; paste these lines into another terminal:

  TOKEN=$(curl -s -u '{id}:{secret}' -d grant_type=client_credentials -d 'scope=agents:read agents:write audit:read' {issuer}/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s -w '\n' -u '{id}:{secret}' -d "token=$TOKEN" {issuer}/oauth2/introspect
  curl -s -w '\n' -H "Authorization: Bearer $TOKEN" {issuer}/api/v1/agents

For the commands of agentidp in that terminal{with_consent}:

  export AGENTIDP_CLIENT_ID={id} AGENTIDP_CLIENT_SECRET={secret} AGENTIDP_SERVER={issuer}

Ctrl-C stops the node; everything is kept.
"#
        )
    }
}

/// Whether our commands would refuse to send a secret there unless they are told to.
fn is_plain_elsewhere(issuer: &str) -> bool {
    let host = issuer.strip_prefix("http://").map(|rest| rest.parse::<SocketAddr>());
    host.is_some_and(|address| !address.is_ok_and(|address| address.ip().is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_issuer_elsewhere_needs_consent() {
        for (issuer, needs) in [
            ("http://127.0.0.1:3000", false),
            ("http://[::1]:3000", false),
            ("http://10.0.0.1:3000", true),
            ("http://idp.example", true),
            ("https://idp.example", false),
        ] {
            assert_eq!(is_plain_elsewhere(issuer), needs, "{issuer}");
        }
    }

    #[test]
    fn a_variable_that_names_another_store_is_named_and_its_password_is_not() {
        let location = StoreLocation::Postgres(domain::Secret::new("postgres://u:hunter2@db/idp"));
        let environment = Environment::of(&[("DATABASE_URL", "postgres://u:hunter2@db/idp")]);
        assert_eq!(
            store(&location, Path::new("/d"), &environment),
            "postgres://db/idp (from DATABASE_URL in the environment)"
        );
        assert_eq!(
            store(&StoreLocation::Embedded(None), Path::new("/d"), &Environment::default()),
            "embedded:/d/agentidp.db (the default)"
        );
    }
}
