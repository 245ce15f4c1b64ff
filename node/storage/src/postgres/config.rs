//! What the operator says of the database, and what the driver makes of it.

use std::path::PathBuf;
use std::time::Duration;

use domain::Secret;
use domain::ports::StoreError;
use tokio_postgres::config::{Host, SslMode};

/// How to reach PostgreSQL and how much of it to use.
#[derive(Clone)]
pub struct PostgresConfig {
    /// `postgres://user:password@host:port/database`, with the parameters that libpq knows. `sslmode=require`,
    /// `verify-ca` and `verify-full` all mean TLS with a verified certificate; `sslrootcert` names a PEM file that takes
    /// the place of the operating system's trust anchors. Without `sslmode` nothing is encrypted.
    pub url: Secret,
    /// The most connections.
    pub pool_max: u32,
    /// How many connections are kept open when there is nothing to do.
    pub pool_min: u32,
    /// How long a connection may take to stand, and a caller may wait for one.
    pub connect_timeout: Duration,
    /// After how long a connection that nobody uses is closed.
    pub idle_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
}

/// A URL taken apart.
pub(super) struct Target {
    /// What the driver needs.
    pub driver: tokio_postgres::Config,
    /// Whether TLS is wanted.
    pub encrypted: bool,
    /// The trust anchors, if not the operating system's.
    pub root_certificates: Option<PathBuf>,
}

impl Target {
    /// Reads a URL. No part of it is repeated in an error, since it may hold a password.
    pub fn parse(config: &PostgresConfig) -> Result<Self, StoreError> {
        let text = config.url.expose();
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(unreadable("it does not start with postgres://"));
        }
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut encrypted, mut root_certificates, mut kept) = (false, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", mode)) => encrypted = wants_tls(mode)?,
                Some(("sslrootcert", path)) => root_certificates = Some(PathBuf::from(percent_decoded(path)?)),
                _ => kept.push(pair),
            }
        }
        let separator = if kept.is_empty() { "" } else { "?" };
        let url = Secret::new(format!("{base}{separator}{}", kept.join("&")));
        let mut driver: tokio_postgres::Config = url
            .expose()
            .parse()
            .map_err(|_| unreadable("a part of it is malformed"))?;
        driver.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
        driver.connect_timeout(config.connect_timeout);
        if driver.get_application_name().is_none() {
            driver.application_name("agentidp");
        }
        Ok(Self {
            driver,
            encrypted,
            root_certificates,
        })
    }

    /// Whether everything that goes to and from the database can be read on the network.
    pub fn is_exposed(&self) -> bool {
        let local = |host: &Host| match host {
            Host::Tcp(name) => {
                name == "localhost"
                    || name
                        .parse()
                        .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
            }
            Host::Unix(_) => true,
        };
        !self.encrypted && !self.driver.get_hosts().iter().all(local)
    }
}

fn wants_tls(mode: &str) -> Result<bool, StoreError> {
    match mode {
        "disable" | "allow" | "prefer" => Ok(false),
        "require" | "verify-ca" | "verify-full" => Ok(true),
        _ => Err(unreadable(
            "sslmode must be disable, prefer, require, verify-ca or verify-full",
        )),
    }
}

fn percent_decoded(text: &str) -> Result<String, StoreError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = tail;
            continue;
        }
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or_else(|| unreadable("sslrootcert is not percent-encoded correctly"))?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| unreadable("sslrootcert is not UTF-8"))
}

fn unreadable(reason: &str) -> StoreError {
    StoreError::Unavailable(format!(
        "store.url can't be understood: {reason}; it should look like postgres://user:password@host:5432/database"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Target, StoreError> {
        Target::parse(&PostgresConfig {
            url: Secret::new(url),
            pool_max: 1,
            pool_min: 0,
            connect_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(1),
        })
    }

    #[test]
    fn tls_is_used_when_it_is_asked_for() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let target = parse(&format!(
                "postgres://u@db.example/d?sslmode={mode}&sslrootcert=/etc/my%20ca.pem"
            ));
            let target = target.unwrap();
            assert!(target.encrypted && target.driver.get_ssl_mode() == SslMode::Require && !target.is_exposed());
            assert_eq!(target.root_certificates, Some(PathBuf::from("/etc/my ca.pem")));
        }
        for url in [
            "postgres://u@db.example/d",
            "postgresql://u@10.0.0.1/d?sslmode=prefer&connect_timeout=3",
        ] {
            let target = parse(url).unwrap();
            assert!(!target.encrypted && target.driver.get_ssl_mode() == SslMode::Disable && target.is_exposed());
        }
    }

    #[test]
    fn plain_text_to_this_machine_is_not_exposed() {
        for url in [
            "postgres://u@127.0.0.1:5433/d",
            "postgres://u@localhost/d",
            "postgres://u@%2Frun%2Fpg/d",
        ] {
            assert!(!parse(url).unwrap().is_exposed(), "{url}");
        }
    }

    #[test]
    fn an_error_says_what_is_expected_and_repeats_nothing() {
        for url in [
            "",
            "mysql://u:hunter2@h/d",
            "postgres://u:hunter2@h:port/d",
            "postgres://u:hunter2@h/d?sslmode=hunter2",
            "postgres://u:hunter2@h/d?nonsense=hunter2",
            "postgres://u:hunter2@h/d?sslmode=require&sslrootcert=%4",
        ] {
            let error = parse(url).err().expect(url).to_string();
            assert!(
                error.contains("postgres://user:password@host") && !error.contains("hunter2"),
                "{error}"
            );
        }
    }
}
