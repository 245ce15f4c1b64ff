//! The certificate that connections are shown: read from two PEM files, and exchanged as a whole while the node serves.
//!
//! A connection keeps the certificate that it began with; only handshakes look here.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{Context, SHA256};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

/// No certificate chain or key is larger, in bytes; more is not read.
const PEM_BYTES_MAX: usize = 256 * 1024;

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

/// Tells apart what the two files held at different times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// What the two files held when they were read.
pub struct PemFiles {
    cert: (PathBuf, Vec<u8>),
    key: (PathBuf, Zeroizing<Vec<u8>>),
}

impl PemFiles {
    /// Reads both.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        Ok(Self {
            cert: (cert.to_owned(), read(cert)?.to_vec()),
            key: (key.to_owned(), read(key)?),
        })
    }

    /// The same for the same contents.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut context = Context::new(&SHA256);
        context.update(&self.cert.1.len().to_le_bytes());
        context.update(&self.cert.1);
        context.update(&self.key.1);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Fingerprint(bytes)
    }

    /// The chain and its key, if they can be read and belong together.
    fn certified(&self) -> Result<CertifiedKey, TlsError> {
        let ((cert, cert_pem), (key, key_pem)) = (&self.cert, &self.key);
        let chain = CertificateDer::pem_slice_iter(cert_pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| TlsError::new(cert, error))?;
        if chain.is_empty() {
            return Err(TlsError::new(cert, "there is no certificate in it"));
        }
        let private = PrivateKeyDer::from_pem_slice(key_pem).map_err(|error| TlsError::new(key, error))?;
        CertifiedKey::from_der(chain, private, &default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::new(cert, format!("it does not belong to the key in {}", key.display()))
            }
            error => TlsError::new(cert, format!("{error} (the key is {})", key.display())),
        })
    }
}

/// Hands out the certificate that is in force.
pub struct Certificates {
    cert: PathBuf,
    key: PathBuf,
    current: ArcSwap<CertifiedKey>,
}

impl Certificates {
    /// Takes what the files hold, and tells what that was.
    pub fn open(cert: PathBuf, key: PathBuf) -> Result<(Self, Fingerprint), TlsError> {
        let files = PemFiles::read(&cert, &key)?;
        let current = ArcSwap::from_pointee(files.certified()?);
        Ok((Self { cert, key, current }, files.fingerprint()))
    }

    /// Reads the files again; puts nothing in force.
    pub fn look(&self) -> Result<PemFiles, TlsError> {
        PemFiles::read(&self.cert, &self.key)
    }

    /// Puts other files in force, or leaves everything as it is.
    pub fn replace(&self, files: &PemFiles) -> Result<(), TlsError> {
        self.current.store(Arc::new(files.certified()?));
        Ok(())
    }

    /// Where the chain is.
    pub fn path(&self) -> &Path {
        &self.cert
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Certificates").field(&self.cert).finish()
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let fail = |error: std::io::Error| TlsError::new(path, error);
    let mut bytes = Zeroizing::new(Vec::with_capacity(PEM_BYTES_MAX + 1));
    let file = File::open(path).map_err(fail)?;
    file.take(PEM_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    if bytes.len() > PEM_BYTES_MAX {
        return Err(TlsError::new(path, "it is too large for a certificate or a key"));
    }
    Ok(bytes)
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
            Certificates::open(self.path("tls.crt"), self.path("tls.key"))
        }
    }

    fn pem() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn shown(certificates: &Certificates) -> Vec<u8> {
        certificates.current.load().cert[0].to_vec()
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
        let huge = "x".repeat(PEM_BYTES_MAX + 1);
        pair.write(&huge, &key);
        let refused = certificates.look().map(|_| ()).expect_err("a limit");
        assert!(refused.to_string().contains("too large"), "{refused}");
    }
}
