//! The way to the server, and who we are there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use sdk::Client;

use super::failure::Failure;
use super::profile::Profile;
use super::secret_source;
use super::vocabulary;
use crate::config::Environment;

/// The server that is asked if none is named: what `agentidp dev` starts.
const SERVER_DEFAULT: &str = "http://127.0.0.1:3000";

/// Options that every client command takes. Flags come before the environment, that before the profile.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionOptions {
    /// The server's address [default: http://127.0.0.1:3000].
    #[arg(long, global = true, env = "AGENTIDP_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// Who you are: the client id, which is also the agent's id.
    #[arg(long, global = true, env = "AGENTIDP_CLIENT_ID", value_name = "ID")]
    pub client_id: Option<String>,
    /// A file that holds the client secret. Without it, AGENTIDP_CLIENT_SECRET is used, or you are asked.
    #[arg(long, global = true, env = "AGENTIDP_CLIENT_SECRET_FILE", value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// A section of ~/.config/agentidp/profiles.toml (or AGENTIDP_PROFILES) with server, client_id, client_secret_file and
    /// ca_file.
    #[arg(long, global = true, env = "AGENTIDP_PROFILE", value_name = "NAME")]
    pub profile: Option<String>,
    /// Certificates of a private authority to trust, in PEM.
    #[arg(long, global = true, env = "AGENTIDP_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Send secrets and tokens over plain http to another machine.
    #[arg(long, global = true)]
    pub allow_plain_http: bool,
    /// How long one try may take: a number with a unit, such as 500ms, 30s or 2m.
    #[arg(long, global = true, value_name = "DURATION", default_value = "30s", value_parser = vocabulary::duration)]
    pub timeout: Duration,
}

impl ConnectionOptions {
    /// A client, and the server's address. Asks for the secret if it has to.
    pub fn connect(self, environment: &Environment) -> Result<(Client, String), Failure> {
        let profile = Profile::load(self.profile.as_deref(), environment)?;
        let server = self
            .server
            .or(profile.server)
            .unwrap_or_else(|| SERVER_DEFAULT.to_owned());
        let client_id = self.client_id.or(profile.client_id).ok_or(Failure::NoClientId)?;
        let mut builder = Client::builder(&server)
            .user_agent(concat!("agentidp-cli/", env!("CARGO_PKG_VERSION")))
            .timeout(self.timeout)
            .connect_timeout(self.timeout.min(Duration::from_secs(5)));
        if let Some(path) = self.ca_file.or(profile.ca_file) {
            builder = builder.trust_certificates(read(&path)?);
        }
        if self.allow_plain_http {
            builder = builder.allow_plain_http();
        }
        let secret = secret_source::client_secret(
            self.client_secret_file.as_deref(),
            environment,
            profile.client_secret_file.as_ref(),
        )?;
        let client = builder
            .credentials(client_id, secret)
            .build()
            .map_err(|error| Failure::from(error).at(&server))?;
        Ok((client, server))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|source| Failure::Unreadable {
        path: path.display().to_string(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        Environment::of(&[(secret_source::VARIABLE, "sk_live_x")])
    }

    fn options() -> ConnectionOptions {
        let client_id = Some("01993c4e-5d6f-7a8b-9c0d-1e2f3a4b5c6d".to_owned());
        ConnectionOptions {
            client_id,
            timeout: Duration::from_secs(1),
            ..ConnectionOptions::default()
        }
    }

    #[test]
    fn without_a_server_it_is_the_one_of_dev() {
        let (client, server) = options().connect(&environment()).expect("enough is known");
        assert_eq!((client.issuer(), server.as_str()), (SERVER_DEFAULT, SERVER_DEFAULT));
    }

    #[test]
    fn what_is_missing_is_named() {
        let anonymous = ConnectionOptions {
            client_id: None,
            ..options()
        };
        assert!(matches!(
            anonymous.connect(&environment()).err(),
            Some(Failure::NoClientId)
        ));
    }

    #[test]
    fn a_secret_is_not_sent_in_the_clear_by_accident() {
        let over_http = || ConnectionOptions {
            server: Some("http://idp.example".to_owned()),
            ..options()
        };
        let failure = over_http().connect(&environment()).expect_err("refused");
        let hint = failure.complaint().hint.unwrap_or_default();
        assert!(hint.contains("--allow-plain-http"), "{failure}");
        assert!(
            ConnectionOptions {
                allow_plain_http: true,
                ..over_http()
            }
            .connect(&environment())
            .is_ok()
        );
    }

    #[test]
    fn a_profile_gives_what_neither_flag_nor_environment_did() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "[p]\nserver = \"https://p.example\"\nclient_id = \"p\"\n").expect("writable");
        let path = file.path().display().to_string();
        let environment = Environment::of(&[(secret_source::VARIABLE, "s"), ("AGENTIDP_PROFILES", &path)]);
        let named = ConnectionOptions {
            profile: Some("p".to_owned()),
            ..options()
        };
        let (client, server) = named.connect(&environment).expect("enough is known");
        assert_eq!(server, "https://p.example");
        assert_eq!(
            client.client_id(),
            options().client_id.as_deref(),
            "a flag comes before the profile"
        );
    }
}
