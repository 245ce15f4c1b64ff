//! A cluster's own certificate authority.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::UnixTime;
use rustls::server::danger::ClientCertVerifier as _;
use zeroize::Zeroizing;

use super::chain::{Trusted, certificates};
use super::operator_trust::operator_name;
use super::{NodeName, OperatorTrust, PrivateKeyPem, Validity};
use crate::error::ClusterError;

/// Signs the certificates of one cluster's nodes. Has no `Debug`.
pub struct CertificateAuthority {
    cluster_name: String,
    key: Zeroizing<KeyPair>,
    certificate_pem: String,
}

/// A certificate of a node or an operator, and its key.
pub struct NodeCertificate {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// Its private key.
    pub key_pem: PrivateKeyPem,
}

impl CertificateAuthority {
    /// Makes an authority for the cluster of this name, see [`NodeName`]. Nodes trust it until it is taken from their
    /// files: as with all trust anchors, they don't look at the validity of its own certificate.
    pub fn new(cluster_name: &str, validity: Validity) -> Result<Self, ClusterError> {
        NodeName::new(0, cluster_name)?;
        let key = Zeroizing::new(KeyPair::generate().map_err(failed)?);
        let mut params = authority_params(cluster_name);
        validity.write_to(&mut params)?;
        let certificate_pem = params.self_signed(&*key).map_err(failed)?.pem();
        Ok(Self {
            cluster_name: cluster_name.to_owned(),
            key,
            certificate_pem,
        })
    }

    /// An authority that was made by [`CertificateAuthority::new`], from its certificate and key.
    pub fn load(cluster_name: &str, certificate_pem: &str, key_pem: &str) -> Result<Self, ClusterError> {
        NodeName::new(0, cluster_name)?;
        certificates(certificate_pem.as_bytes()).map_err(ClusterError::Certificate)?;
        // Whether the certificate belongs to the key and to the name shows when something is issued.
        Ok(Self {
            cluster_name: cluster_name.to_owned(),
            key: Zeroizing::new(KeyPair::from_pem(key_pem).map_err(failed)?),
            certificate_pem: certificate_pem.to_owned(),
        })
    }

    /// The authority's certificate, PEM: what every node trusts.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The authority's private key. Whoever has it can be any node.
    pub fn key_pem(&self) -> PrivateKeyPem {
        PrivateKeyPem::of(&self.key)
    }

    /// Makes a certificate for a node. `extra_names` are further DNS names or IP addresses that it is to carry, for those
    /// who call the node by them; nodes don't look at them. None may be an operator's.
    pub fn issue(
        &self,
        node_id: u64,
        extra_names: &[String],
        validity: Validity,
    ) -> Result<NodeCertificate, ClusterError> {
        let name = NodeName::new(node_id, &self.cluster_name)?;
        let operator = operator_name(&self.cluster_name)?;
        if extra_names
            .iter()
            .any(|extra| extra.eq_ignore_ascii_case(operator.as_ref()))
        {
            let reason = format!("{} is the name of operators; a node can't have it", operator.as_ref());
            return Err(ClusterError::Certificate(reason));
        }
        let names: Vec<String> = std::iter::once(name.to_string())
            .chain(extra_names.iter().cloned())
            .collect();
        let usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let issued = self.sign(names, usages, validity)?;
        self.check(&issued.certificate_pem, &name, validity)?;
        Ok(issued)
    }

    /// Makes a certificate for an operator: with it the operator listeners of all nodes let in whoever has its key.
    pub fn issue_operator(&self, validity: Validity) -> Result<NodeCertificate, ClusterError> {
        let name = operator_name(&self.cluster_name)?.as_ref().to_owned();
        let issued = self.sign(vec![name], vec![ExtendedKeyUsagePurpose::ClientAuth], validity)?;
        let trust = OperatorTrust::from_pem(self.certificate_pem.as_bytes(), &self.cluster_name)?;
        let chain = certificates(issued.certificate_pem.as_bytes()).map_err(ClusterError::Certificate)?;
        accepted(validity, |now| {
            let verified = trust.verify_client_cert(&chain[0], &chain[1..], now);
            verified.map(drop).map_err(|error| error.to_string())
        })?;
        Ok(issued)
    }

    fn sign(
        &self,
        names: Vec<String>,
        usages: Vec<ExtendedKeyUsagePurpose>,
        validity: Validity,
    ) -> Result<NodeCertificate, ClusterError> {
        let own_name = names.first().cloned().unwrap_or_default();
        let mut params = CertificateParams::new(names).map_err(failed)?;
        validity.write_to(&mut params)?;
        params.distinguished_name = common_name(own_name);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usages;
        let key = Zeroizing::new(KeyPair::generate().map_err(failed)?);
        let own_params = authority_params(&self.cluster_name);
        let issuer = Issuer::from_params(&own_params, &*self.key);
        Ok(NodeCertificate {
            certificate_pem: params.signed_by(&*key, &issuer).map_err(failed)?.pem(),
            key_pem: PrivateKeyPem::of(&key),
        })
    }

    fn check(&self, certificate_pem: &str, name: &NodeName, validity: Validity) -> Result<(), ClusterError> {
        let trusted = Trusted::from_pem(self.certificate_pem.as_bytes()).map_err(ClusterError::Certificate)?;
        let chain = certificates(certificate_pem.as_bytes()).map_err(ClusterError::Certificate)?;
        accepted(validity, |now| trusted.verify(&chain, name, now))
    }
}

/// What is handed out must be accepted, from its first moment to its last.
fn accepted(validity: Validity, verify: impl Fn(UnixTime) -> Result<(), String>) -> Result<(), ClusterError> {
    for moment in [validity.not_before, validity.not_after] {
        let at = std::time::Duration::from_secs(moment.as_seconds().unsigned_abs());
        verify(UnixTime::since_unix_epoch(at)).map_err(|reason| {
            ClusterError::Certificate(format!(
                "the authority's certificate does not belong to its key or to the cluster's name ({reason})"
            ))
        })?;
    }
    Ok(())
}

fn authority_params(cluster_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(format!("{cluster_name} cluster authority"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    params
}

fn common_name(name: String) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn failed(error: rcgen::Error) -> ClusterError {
    ClusterError::Certificate(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::Timestamp;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn days(days: u64) -> Validity {
        Validity::starting(NOW, Duration::from_secs(days * 86_400))
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000 + seconds))
    }

    #[test]
    fn a_node_is_known_by_its_name_while_its_certificate_is_valid() {
        let authority = CertificateAuthority::new("prod", days(10)).unwrap();
        let issued = authority
            .issue(3, &["db.example".to_owned(), "10.0.0.1".to_owned()], days(2))
            .unwrap();
        let chain = certificates(issued.certificate_pem.as_bytes()).unwrap();
        let trusted = Trusted::from_pem(authority.certificate_pem().as_bytes()).unwrap();
        let name = |node_id, cluster| NodeName::new(node_id, cluster).unwrap();
        assert_eq!(trusted.verify(&chain, &name(3, "prod"), at(0)), Ok(()));
        for (wrong, moment) in [
            (name(2, "prod"), at(0)),
            (name(3, "dev"), at(0)),
            (name(3, "prod"), at(2 * 86_400 + 1)),
        ] {
            assert!(trusted.verify(&chain, &wrong, moment).is_err(), "{wrong}");
        }
        let other = CertificateAuthority::new("prod", days(10)).unwrap();
        let stranger = Trusted::from_pem(other.certificate_pem().as_bytes()).unwrap();
        assert!(stranger.verify(&chain, &name(3, "prod"), at(0)).is_err());
        let both = [authority.certificate_pem(), other.certificate_pem()].concat();
        let both = Trusted::from_pem(both.as_bytes()).unwrap();
        assert_eq!(both.verify(&chain, &name(3, "prod"), at(0)), Ok(()));
    }

    #[test]
    fn an_authority_comes_back_from_its_files_and_only_whole() {
        let made = CertificateAuthority::new("prod", days(10)).unwrap();
        let other = CertificateAuthority::new("prod", days(10)).unwrap();
        let load = |name: &str, key: &CertificateAuthority| {
            CertificateAuthority::load(name, made.certificate_pem(), key.key_pem().expose()).unwrap()
        };
        assert!(load("prod", &made).issue(1, &[], days(1)).is_ok());
        for wrong in [load("prod", &other), load("dev", &made)] {
            assert!(matches!(
                wrong.issue(1, &[], days(1)),
                Err(ClusterError::Certificate(_))
            ));
        }
        assert!(CertificateAuthority::load("prod", "", made.key_pem().expose()).is_err());
        assert!(CertificateAuthority::load("prod", made.certificate_pem(), "").is_err());
    }

    #[test]
    fn what_nobody_would_accept_is_not_made() {
        let authority = CertificateAuthority::new("prod", days(10)).unwrap();
        let backwards = Validity {
            not_before: NOW,
            not_after: NOW,
        };
        let forever = Validity {
            not_before: NOW,
            not_after: Timestamp::from_seconds(i64::MAX / 1_000),
        };
        for validity in [backwards, forever] {
            assert!(authority.issue(1, &[], validity).is_err(), "{validity:?}");
        }
        assert!(CertificateAuthority::new("no name", days(1)).is_err());
        assert!(authority.issue(1, &["not a name\u{e4}".to_owned()], days(1)).is_err());
    }
}
