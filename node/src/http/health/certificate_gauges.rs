//! How long the certificates of a node stay valid.

use std::sync::Arc;

use cluster::Tls;
use domain::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::http::certificates::Certificates;
use crate::telemetry::Meters;

/// The certificates that are in force, whoever replaces them.
#[derive(Clone, Default)]
pub struct ShownCertificates {
    /// What agents are shown.
    pub agents: Option<Arc<Certificates>>,
    /// What operators are shown.
    pub operators: Option<Arc<Certificates>>,
    /// What other nodes are shown.
    pub nodes: Option<Arc<Tls>>,
}

impl ShownCertificates {
    /// Shows for each how many seconds are left; negative when it has expired.
    pub fn show(&self, meters: &Meters, now: Timestamp) {
        let chains = [
            ("agents", self.agents.as_ref().map(|shown| shown.chain())),
            ("operators", self.operators.as_ref().map(|shown| shown.chain())),
            ("nodes", self.nodes.as_ref().map(|shown| shown.chain())),
        ];
        for (shown_to, chain) in chains {
            // One that this can't read but TLS can has no gauge, which an alert for absence tells.
            if let Some(end) = chain.and_then(|chain| first_end(&chain)) {
                let left_ms = end.as_millis().saturating_sub(now.as_millis());
                let gauge = meters.gauge("certificate_expires_in_seconds", &[("shown_to", shown_to)]);
                gauge.set(left_ms as f64 / 1000.0);
            }
        }
    }
}

/// When the first certificate of a chain ends: from then on the chain is worth nothing.
fn first_end(chain: &[CertificateDer<'_>]) -> Option<Timestamp> {
    let ends = chain.iter().map(|certificate| {
        let parsed = Certificate::from_der(certificate).ok()?;
        let end = parsed.tbs_certificate.validity.not_after.to_unix_duration();
        Some(Timestamp::from_seconds(i64::try_from(end.as_secs()).ok()?))
    });
    ends.collect::<Option<Vec<_>>>()?.into_iter().min()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cluster::{CertificateAuthority, Validity};

    use super::*;
    use crate::http::certificates::PemPaths;
    use crate::telemetry::MetricsRecorder;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn chain(days: u64) -> String {
        let validity = Validity::starting(NOW, Duration::from_secs(days * 86_400));
        let authority = CertificateAuthority::new("prod", validity).unwrap();
        authority.issue(1, &[], validity).unwrap().certificate_pem
    }

    #[test]
    fn what_ends_first_counts() {
        use rustls::pki_types::pem::PemObject;
        let both = chain(30) + &chain(3);
        let both: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(both.as_bytes())
            .collect::<Result<_, _>>()
            .unwrap();
        let end = |chain: &[CertificateDer<'_>]| first_end(chain).unwrap().since(NOW).as_secs();
        assert_eq!((end(&both), end(&both[..1])), (3 * 86_400, 30 * 86_400));
        assert_eq!(first_end(&[CertificateDer::from(vec![1, 2, 3])]), None);
    }

    #[test]
    fn the_seconds_that_are_left_are_shown_for_what_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let validity = Validity::starting(NOW, Duration::from_secs(3_600));
        let issued = CertificateAuthority::new("prod", validity)
            .unwrap()
            .issue(1, &[], validity)
            .unwrap();
        let (cert, key) = (folder.path().join("cert"), folder.path().join("key"));
        std::fs::write(&cert, &issued.certificate_pem).unwrap();
        std::fs::write(&key, issued.key_pem.expose()).unwrap();
        let paths = PemPaths {
            cert,
            key,
            operators: None,
        };
        let shown = ShownCertificates {
            operators: Some(Arc::new(Certificates::open(paths).unwrap().0)),
            ..ShownCertificates::default()
        };
        let meters: Meters = Arc::new(MetricsRecorder::new().unwrap());
        for (seconds, left) in [(0, "3600"), (4_000, "-400")] {
            shown.show(&meters, NOW.plus(Duration::from_secs(seconds)));
            let text = meters.render();
            let line = format!("agentidp_certificate_expires_in_seconds{{shown_to=\"operators\"}} {left}");
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
            assert!(!text.contains("agents"), "{text}");
        }
    }
}
