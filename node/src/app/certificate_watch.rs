//! Puts a certificate in force when its files change, or when somebody asks for it. A certificate that can't be used
//! changes nothing and is told once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::http::certificates::{Certificates, Fingerprint, PemFiles, PemPaths, TlsError};

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// What the files were like: which contents, or why they can't be read.
type Seen = Result<Fingerprint, TlsError>;

/// Looks after the certificate of a listener.
#[derive(Clone)]
pub struct CertificateWatch {
    certificates: Arc<Certificates>,
    started_with: Fingerprint,
    asked: Arc<Notify>,
}

impl CertificateWatch {
    /// Takes what the files hold now.
    pub fn open(paths: PemPaths) -> Result<Self, TlsError> {
        let (certificates, started_with) = Certificates::open(paths)?;
        Ok(Self {
            certificates: Arc::new(certificates),
            started_with,
            asked: Arc::default(),
        })
    }

    /// What shows the certificate that is in force to whoever connects.
    pub fn certificates(&self) -> Arc<Certificates> {
        self.certificates.clone()
    }

    /// Has the files looked at now, and told what came of it.
    pub fn look_now(&self) {
        self.asked.notify_one();
    }

    /// Follows the files; runs until it is dropped.
    pub async fn follow(self) {
        let mut watch = Watch::new(self.started_with);
        loop {
            let is_asked = tokio::select! {
                () = sleep(INTERVAL) => false,
                () = self.asked.notified() => true,
            };
            let certificates = self.certificates.clone();
            let Ok(files) = tokio::task::spawn_blocking(move || certificates.look()).await else {
                return;
            };
            let seen = match &files {
                Ok(files) => Ok(files.fingerprint()),
                Err(error) => Err(error.clone()),
            };
            if watch.is_to_be_tried(seen, is_asked) {
                put_in_force(&self.certificates, files);
            }
        }
    }
}

fn put_in_force(certificates: &Certificates, files: Result<PemFiles, TlsError>) {
    match files.and_then(|files| certificates.replace(&files)) {
        Ok(()) => tracing::info!(file = %certificates.path().display(), "new connections are shown this certificate"),
        Err(error) => tracing::error!(%error, "the certificate can't be used; the former one stays in force"),
    }
}

/// Decides when what is in the files is to be tried.
struct Watch {
    tried: Seen,
    last: Seen,
}

impl Watch {
    fn new(started_with: Fingerprint) -> Self {
        Self {
            tried: Ok(started_with),
            last: Ok(started_with),
        }
    }

    /// What nobody asked for is tried when it was seen twice: somebody may be half way through replacing two files.
    fn is_to_be_tried(&mut self, seen: Seen, is_asked: bool) -> bool {
        let is_settled = self.last == seen;
        let is_new = self.tried != seen;
        self.last = seen;
        let is_due = is_asked || (is_new && is_settled);
        if is_due {
            self.tried = self.last.clone();
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn contents(text: &str) -> Seen {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, text).unwrap();
        let paths = PemPaths {
            cert: path.clone(),
            key: path,
            operators: None,
        };
        Ok(PemFiles::read(&paths).unwrap().fingerprint())
    }

    #[test]
    fn a_change_is_tried_once_and_only_when_it_has_settled() {
        let (a, b, c) = (contents("a"), contents("b"), contents("c"));
        let mut watch = Watch::new(*a.as_ref().unwrap());
        assert!(!watch.is_to_be_tried(a.clone(), false), "it is in force");
        assert!(!watch.is_to_be_tried(b.clone(), false), "just now");
        assert!(!watch.is_to_be_tried(c.clone(), false), "still changing");
        assert!(watch.is_to_be_tried(c.clone(), false));
        assert!(!watch.is_to_be_tried(c.clone(), false), "once");
        assert!(!watch.is_to_be_tried(a.clone(), false));
        assert!(watch.is_to_be_tried(a, false), "back again");
    }

    #[test]
    fn who_asks_is_not_kept_waiting_and_hears_of_it_each_time() {
        let (a, b) = (contents("a"), contents("b"));
        let mut watch = Watch::new(*a.as_ref().unwrap());
        assert!(watch.is_to_be_tried(b.clone(), true));
        assert!(watch.is_to_be_tried(b.clone(), true));
        assert!(!watch.is_to_be_tried(b, false));
    }

    #[test]
    fn files_that_can_not_be_read_are_told_once() {
        let a = contents("a");
        let gone: Seen = Err(TlsError::new(Path::new("tls.crt"), "gone"));
        let mut watch = Watch::new(*a.as_ref().unwrap());
        assert!(!watch.is_to_be_tried(gone.clone(), false));
        assert!(watch.is_to_be_tried(gone.clone(), false));
        assert!(!watch.is_to_be_tried(gone, false));
        assert!(!watch.is_to_be_tried(a.clone(), false));
        assert!(watch.is_to_be_tried(a, false), "they are back");
    }
}
