//! One connection: TLS, HTTP of either version, and the time-outs that end it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures::FutureExt;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::certificates::Certificates;
use super::front::Front;
use super::patient_stream::PatientStream;
use super::places::Place;

/// The largest head of a request over HTTP/1.1, in bytes: request line and headers.
const HEAD_MAX: usize = 32 * 1024;
/// The largest list of headers over HTTP/2, in bytes (RFC 9113 §6.5.2).
const HEADER_LIST_MAX: u32 = 32 * 1024;
/// The most requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;
/// How much of one body a client may send over HTTP/2 ahead of its being read, and of all bodies of a connection, in
/// bytes (RFC 9113 §5.2).
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Rides on the requests of a connection that began with an operator's certificate.
#[derive(Clone, Copy, Debug)]
pub struct OperatorCertificate;

/// What serves one connection.
pub struct Connection {
    /// Answers its requests.
    pub front: Front,
    /// Its place among those of its address.
    pub place: Arc<Place>,
    /// How long it may take to send a head or finish the TLS handshake, stay idle, or leave unread what was sent to it.
    pub patience: Duration,
    /// Turns true when the node stops.
    pub stop: watch::Receiver<bool>,
}

impl Connection {
    /// Serves until the peer leaves, a time-out passes, or the node has stopped and what was asked is answered.
    pub async fn serve(self, stream: TcpStream, tls: Option<Arc<Certificates>>) {
        // Answers are small: waiting for more to send would only add the delayed-acknowledgement time.
        let _ = stream.set_nodelay(true);
        let stream = PatientStream::new(stream, self.patience);
        match tls {
            None => self.speak(stream, None).await,
            Some(tls) => match tokio::time::timeout(self.patience, tls.acceptor().accept(stream)).await {
                Ok(Ok(stream)) => {
                    // Only an operator's certificate is let through the handshake, and only where operators are served.
                    let shown = stream.get_ref().1.peer_certificates().map(|_| OperatorCertificate);
                    self.speak(stream, shown).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_elapsed) => tracing::debug!("a TLS handshake took too long"),
            },
        }
    }

    async fn speak<S>(self, stream: S, shown: Option<OperatorCertificate>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (front, place, traffic) = (self.front, self.place, Arc::new(Traffic::default()));
        let requests = traffic.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            if let Some(shown) = shown {
                request.extensions_mut().insert(shown);
            }
            let (in_flight, front, place) = (requests.begin(), front.clone(), place.clone());
            async move {
                let response = front.handle(request, &place).await;
                drop(in_flight);
                Ok::<_, Infallible>(response)
            }
            .boxed()
        });
        let builder = builder(self.patience);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        if let Err(error) = until_idle(connection, &traffic, self.patience, self.stop).await {
            tracing::debug!(error, "a connection ended early");
        }
    }
}

fn builder(patience: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD_MAX)
        .half_close(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(HEADER_LIST_MAX)
        .keep_alive_interval(Some(patience))
        .keep_alive_timeout(patience);
    builder
}

/// Drives a connection to its end. One over which no request has come for a whole `patience`, and that waits for no
/// answer, is told to end, so that a client of HTTP/2 can ask again elsewhere what it has just asked (RFC 9113 §6.8); one
/// that does not end then is cut off. hyper alone would keep an HTTP/2 connection as long as it acknowledges PINGs.
async fn until_idle<C: GracefulConnection<Error = BoxError>>(
    mut connection: Pin<&mut C>,
    traffic: &Traffic,
    patience: Duration,
    mut stop: watch::Receiver<bool>,
) -> Result<(), BoxError> {
    let mut is_ending = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => return ended,
            _ = stop.wait_for(|stopped| *stopped), if !is_ending => {}
            () = tokio::time::sleep(patience) => {
                if traffic.has_moved() {
                    continue;
                }
                if is_ending {
                    return Ok(());
                }
            }
        }
        connection.as_mut().graceful_shutdown();
        is_ending = true;
    }
}

/// Tells a connection that is used from one that is only kept open.
#[derive(Default)]
struct Traffic {
    in_flight: AtomicU32,
    has_changed: AtomicBool,
}

impl Traffic {
    /// Counts a request until what this answers is dropped.
    fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.has_changed.store(true, Ordering::Relaxed);
        InFlight(self.clone())
    }

    /// Whether a request has begun or ended since this was asked last, or is being answered.
    fn has_moved(&self) -> bool {
        self.has_changed.swap(false, Ordering::Relaxed) || self.in_flight.load(Ordering::Relaxed) > 0
    }
}

/// A request that is being answered.
struct InFlight(Arc<Traffic>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.0.has_changed.store(true, Ordering::Relaxed);
    }
}
