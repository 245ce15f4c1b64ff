//! A proxy before the server: ends TLS, or cuts the line.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_postgres::config::Host;
use tokio_rustls::TlsAcceptor;

/// What a client sends that wants TLS: a length of 8 and the code 1234.5679.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// A running proxy.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Passing,
    Silent,
    Cut,
}

impl Proxy {
    /// Starts one before the server. With an acceptor clients get TLS; without, they are told that there is none.
    pub async fn start(server: &tokio_postgres::Config, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (state, states) = watch::channel(State::Passing);
        let (server, tls) = (Arc::new(server.clone()), tls.map(Arc::new));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, tls, states) = (server.clone(), tls.clone(), states.clone());
                tokio::spawn(async move { serve(client, &server, tls.as_deref(), states).await });
            }
        });
        Self { address, state }
    }

    /// The URL through the proxy, of a URL of the server.
    pub fn url(&self, host: &str, url: &str, parameters: &str) -> String {
        let (scheme_and_user, rest) = url.rsplit_once('@').expect("a URL with a user");
        let database = rest.split_once('/').expect("a URL with a database").1;
        let database = database.split('?').next().unwrap_or_default();
        format!(
            "{scheme_and_user}@{host}:{}/{database}{parameters}",
            self.address.port()
        )
    }

    /// Passes nothing on any more, without closing a connection.
    pub fn fall_silent(&self) {
        self.state.send_replace(State::Silent);
    }

    /// Closes every connection, and each new one at once.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Passes everything again, for new connections.
    pub fn mend(&self) {
        self.state.send_replace(State::Passing);
    }
}

async fn serve(
    mut client: TcpStream,
    server: &tokio_postgres::Config,
    tls: Option<&TlsAcceptor>,
    mut states: watch::Receiver<State>,
) {
    if *states.borrow_and_update() == State::Cut {
        return;
    }
    let mut upstream = connect(server).await;
    let mut first = [0; 8];
    if client.read_exact(&mut first).await.is_err() {
        return;
    }
    let mut client: Box<dyn Line> = match (first == TLS_REQUEST, tls) {
        (true, Some(tls)) => {
            client.write_all(b"S").await.expect("the client reads");
            // A client that does not trust us hangs up here.
            let Ok(encrypted) = tls.accept(client).await else {
                return;
            };
            Box::new(encrypted)
        }
        (true, None) => {
            let _ = client.write_all(b"N").await;
            return;
        }
        (false, _) => {
            upstream.write_all(&first).await.expect("the server reads");
            Box::new(client)
        }
    };
    let changed = async {
        let _ = states.wait_for(|state| *state != State::Passing).await;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut upstream) => return,
        () = changed => {}
    }
    // A silent line stays up until somebody cuts or mends it.
    let _ = states.wait_for(|state| *state != State::Silent).await;
}

async fn connect(server: &tokio_postgres::Config) -> Box<dyn Line> {
    let port = server.get_ports().first().copied().unwrap_or(5432);
    match server.get_hosts().first().expect("the server has a host") {
        Host::Tcp(name) => Box::new(
            TcpStream::connect((name.as_str(), port))
                .await
                .expect("the server is there"),
        ),
        Host::Unix(folder) => {
            let socket = folder.join(format!(".s.PGSQL.{port}"));
            Box::new(UnixStream::connect(socket).await.expect("the server is there"))
        }
    }
}
