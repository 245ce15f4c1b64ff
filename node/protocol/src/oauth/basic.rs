//! The `Basic` scheme of the `Authorization` header, as OAuth uses it (RFC 7617 §2, RFC 6749 §2.3.1): both halves are
//! form-urlencoded before they are joined by a colon and put into base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::OAuthError;
use super::form;

/// The longest `Authorization` header that is looked at, in bytes.
pub(super) const HEADER_BYTES_MAX: usize = 4 * 1024;

/// A client's id and secret, as sent.
pub(super) struct Basic {
    pub id: Zeroizing<String>,
    pub secret: Zeroizing<String>,
}

/// Reads the header; `invalid_client` if it is of another scheme or malformed, since either way nobody has proved who
/// they are.
pub(super) fn parse(header: &str) -> Result<Basic, OAuthError> {
    if header.len() > HEADER_BYTES_MAX {
        return Err(malformed());
    }
    let (scheme, rest) = header.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(OAuthError::invalid_client(
            "Authenticate with the Basic scheme or with client_id and client_secret in the body.",
        ));
    }
    let decoded = STANDARD.decode(rest.trim_matches(' ')).map_err(|_| malformed())?;
    let decoded = Zeroizing::new(decoded);
    let colon = decoded.iter().position(|byte| *byte == b':').ok_or_else(malformed)?;
    let decode = |half| form::decode(half, HEADER_BYTES_MAX).map_err(|_| malformed());
    Ok(Basic {
        id: decode(&decoded[..colon])?,
        secret: decode(&decoded[colon + 1..])?,
    })
}

fn malformed() -> OAuthError {
    OAuthError::invalid_client(
        "Send the Authorization header as Basic and the base64 of client_id:client_secret, both form-urlencoded.",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(decoded: &[u8]) -> String {
        format!("Basic {}", STANDARD.encode(decoded))
    }

    #[test]
    fn the_scheme_is_read_in_any_case_and_both_halves_are_form_urlencoded() {
        let basic = parse(&header(b"id%2D1:a%3Ab+c")).expect("well-formed");
        assert_eq!((basic.id.as_str(), basic.secret.as_str()), ("id-1", "a:b c"));
        assert!(parse(&header(b"a:b").replace("Basic", "bAsIC")).is_ok());
    }

    #[test]
    fn only_the_first_colon_separates() {
        assert_eq!(parse(&header(b"a:b:c")).expect("well-formed").secret.as_str(), "b:c");
    }

    #[test]
    fn what_is_malformed_is_invalid_client() {
        let no_colon = header(b"abc");
        let bad_escape = header(b"a%:b");
        let bad_utf8 = header(b"a:\xff");
        let nul = header(b"a:\0");
        let huge = header(&[b'a'; HEADER_BYTES_MAX]);
        let unpadded = "Basic YTpi Yg";
        for text in ["", "Basic", "Basic ", "Basic !!!!", "Basic YQ", "Bearer abc", unpadded]
            .into_iter()
            .chain([&no_colon, &bad_escape, &bad_utf8, &nul, &huge].map(String::as_str))
        {
            let error = parse(text).err().expect("must be refused");
            assert_eq!(error.code.as_str(), "invalid_client", "{text:.40}");
        }
    }

    #[test]
    fn a_header_has_a_longest_length() {
        // Three bytes are four characters, after the scheme and a space.
        let fits = (HEADER_BYTES_MAX - "Basic ".len()) / 4 * 3;
        let of_bytes = |bytes: usize| header(format!("id:{}", "s".repeat(bytes - 3)).as_bytes());
        assert!(of_bytes(fits).len() <= HEADER_BYTES_MAX && parse(&of_bytes(fits)).is_ok());
        assert!(of_bytes(fits + 1).len() > HEADER_BYTES_MAX && parse(&of_bytes(fits + 1)).is_err());
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(text in ".{0,80}", decoded in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = parse(&text);
            let _ = parse(&header(&decoded));
        }

        #[test]
        fn plain_halves_come_back(id in "[a-zA-Z0-9_.-]{0,40}", secret in "[a-zA-Z0-9_.:-]{0,80}") {
            let basic = parse(&header(format!("{id}:{secret}").as_bytes())).expect("well-formed");
            prop_assert_eq!((basic.id.as_str(), basic.secret.as_str()), (id.as_str(), secret.as_str()));
        }
    }
}
