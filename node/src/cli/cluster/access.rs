//! How operators reach a node: the address of its operator listener, and their certificate, or their token from a file or
//! the environment, never from an argument.

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
    #[command(flatten)]
    tls: OperatorTls,
}

/// How a node's operator listener is spoken to over TLS.
#[derive(Args, Clone, Debug)]
pub struct OperatorTls {
    /// The certificate of the authority that vouches for the node, in PEM: ca.pem of agentidp cluster certs. Authorities
    /// that this machine trusts need not be named.
    #[arg(long, value_name = "FILE", env = "AGENTIDP_OPERATOR_CA", global = true)]
    ca: Option<PathBuf>,
    /// An operator's certificate, in PEM: whoever has one needs no token.
    #[arg(
        long,
        value_name = "FILE",
        env = "AGENTIDP_OPERATOR_CERT",
        global = true,
        requires = "operator_key"
    )]
    operator_cert: Option<PathBuf>,
    /// Its private key.
    #[arg(
        long,
        value_name = "FILE",
        env = "AGENTIDP_OPERATOR_KEY",
        global = true,
        requires = "operator_cert"
    )]
    operator_key: Option<PathBuf>,
}

/// A way to a node's operator listener.
pub struct Operator {
    client: Client,
    /// Absent where an operator's certificate is shown instead.
    token: Option<Secret>,
}

/// The token in a data directory that lies where `agentidp dev` makes it.
const DEFAULT_TOKEN_FILE: &str = "agentidp-data/operator.token";

impl OperatorTls {
    /// A client of an operator listener.
    pub fn client(&self, url: &str) -> Result<Client, CommandError> {
        let mut builder = Client::builder(url);
        if let Some(ca) = &self.ca {
            builder = builder.trust_certificates(read(ca)?);
        }
        if let (Some(certificate), Some(key)) = (&self.operator_cert, &self.operator_key) {
            builder = builder.client_certificate(read(certificate)?, read(key)?);
        }
        Ok(builder.build()?)
    }

    fn has_certificate(&self) -> bool {
        self.operator_cert.is_some()
    }
}

impl OperatorAccess {
    /// Finds the token, where one is named or there is no certificate to show.
    pub fn open(&self, environment: &Environment) -> Result<Operator, CommandError> {
        let token = match (&self.operator_token_file, environment.get("AGENTIDP_OPERATOR_TOKEN")) {
            (Some(path), _) => Some(read(path)?),
            (None, Some(token)) => Some(token.to_owned()),
            (None, None) if self.tls.has_certificate() => None,
            (None, None) => Some(read(&PathBuf::from(DEFAULT_TOKEN_FILE))?),
        };
        Ok(Operator {
            client: self.tls.client(&self.operator)?,
            token: token.map(|token| Secret::new(token.trim())),
        })
    }
}

impl Operator {
    /// The members, in the operator's name.
    pub fn cluster(&self) -> Cluster<'_> {
        match &self.token {
            Some(token) => self.client.cluster(token),
            None => self.client.cluster_by_certificate(),
        }
    }

    /// The address of the listener.
    pub fn url(&self) -> &str {
        self.client.issuer()
    }
}

/// A secret's file, whole.
pub fn read(path: &PathBuf) -> Result<String, CommandError> {
    std::fs::read_to_string(path).map_err(|source| CommandError::Unreadable {
        path: path.clone(),
        source,
    })
}
