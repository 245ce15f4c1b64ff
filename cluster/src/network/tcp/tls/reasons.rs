//! Why a handshake failed, in words that an operator can act on, and that are the same at every attempt.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

pub(super) const WRONG_PROTOCOL: &str =
    "it does not speak the protocol between nodes; check that its address is that of a node's cluster port";

/// What is wrong with the other side.
pub(in super::super) fn io_reason(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => tls_reason(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
        None => error.to_string(),
    }
}

fn tls_reason(error: &Error) -> String {
    use CertificateError as Certificate;
    match error {
        Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            "its certificate has expired".to_owned()
        }
        Error::InvalidCertificate(Certificate::NotValidYet | Certificate::NotValidYetContext { .. }) => {
            "its certificate is not valid yet; compare the clocks".to_owned()
        }
        // Two authorities of the same name differ in their signatures only.
        Error::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature) => {
            "its certificate is not signed by this cluster's authority".to_owned()
        }
        Error::NoApplicationProtocol => WRONG_PROTOCOL.to_owned(),
        Error::NoCertificatesPresented => "it showed no certificate".to_owned(),
        Error::InvalidMessage(_) => "it does not speak TLS".to_owned(),
        Error::AlertReceived(alert) => alert_reason(*alert),
        other => other.to_string(),
    }
}

fn alert_reason(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateExpired => "it says that this node's certificate has expired".to_owned(),
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            "it says that this node's certificate is not signed by its cluster's authority".to_owned()
        }
        AlertDescription::BadCertificate => {
            "it does not accept this node's certificate; its log says why, as far as it is known".to_owned()
        }
        AlertDescription::NoApplicationProtocol => WRONG_PROTOCOL.to_owned(),
        other => format!("it refused the handshake: {other:?}"),
    }
}
