//! `agentidp init`: makes an installation, without serving it.

use clap::Args;
use cluster::Founding;
use serde_json::json;

use super::output::{self, CommandError};
use super::server_options::{ConfigFile, Overrides, load};
use crate::app::{AdminSecret, Foundation, Machine, MasterKeyPolicy};
use crate::config::Environment;
use crate::telemetry::init_logging;

/// Options of `init`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    overrides: Overrides,
    /// Print one line of JSON instead of a page for people.
    #[arg(long)]
    json: bool,
    /// Replace the administrator's secret and print the new one: the way back in when it was lost.
    #[arg(long)]
    new_admin_secret: bool,
}

/// Makes what is missing; prints the administrator's secret if it was made now.
pub async fn run(options: Options, environment: &Environment) -> Result<(), CommandError> {
    let file = options.file.config.as_ref();
    let with_file = file.map_or_else(String::new, |path| format!(" --config {}", path.display()));
    let (config, _) = load(options.file.config.as_ref(), environment, &options.overrides)?;
    init_logging(&config.telemetry);
    // Where nothing is installed there is no secret to replace: then nothing is made, not even a master key.
    let (admin_secret, master_key) = if options.new_admin_secret {
        (AdminSecret::Replace, MasterKeyPolicy::Require)
    } else {
        (AdminSecret::IfNone, MasterKeyPolicy::CreateIfMissing)
    };
    let foundation = Foundation::open(config, Machine::real(), master_key, Founding::Alone).await?;
    let installed = foundation.bootstrap(admin_secret).await;
    let closed = foundation.close().await;
    let installation = installed?;
    closed?;
    let (admin, organization) = (&installation.admin, installation.organization_id);
    let secret = admin.client_secret.as_ref().map(domain::Secret::expose);
    output::line(&if options.json {
        json!({ "clientId": admin.client_id, "clientSecret": secret, "organizationId": organization }).to_string()
    } else {
        page(&admin.client_id.to_string(), secret, &with_file)
    })?;
    Ok(())
}

fn page(client_id: &str, secret: Option<&str>, with_file: &str) -> String {
    match secret {
        Some(secret) => format!(
            "The installation stands. The administrator's credentials, shown this once:\n\n  client id      {client_id}\n  client secret  {secret}\n\n\
             Keep a copy of the master key apart from the backups of the store.\nNext: agentidp serve{with_file}\n"
        ),
        None => format!(
            "The installation stood already. The administrator's client id is {client_id}.\n\
             If its secret is lost: agentidp init{with_file} --new-admin-secret\n"
        ),
    }
}
