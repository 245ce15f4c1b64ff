//! By what certificate an operator is known.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, DnsName, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme,
};

use super::chain::certificates;
use crate::error::ClusterError;

/// The name in an operator's certificate: `operator.<cluster name>`. No node has it, so nobody can be a node with an
/// operator's certificate, nor an operator with a node's.
pub(super) fn operator_name(cluster_name: &str) -> Result<DnsName<'static>, ClusterError> {
    let refused = || ClusterError::ClusterName {
        name: cluster_name.to_owned(),
    };
    if cluster_name.is_empty() || cluster_name.ends_with('.') {
        return Err(refused());
    }
    DnsName::try_from(format!("operator.{cluster_name}")).map_err(|_| refused())
}

/// Lets in whoever shows an operator's certificate of one cluster, and whoever shows none: that one must show something
/// else. Whoever shows another certificate is turned away.
pub struct OperatorTrust {
    clients: Arc<dyn ClientCertVerifier>,
    name: ServerName<'static>,
}

impl OperatorTrust {
    /// By the certificates of one or more authorities, PEM; while one replaces another, both are trusted.
    pub fn from_pem(authorities: &[u8], cluster_name: &str) -> Result<Self, ClusterError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(authorities).map_err(ClusterError::Certificate)? {
            roots.add(certificate).map_err(unusable)?;
        }
        let builder = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::new(default_provider()));
        Ok(Self {
            clients: builder.allow_unauthenticated().build().map_err(unusable)?,
            name: ServerName::DnsName(operator_name(cluster_name)?),
        })
    }
}

fn unusable(error: impl fmt::Display) -> ClusterError {
    ClusterError::Certificate(error.to_string())
}

impl ClientCertVerifier for OperatorTrust {
    fn client_auth_mandatory(&self) -> bool {
        self.clients.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.clients.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.clients.verify_client_cert(own, others, now)?;
        verify_server_name(&ParsedCertificate::try_from(own)?, &self.name)
            .map_err(|_| CertificateError::Other(OtherError(Arc::new(NoOperator))))?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.clients.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.clients.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.clients.supported_verify_schemes()
    }
}

impl fmt::Debug for OperatorTrust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("OperatorTrust").field(&self.name).finish()
    }
}

/// The certificate is the cluster's, but not an operator's.
#[derive(Debug, thiserror::Error)]
#[error("the certificate is not an operator's; agentidp cluster certs --operator makes one")]
struct NoOperator;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::Timestamp;

    use super::*;
    use crate::certs::{CertificateAuthority, Validity};

    fn days(days: u64) -> Validity {
        Validity::starting(
            Timestamp::from_seconds(1_800_000_000),
            Duration::from_secs(days * 86_400),
        )
    }

    fn lets_in(trust: &OperatorTrust, pem: &str, seconds: u64) -> bool {
        let chain = certificates(pem.as_bytes()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000 + seconds));
        trust.verify_client_cert(&chain[0], &chain[1..], now).is_ok()
    }

    #[test]
    fn an_operators_certificate_of_this_cluster_is_let_in_and_no_other() {
        let authority = CertificateAuthority::new("prod", days(10)).unwrap();
        let trust = OperatorTrust::from_pem(authority.certificate_pem().as_bytes(), "prod").unwrap();
        let operator = authority.issue_operator(days(2)).unwrap().certificate_pem;
        assert!(lets_in(&trust, &operator, 0));
        assert!(!lets_in(&trust, &operator, 3 * 86_400), "it has expired");
        let node = authority
            .issue(1, &["operator.prod.example".to_owned()], days(2))
            .unwrap();
        assert!(!lets_in(&trust, &node.certificate_pem, 0), "a node is no operator");
        let stranger = CertificateAuthority::new("prod", days(10)).unwrap();
        assert!(!lets_in(
            &trust,
            &stranger.issue_operator(days(2)).unwrap().certificate_pem,
            0
        ));
        let elsewhere = OperatorTrust::from_pem(authority.certificate_pem().as_bytes(), "dev").unwrap();
        assert!(
            !lets_in(&elsewhere, &operator, 0),
            "another cluster of the same authority"
        );
    }

    #[test]
    fn a_node_can_not_be_named_like_an_operator() {
        let authority = CertificateAuthority::new("prod", days(10)).unwrap();
        let refused = authority.issue(1, &["operator.prod".to_owned()], days(2));
        assert!(matches!(refused, Err(ClusterError::Certificate(_))));
    }

    #[test]
    fn what_holds_no_authority_is_refused() {
        assert!(OperatorTrust::from_pem(b"", "prod").is_err());
        assert!(OperatorTrust::from_pem(b"nonsense", "prod").is_err());
    }
}
