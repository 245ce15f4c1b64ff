//! How operators reach a node: the address of its operator listener, and their token from a file or the environment,
//! never from an argument.

use std::path::PathBuf;

use clap::Args;
use sdk::{Client, Cluster, Secret};

use crate::cli::output::CommandError;
use crate::config::Environment;

/// Where a node's operator listener is, and where the token.
#[derive(Args, Clone, Debug)]
pub struct OperatorAccess {
    /// The operator listener of any member.
    #[arg(
        long,
        value_name = "URL",
        env = "AGENTIDP_OPERATOR",
        default_value = "http://127.0.0.1:3900",
        global = true
    )]
    operator: String,
    /// The file that holds the operators' token: operator.token in a node's data directory. The environment variable
    /// AGENTIDP_OPERATOR_TOKEN may hold the token itself.
    #[arg(long, value_name = "FILE", env = "AGENTIDP_OPERATOR_TOKEN_FILE", global = true)]
    operator_token_file: Option<PathBuf>,
}

/// A way to a node's operator listener.
pub struct Operator {
    client: Client,
    token: Secret,
}

/// The token in a data directory that lies where `agentidp dev` makes it.
const DEFAULT_TOKEN_FILE: &str = "agentidp-data/operator.token";

impl OperatorAccess {
    /// Finds the token.
    pub fn open(&self, environment: &Environment) -> Result<Operator, CommandError> {
        let token = match (&self.operator_token_file, environment.get("AGENTIDP_OPERATOR_TOKEN")) {
            (Some(path), _) => read(path)?,
            (None, Some(token)) => token.to_owned(),
            (None, None) => read(&PathBuf::from(DEFAULT_TOKEN_FILE))?,
        };
        Ok(Operator {
            client: client(&self.operator)?,
            token: Secret::new(token.trim()),
        })
    }
}

impl Operator {
    /// The members, in the operator's name.
    pub fn cluster(&self) -> Cluster<'_> {
        self.client.cluster(&self.token)
    }

    /// The address of the listener.
    pub fn url(&self) -> &str {
        self.client.issuer()
    }
}

/// A client of an operator listener.
pub fn client(url: &str) -> Result<Client, CommandError> {
    Ok(Client::builder(url).build()?)
}

/// A secret's file, whole.
pub fn read(path: &PathBuf) -> Result<String, CommandError> {
    std::fs::read_to_string(path).map_err(|source| CommandError::Unreadable {
        path: path.clone(),
        source,
    })
}
