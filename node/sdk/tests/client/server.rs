//! A small HTTP/1.1 server: one request a connection, each answered by a function of the test, each noted.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub target: String,
    pub head: String,
    pub body: String,
}

impl Received {
    /// `METHOD /target`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }
}

/// What the server does with a request.
pub enum Answer {
    /// Writes these bytes and closes.
    Bytes(Vec<u8>),
    /// Says nothing and keeps the connection.
    Silence,
    /// Closes without a word.
    HangUp,
}

impl Answer {
    pub fn json(status: u16, body: &str) -> Self {
        Self::with(status, &[("content-type", "application/json")], body)
    }

    pub fn with(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let length = body.len();
        let text =
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        Self::Bytes(text.into_bytes())
    }
}

/// The server; it ends with the runtime of its test.
pub struct Server {
    address: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Starts to answer. `answer` gets the request and how many to the same method and path came before it.
    pub async fn start(answer: impl Fn(&Received, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!(
            "http://{}",
            listener.local_addr().expect("a bound socket has an address")
        );
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let (log, answer) = (received.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, log.clone(), answer.clone()));
            }
        });
        Self { address, received }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// All that has arrived.
    pub fn received(&self) -> Vec<Received> {
        self.received
            .lock()
            .expect("no test panics while it holds this")
            .clone()
    }

    /// What has arrived at one path, whatever its query.
    pub fn received_at(&self, path: &str) -> Vec<Received> {
        self.received()
            .into_iter()
            .filter(|request| path_of(&request.target) == path)
            .collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    log: Arc<Mutex<Vec<Received>>>,
    answer: Arc<impl Fn(&Received, usize) -> Answer>,
) {
    let Some(request) = read(&mut stream).await else { return };
    let before = {
        let mut log = log.lock().expect("no test panics while it holds this");
        let same =
            |other: &&Received| other.method == request.method && path_of(&other.target) == path_of(&request.target);
        let before = log.iter().filter(same).count();
        log.push(request.clone());
        before
    };
    match answer(&request, before) {
        // A client that stops reading early is what some tests are about.
        Answer::Bytes(bytes) => drop(stream.write_all(&bytes).await),
        Answer::Silence => std::future::pending().await,
        Answer::HangUp => {}
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let mut words = head.lines().next()?.split(' ').map(str::to_owned);
            let mut request = Received {
                method: words.next()?,
                target: words.next()?,
                head,
                body: String::new(),
            };
            let length: usize = request
                .header("content-length")
                .map_or(Some(0), |text| text.parse().ok())?;
            let mut body = bytes.split_off(end + 4);
            while body.len() < length {
                stream.read_buf(&mut body).await.ok().filter(|count| *count > 0)?;
            }
            request.body = String::from_utf8(body).ok()?;
            return Some(request);
        }
        stream.read_buf(&mut bytes).await.ok().filter(|count| *count > 0)?;
    }
}

fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or(target)
}
