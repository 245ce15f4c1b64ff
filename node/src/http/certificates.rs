//! The certificate that connections are shown: read from PEM files, and exchanged as a whole while the node serves.
//!
//! A connection keeps the certificate that it began with; only handshakes look here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{Context, SHA256};
use cluster::{OperatorTrust, read_pem, warn_if_exposed};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::tls;

/// A certificate or a key that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct TlsError {
    path: String,
    reason: String,
}

impl TlsError {
    /// Tells which file, and what is wrong with it.
    pub fn new(path: &Path, reason: impl fmt::Display) -> Self {
        Self {
            path: path.display().to_string(),
            reason: reason.to_string(),
        }
    }
}

/// Tells apart what the files held at different times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// Where the certificate of a listener is, and what tells its operators, all PEM.
#[derive(Clone)]
pub struct PemPaths {
    /// The certificate chain that whoever connects is shown.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Whose certificates are an operator's, where operators are served and may show one.
    pub operators: Option<OperatorAuthorities>,
}

/// The authorities of a cluster's operators.
#[derive(Clone)]
pub struct OperatorAuthorities {
    /// Their certificates.
    pub ca: PathBuf,
    /// The cluster's name.
    pub cluster_name: String,
}

/// What the files held when they were read.
pub struct PemFiles {
    paths: PemPaths,
    cert: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    ca: Vec<u8>,
}

impl PemFiles {
    /// Reads all.
    pub fn read(paths: &PemPaths) -> Result<Self, TlsError> {
        let ca = paths.operators.as_ref().map(|operators| read(&operators.ca));
        Ok(Self {
            cert: read(&paths.cert)?.to_vec(),
            key: read(&paths.key)?,
            ca: ca.transpose()?.unwrap_or_default().to_vec(),
            paths: paths.clone(),
        })
    }

    /// The same for the same contents.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut context = Context::new(&SHA256);
        for content in [&self.cert, &self.ca] {
            context.update(&content.len().to_le_bytes());
            context.update(content);
        }
        context.update(&self.key);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Fingerprint(bytes)
    }

    fn in_force(&self) -> Result<InForce, TlsError> {
        let certified = self.certified()?;
        Ok(InForce {
            chain: certified.cert.clone(),
            config: tls::server_config(certified, self.trust()?)
                .map_err(|error| TlsError::new(&self.paths.cert, error))?,
        })
    }

    /// The chain and its key, if they can be read and belong together.
    fn certified(&self) -> Result<CertifiedKey, TlsError> {
        let (cert, key) = (&self.paths.cert, &self.paths.key);
        let chain = CertificateDer::pem_slice_iter(&self.cert)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| TlsError::new(cert, error))?;
        if chain.is_empty() {
            return Err(TlsError::new(cert, "there is no certificate in it"));
        }
        let private = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| TlsError::new(key, error))?;
        CertifiedKey::from_der(chain, private, &default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::new(cert, format!("it does not belong to the key in {}", key.display()))
            }
            error => TlsError::new(cert, format!("{error} (the key is {})", key.display())),
        })
    }

    fn trust(&self) -> Result<Option<OperatorTrust>, TlsError> {
        let trust = self.paths.operators.as_ref().map(|operators| {
            OperatorTrust::from_pem(&self.ca, &operators.cluster_name)
                .map_err(|error| TlsError::new(&operators.ca, error))
        });
        trust.transpose()
    }
}

/// What is shown and whom is trusted now.
struct InForce {
    chain: Vec<CertificateDer<'static>>,
    config: Arc<ServerConfig>,
}

/// Hands out the certificate that is in force.
pub struct Certificates {
    paths: PemPaths,
    current: ArcSwap<InForce>,
}

impl Certificates {
    /// Takes what the files hold, and tells what that was.
    pub fn open(paths: PemPaths) -> Result<(Self, Fingerprint), TlsError> {
        let files = PemFiles::read(&paths)?;
        let current = ArcSwap::from_pointee(files.in_force()?);
        warn_if_exposed(&paths.key);
        Ok((Self { paths, current }, files.fingerprint()))
    }

    /// Reads the files again; puts nothing in force.
    pub fn look(&self) -> Result<PemFiles, TlsError> {
        PemFiles::read(&self.paths)
    }

    /// Puts other files in force, or leaves everything as it is.
    pub fn replace(&self, files: &PemFiles) -> Result<(), TlsError> {
        self.current.store(Arc::new(files.in_force()?));
        Ok(())
    }

    /// Where the chain is.
    pub fn path(&self) -> &Path {
        &self.paths.cert
    }

    /// The certificate that is shown now, followed by those between it and its authority.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.current.load().chain.clone()
    }

    /// For one handshake with what is in force now.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load().config.clone())
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    read_pem(path).map_err(|error| TlsError::new(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair {
        folder: tempfile::TempDir,
    }

    impl Pair {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let pair = Self { folder };
            let (cert, key) = pem();
            pair.write(&cert, &key);
            pair
        }

        fn write(&self, cert: &str, key: &str) {
            std::fs::write(self.path("tls.crt"), cert).unwrap();
            std::fs::write(self.path("tls.key"), key).unwrap();
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn open(&self) -> Result<(Certificates, Fingerprint), TlsError> {
            Certificates::open(PemPaths {
                cert: self.path("tls.crt"),
                key: self.path("tls.key"),
                operators: None,
            })
        }
    }

    fn pem() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn shown(certificates: &Certificates) -> Vec<u8> {
        certificates.chain()[0].to_vec()
    }

    #[test]
    fn other_files_are_put_in_force_as_a_whole() {
        let pair = Pair::new();
        let (certificates, first) = pair.open().unwrap();
        let before = shown(&certificates);
        assert_eq!(certificates.look().unwrap().fingerprint(), first);
        let (cert, key) = pem();
        pair.write(&cert, &key);
        let files = certificates.look().unwrap();
        assert_ne!(files.fingerprint(), first);
        assert_eq!(shown(&certificates), before, "looking changes nothing");
        certificates.replace(&files).unwrap();
        assert_ne!(shown(&certificates), before);
    }

    #[test]
    fn what_can_not_be_used_names_its_file_and_changes_nothing() {
        let pair = Pair::new();
        let (certificates, _) = pair.open().unwrap();
        let before = shown(&certificates);
        let ((cert, key), (_, other_key)) = (pem(), pem());
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (cert, key, named) in [
            ("", &*key, "tls.crt"),
            ("no certificate", &*key, "tls.crt"),
            (garbage, &*key, "tls.crt"),
            (&*cert, "", "tls.key"),
            (&*cert, "no key", "tls.key"),
            (&*cert, &*other_key, "tls.key"),
            (&*cert, &*other_key, "tls.crt"),
        ] {
            pair.write(cert, key);
            let refused = certificates.replace(&certificates.look().unwrap()).expect_err(named);
            assert!(refused.to_string().contains(named), "{refused}");
            assert!(!refused.to_string().contains("PRIVATE"), "{refused}");
            assert_eq!(shown(&certificates), before);
        }
        std::fs::remove_file(pair.path("tls.key")).unwrap();
        let gone = certificates.look().map(|_| ()).expect_err("it is gone");
        assert!(gone.to_string().contains("tls.key"), "{gone}");
        let huge = "x".repeat(256 * 1024 + 1);
        pair.write(&huge, &key);
        let refused = certificates.look().map(|_| ()).expect_err("a limit");
        assert!(refused.to_string().contains("too large"), "{refused}");
    }
}
