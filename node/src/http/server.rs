//! The accept loop: connections, their limits and time-outs, TLS, and a drain with a bound.
//!
//! warp's own server has none of these, so warp runs as a service on hyper's connections.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::front::Front;

/// The largest head of a request over HTTP/1.1, in bytes: request line and headers.
const HEAD_MAX: usize = 32 * 1024;
/// The largest list of headers over HTTP/2, in bytes (RFC 9113 §6.5.2).
const HEADER_LIST_MAX: u32 = 32 * 1024;
/// The most requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 256;
/// How long to wait after the operating system refused a connection, for instance for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What one listener puts up with from connections.
#[derive(Clone)]
pub struct ServerLimits {
    /// How long a connection may take to send a request's head or finish the TLS handshake, or stay idle.
    pub header_timeout: Duration,
    /// The most connections at once.
    pub connections_max: u32,
    /// How long requests in flight may go on after a stop.
    pub drain_timeout: Duration,
}

/// A listener that serves a front.
pub struct Server {
    listener: TcpListener,
    front: Front,
    tls: Option<TlsAcceptor>,
    limits: ServerLimits,
}

impl Server {
    /// Over a bound listener.
    pub fn new(listener: TcpListener, front: Front, tls: Option<TlsAcceptor>, limits: ServerLimits) -> Self {
        Self {
            listener,
            front,
            tls,
            limits,
        }
    }

    /// Serves until `stop` turns true; then refuses new connections, closes idle ones, and gives requests in flight the
    /// drain time-out.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let connections = Arc::new(Semaphore::new(self.limits.connections_max as usize));
        let graceful = Arc::new(GracefulShutdown::new());
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => break,
                accepted = accept(&self.listener, &connections) => accepted,
            };
            let Some((stream, peer, permit)) = accepted else {
                continue;
            };
            let connection = Connection {
                front: self.front.clone(),
                peer,
                header_timeout: self.limits.header_timeout,
            };
            tokio::spawn(connection.serve(stream, self.tls.clone(), graceful.watcher(), permit));
        }
        drop(self.listener);
        let Some(graceful) = Arc::into_inner(graceful) else {
            return;
        };
        if tokio::time::timeout(self.limits.drain_timeout, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("requests were still in flight when the drain time-out passed; they are cut off");
        }
    }
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = connections.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

struct Connection {
    front: Front,
    peer: SocketAddr,
    header_timeout: Duration,
}

impl Connection {
    async fn serve(
        self,
        stream: TcpStream,
        tls: Option<TlsAcceptor>,
        watcher: hyper_util::server::graceful::Watcher,
        permit: OwnedSemaphorePermit,
    ) {
        // Answers are small: waiting for more to send would only add the delayed-acknowledgement time.
        let _ = stream.set_nodelay(true);
        match tls {
            None => self.speak(stream, watcher).await,
            Some(tls) => match tokio::time::timeout(self.header_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.speak(stream, watcher).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_elapsed) => tracing::debug!("a TLS handshake took too long"),
            },
        }
        drop(permit);
    }

    async fn speak<S>(self, stream: S, watcher: hyper_util::server::graceful::Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (front, peer) = (self.front, self.peer);
        let has_asked = Arc::new(AtomicBool::new(false));
        let asked = has_asked.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            let front = front.clone();
            async move { Ok::<_, Infallible>(front.handle(request, peer).await) }.boxed()
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_buf_size(HEAD_MAX)
            .half_close(true);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEADER_LIST_MAX)
            .keep_alive_interval(Some(self.header_timeout))
            .keep_alive_timeout(self.header_timeout);
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = watcher.watch(connection);
        tokio::pin!(connection);
        // Until the first bytes tell which version of HTTP it is, hyper has no time-out of its own.
        let ended = match tokio::time::timeout(self.header_timeout, &mut connection).await {
            Ok(ended) => ended,
            Err(_elapsed) if has_asked.load(Ordering::Relaxed) => connection.await,
            Err(_elapsed) => return,
        };
        if let Err(error) = ended {
            tracing::debug!(error, "a connection ended early");
        }
    }
}
