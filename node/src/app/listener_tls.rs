//! The certificates of both listeners. They are read before anything is made: a file that can't be used would otherwise
//! swallow the secret that is shown once.

use super::certificate_watch::CertificateWatch;
use crate::config::Config;
use crate::http::certificates::{OperatorAuthorities, PemPaths, TlsError};

/// What looks after the certificates of the listeners, where they are to have any.
#[derive(Clone)]
pub struct ListenerTls {
    /// Of the one that agents call.
    pub agents: Option<CertificateWatch>,
    /// Of the one that operators call.
    pub operators: Option<CertificateWatch>,
}

impl ListenerTls {
    /// Takes what the files hold now.
    pub fn open(config: &Config) -> Result<Self, TlsError> {
        Ok(Self {
            agents: Self::of_agents(config).map(CertificateWatch::open).transpose()?,
            operators: Self::of_operators(config).map(CertificateWatch::open).transpose()?,
        })
    }

    /// The files of the listener that agents call.
    pub fn of_agents(config: &Config) -> Option<PemPaths> {
        let (cert, key) = config.server.tls.clone()?;
        Some(PemPaths {
            cert,
            key,
            operators: None,
        })
    }

    /// The files of the listener that operators call.
    pub fn of_operators(config: &Config) -> Option<PemPaths> {
        let tls = config.server.operator_tls.clone()?;
        let cluster_name = config.cluster.name.clone();
        Some(PemPaths {
            cert: tls.cert,
            key: tls.key,
            operators: tls.ca.map(|ca| OperatorAuthorities { ca, cluster_name }),
        })
    }

    /// Those that there are.
    pub fn watches(&self) -> impl Iterator<Item = &CertificateWatch> {
        self.agents.iter().chain(&self.operators)
    }
}
