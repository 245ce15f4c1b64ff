//! What the head of a request must say before anything else is looked at: a path, and one host.

use http::header::HOST;
use http::{Request, StatusCode, Version};

use super::error::ApiError;

/// What one header takes beside its texts: its places in the table of headers and in the copy that endpoints get, both
/// of which may have twice the room of what is in them.
const HEADER_BYTES: usize = 256;

/// How many bytes a request's head holds, rather too many than too few.
pub fn weight<B>(request: &Request<B>) -> usize {
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + HEADER_BYTES);
    path + headers.sum::<usize>()
}

/// Refuses a target without a path, and a host that two readers of the request could understand in two ways.
pub fn check<B>(request: &Request<B>) -> Result<(), ApiError> {
    // The form of CONNECT, which only proxies take (RFC 9110 §9.3.6).
    if request.uri().path_and_query().is_none() {
        return refuse("the target of the request must be a path; this is no proxy");
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return refuse("there must be one Host header (RFC 9112 section 3.2)");
    }
    match (request.version(), request.uri().authority(), host) {
        (Version::HTTP_11, _, None) => refuse("there must be a Host header (RFC 9112 section 3.2)"),
        (Version::HTTP_2, Some(authority), Some(host))
            if !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()) =>
        {
            refuse("the Host header must be the same as :authority (RFC 9113 section 8.3.1)")
        }
        _ => Ok(()),
    }
}

fn refuse(message: &str) -> Result<(), ApiError> {
    Err(ApiError::management(
        StatusCode::BAD_REQUEST,
        "INVALID_REQUEST",
        message,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(version: Version, uri: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().version(version).uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        check(&request.body(()).expect("a request")).is_err()
    }

    #[test]
    fn a_target_without_a_path_is_refused() {
        for version in [Version::HTTP_11, Version::HTTP_2] {
            assert!(is_refused(version, "a.example:1", &["a.example:1"]));
        }
        assert!(!is_refused(Version::HTTP_11, "*", &["a.example"]), "OPTIONS * has one");
    }

    #[test]
    fn http_1_1_needs_exactly_one_host() {
        assert!(is_refused(Version::HTTP_11, "/", &[]));
        assert!(is_refused(Version::HTTP_11, "/", &["a.example", "a.example"]));
        assert!(!is_refused(Version::HTTP_11, "/", &["a.example"]));
        assert!(!is_refused(Version::HTTP_10, "/", &[]), "older than the header");
    }

    #[test]
    fn http_2_must_not_name_two_hosts() {
        let uri = "http://a.example/";
        assert!(is_refused(Version::HTTP_2, uri, &["b.example"]));
        assert!(!is_refused(Version::HTTP_2, uri, &["A.example"]));
        assert!(!is_refused(Version::HTTP_2, uri, &[]));
    }

    #[test]
    fn a_head_weighs_more_the_longer_it_is_and_the_more_headers_it_has() {
        let with = |count: usize, path: &str| {
            let mut request = Request::builder().uri(path);
            for _ in 0..count {
                request = request.header("a", "b");
            }
            weight(&request.body(()).expect("a request"))
        };
        assert_eq!(with(0, "/"), 1);
        assert_eq!(with(0, "/path?query") - with(0, "/"), 10);
        assert_eq!(with(1000, "/") - with(0, "/"), 1000 * (2 + HEADER_BYTES));
    }
}
