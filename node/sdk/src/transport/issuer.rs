//! The address of the issuer, and what is below it.

use std::net::IpAddr;

use reqwest::Url;

use crate::error::Misconfiguration;

/// A checked base address.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    url: Url,
    /// Without a slash at the end, as it stands in tokens.
    text: String,
}

impl Issuer {
    /// Takes an http or https URL without user, query and fragment (RFC 8414 §2). Plain http is for this machine only,
    /// unless it is allowed.
    pub fn parse(text: &str, plain_http_allowed: bool) -> Result<Self, Misconfiguration> {
        let url = Url::parse(text).map_err(|_| Misconfiguration::Issuer)?;
        let has_extras =
            !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some();
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "https" | "http" if has_extras || host.is_empty() => Err(Misconfiguration::Issuer),
            "https" => Ok(()),
            "http" if plain_http_allowed || is_this_machine(host) => Ok(()),
            "http" => Err(Misconfiguration::PlainHttp),
            _ => Err(Misconfiguration::Issuer),
        }?;
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, text })
    }

    /// The issuer without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The address of something below the issuer.
    pub fn url(&self, path: &str, query: &[(&'static str, String)]) -> Url {
        let mut url = self.url.clone();
        let below = path.strip_prefix("/.well-known/oauth-authorization-server");
        match below {
            // RFC 8414 §3.1 puts the issuer's own path behind the well-known one.
            Some(_) => url.set_path(&format!("{path}{}", self.url.path().trim_end_matches('/'))),
            None => url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/'))),
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, Misconfiguration> {
        Issuer::parse(text, false).map(|issuer| issuer.as_str().to_owned())
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for text in [
            "http://127.0.0.1:3000",
            "http://localhost",
            "http://[::1]:80/x",
            "https://idp.example/a/",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in [
            "http://idp.example",
            "http://10.0.0.1",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
        ] {
            assert_eq!(parse(text), Err(Misconfiguration::PlainHttp), "{text}");
            assert!(Issuer::parse(text, true).is_ok());
        }
    }

    #[test]
    fn what_is_no_plain_base_address_is_refused() {
        for text in [
            "",
            "idp.example",
            "ftp://idp.example",
            "https://u@idp.example",
            "https://u:p@h",
            "https://h?x",
            "https://h#x",
            "file:///x",
        ] {
            assert_eq!(parse(text), Err(Misconfiguration::Issuer), "{text}");
            assert!(Issuer::parse(text, true).is_err());
        }
    }

    #[test]
    fn paths_go_below_the_issuer() {
        let issuer = Issuer::parse("https://h.example/base/", false).expect("an issuer");
        assert_eq!(issuer.as_str(), "https://h.example/base");
        let url = issuer.url("/api/v1/agents", &[("q", "a b&c".to_owned())]);
        assert_eq!(url.as_str(), "https://h.example/base/api/v1/agents?q=a+b%26c");
        let metadata = issuer.url("/.well-known/oauth-authorization-server", &[]);
        assert_eq!(
            metadata.as_str(),
            "https://h.example/.well-known/oauth-authorization-server/base"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
            let _ = Issuer::parse(&text, true);
        }
    }
}
