//! `X-Request-Id`: taken from the caller if it is sane, else minted; in every response and every log line.

use domain::EventId;
use domain::ports::{Clock, Entropy};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The header.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a caller.
const LENGTH_MAX: usize = 128;

/// The id of a request. A caller's is taken if it has 1 to 128 letters, digits, `-`, `_`, `.` or `:`: nothing that could
/// break a log line or a header.
pub fn of(headers: &HeaderMap, clock: &dyn Clock, entropy: &dyn Entropy) -> HeaderValue {
    match headers.get(X_REQUEST_ID).filter(|value| is_sane(value.as_bytes())) {
        Some(value) => value.clone(),
        None => mint(clock, entropy),
    }
}

fn is_sane(bytes: &[u8]) -> bool {
    (1..=LENGTH_MAX).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
}

fn mint(clock: &dyn Clock, entropy: &dyn Entropy) -> HeaderValue {
    let id = EventId::mint(clock.now(), entropy).to_string();
    HeaderValue::from_str(&id).expect("a UUID is a sane header value")
}

#[cfg(test)]
mod tests {
    use super::is_sane;

    #[test]
    fn only_harmless_ids_are_taken() {
        assert!(is_sane(b"0192f0c1-2b3d.x_y:z"));
        for id in [&b""[..], b"a b", b"a\tb", b"a;b", "ä".as_bytes(), &[b'a'; 129]] {
            assert!(!is_sane(id), "{id:?}");
        }
    }
}
