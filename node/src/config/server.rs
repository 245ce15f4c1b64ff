//! The front end: where it listens, who it says it is, and what it puts up with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::reader::{DEFAULT, Reader};
use super::value::ByteSize;

/// The most connections from one address unless it is set: a share that leaves most of them to others.
const CONNECTIONS_PER_ADDRESS: u32 = 1_000;

/// The files of TLS between operators and nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorTls {
    /// The certificate of the cluster's authority: whoever shows an operator's certificate of it needs no token. Without it
    /// operators show their token.
    pub ca: Option<PathBuf>,
    /// The certificate that operators are shown.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Section `server`.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where agents are served. Loopback by default: `0.0.0.0` must be asked for.
    pub listen: SocketAddr,
    /// Where operators and metrics are served.
    pub operator_listen: SocketAddr,
    /// The certificate that operators are shown, and whose they may show.
    pub operator_tls: Option<OperatorTls>,
    /// The file of the operators' token; `operator.token` in the data directory when absent, made if it is not there.
    pub operator_token_file: Option<PathBuf>,
    /// The issuer; the listener's own address when absent.
    pub public_url: Option<String>,
    /// Certificate chain and private key in PEM; both or none.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Origins that browsers may call from; none by default.
    pub cors_origins: Vec<String>,
    /// How long one request may take, its body included.
    pub request_timeout: Duration,
    /// How long a connection may take to send a request's head, stay idle between two, or leave unread what was sent to
    /// it. One of HTTP/2 may stay idle for up to twice as long.
    pub header_timeout: Duration,
    /// The largest body, in bytes.
    pub body_limit: usize,
    /// The most connections at once; a further one waits in the operating system's queue.
    pub connections_max: u32,
    /// The most connections at once from one address, or from one /64 network over IPv6; a further one is closed. Trusted
    /// proxies have no such limit.
    pub connections_per_address_max: u32,
    /// How long requests in flight may go on after a stop was asked for.
    pub drain_timeout: Duration,
}

impl ServerConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let connections_max = reader.value("server.connections_max", 10_000);
        let config = Self {
            listen: read_listen(reader),
            operator_listen: reader.value("server.operator_listen", SocketAddr::from((Ipv4Addr::LOCALHOST, 3900))),
            operator_tls: read_operator_tls(reader),
            operator_token_file: reader.optional("server.operator_token_file"),
            public_url: reader
                .optional::<String>("server.public_url")
                .map(|url| url.trim_end_matches('/').to_owned()),
            tls: read_tls(reader),
            trusted_proxies: reader.value("server.trusted_proxies", Vec::new()),
            cors_origins: reader.value("server.cors_origins", Vec::new()),
            request_timeout: reader.value("server.request_timeout", Duration::from_secs(10)),
            header_timeout: reader.value("server.header_timeout", Duration::from_secs(10)),
            body_limit: reader.value("server.body_limit", ByteSize(256 * 1024)).0,
            connections_max,
            connections_per_address_max: reader.value(
                "server.connections_per_address_max",
                CONNECTIONS_PER_ADDRESS.min(connections_max),
            ),
            drain_timeout: reader.value("server.drain_timeout", Duration::from_secs(30)),
        };
        config.check(reader);
        config
    }

    /// Who the node says it is unless it is told: its own address, or this machine's where it listens on all of them.
    pub fn default_issuer(&self, address: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", callable(address))
    }

    fn check(&self, reader: &mut Reader) {
        if overlap(self.listen, self.operator_listen) {
            reader.mistake(
                "server.operator_listen",
                format!("has the port of server.listen, {}; give another", self.listen),
            );
        }
        if !self.operator_listen.ip().is_loopback() && self.operator_tls.is_none() {
            reader.mistake(
                "server.operator_tls",
                "needs cert and key where server.operator_listen is not on loopback: whoever reads the operators' token on \
                 the way could change the cluster; agentidp cluster certs makes both, and certificates for operators",
            );
        }
        let is_issuer = |url: &String| {
            (url.starts_with("https://") || url.starts_with("http://")) && !url.contains(['?', '#', ' '])
        };
        if self.public_url.as_ref().is_some_and(|url| !is_issuer(url)) {
            reader.mistake(
                "server.public_url",
                "must be an http or https URL without query and fragment (RFC 8414 §2)",
            );
        }
        if self.cors_origins.iter().any(|origin| origin == "*") {
            reader.mistake(
                "server.cors_origins",
                "must name the origins; '*' would let every page in a browser call with a stolen token",
            );
        }
        if self.connections_max == 0 {
            reader.mistake("server.connections_max", "must be at least 1");
        } else if !(1..=self.connections_max).contains(&self.connections_per_address_max) {
            reader.mistake(
                "server.connections_per_address_max",
                format!("must be from 1 to server.connections_max, {}", self.connections_max),
            );
        }
    }
}

/// An address that can be called: this machine's where the given one stands for all of them.
pub fn callable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Both on one port; port 0 is another one each time.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let is_same_ip = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && is_same_ip
}

fn read_listen(reader: &mut Reader) -> SocketAddr {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 3000));
    let (mut listen, mut origin) = reader
        .parse("server.listen")
        .unwrap_or_else(|| (default, DEFAULT.to_owned()));
    // A whole address that was given as a flag is not changed by a PORT that some platform sets.
    if let Some((port, port_origin)) = reader.parse("server.port")
        && reader.outranks("server.port", "server.listen")
    {
        listen.set_port(port);
        origin = port_origin;
    }
    reader.note("server.listen", listen.to_string(), &origin);
    listen
}

fn read_tls(reader: &mut Reader) -> Option<(PathBuf, PathBuf)> {
    let (cert, key) = (reader.optional("server.tls.cert"), reader.optional("server.tls.key"));
    match (cert, key) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        _ => {
            reader.mistake("server.tls", "needs both cert and key");
            None
        }
    }
}

fn read_operator_tls(reader: &mut Reader) -> Option<OperatorTls> {
    let (ca, cert, key) = (
        reader.optional("server.operator_tls.ca"),
        reader.optional("server.operator_tls.cert"),
        reader.optional("server.operator_tls.key"),
    );
    match (ca, cert, key) {
        (ca, Some(cert), Some(key)) => Some(OperatorTls { ca, cert, key }),
        (None, None, None) => None,
        _ => {
            reader.mistake("server.operator_tls", "needs both cert and key");
            None
        }
    }
}
