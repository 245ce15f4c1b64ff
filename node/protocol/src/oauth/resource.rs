//! Where a token is to be used (RFC 8707 §2): absolute URIs that become the token's audience.

use super::error::{OAuthError, OAuthErrorCode};
use super::form::Form;

/// The most resources that one token may name.
pub(super) const RESOURCES_MAX: usize = 8;
/// The longest resource, in bytes. Eight of these and the other claims stay below the size of a token that we accept.
pub(super) const RESOURCE_BYTES_MAX: usize = 512;

/// The form's resources in the order sent, each once; `invalid_target` if one is no absolute URI or has a fragment.
pub(super) fn parse(form: &Form) -> Result<Vec<String>, OAuthError> {
    let mut resources: Vec<String> = Vec::new();
    for resource in form.all("resource") {
        if resource.len() > RESOURCE_BYTES_MAX || !is_absolute_uri(resource) {
            return Err(invalid_target(
                "Send each resource as an absolute URI without a fragment, at most 512 bytes long.",
            ));
        }
        if resources.iter().any(|earlier| earlier == resource) {
            continue;
        }
        if resources.len() == RESOURCES_MAX {
            return Err(invalid_target("Ask for at most 8 resources in one request."));
        }
        resources.push(resource.to_owned());
    }
    Ok(resources)
}

fn invalid_target(description: &'static str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidTarget, description)
}

/// RFC 3986 §4.3: a scheme, a colon and something behind it, in the characters of a URI and without a fragment.
fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    scheme_ok && !rest.trim_start_matches('/').is_empty() && has_uri_characters(rest.as_bytes())
}

/// Unreserved and reserved characters of RFC 3986 §2 without `#`, and well-formed percent-escapes.
fn has_uri_characters(mut rest: &[u8]) -> bool {
    while let Some((first, tail)) = rest.split_first() {
        rest = match first {
            b'%' => match tail {
                [high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => tail,
                _ => return false,
            },
            byte if byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=".contains(byte) => tail,
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(body: &str) -> Result<Vec<String>, OAuthError> {
        parse(&Form::parse(body.as_bytes()).expect("a well-formed form"))
    }

    #[test]
    fn absolute_uris_are_taken_once_each() {
        let body = "resource=https://api.example/v1?a=b&resource=urn:example:x&resource=urn:example:x";
        assert_eq!(
            resources(body).expect("absolute"),
            ["https://api.example/v1?a=b", "urn:example:x"]
        );
        assert!(resources("").expect("none").is_empty());
    }

    #[test]
    fn anything_else_is_invalid_target() {
        for text in [
            "/path",
            "example",
            "https:",
            "https://",
            "1a:b",
            ":x",
            "https://a%23b",
            "urn:a%20b",
            "urn:a%22",
        ] {
            let error = resources(&format!("resource={text}")).expect_err("must be refused");
            assert_eq!(error.code, OAuthErrorCode::InvalidTarget, "{text}");
        }
        assert!(resources("resource=urn:%25zz").is_err());
        assert!(resources("resource=urn:%2541").is_ok());
    }

    #[test]
    fn each_limit_admits_what_just_fits_and_refuses_one_more() {
        let many = |count: usize| (0..count).map(|n| format!("resource=urn:x:{n}&")).collect::<String>();
        assert!(resources(&many(RESOURCES_MAX)).is_ok());
        assert!(resources(&many(RESOURCES_MAX + 1)).is_err());
        let long = |bytes: usize| format!("resource=urn:{}", "x".repeat(bytes - 4));
        assert!(resources(&long(RESOURCE_BYTES_MAX)).is_ok());
        assert!(resources(&long(RESOURCE_BYTES_MAX + 1)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken_or_refused_and_what_is_taken_needs_no_escape_in_json(text in ".{0,40}") {
            if is_absolute_uri(&text) {
                proptest::prop_assert_eq!(serde_json::to_string(&text).expect("a string"), format!("\"{text}\""));
            }
        }
    }
}
