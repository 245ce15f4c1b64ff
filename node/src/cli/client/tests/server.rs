//! A server of canned answers on a real socket: one request a connection.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The requests that came, as `METHOD /target body`.
pub type Log = Arc<Mutex<Vec<String>>>;

/// Starts a server that hands out tokens and answers everything else with `status` and `body`; its address and its log.
pub async fn start(status: u16, body: &'static str) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!(
        "http://{}",
        listener.local_addr().expect("a bound socket has an address")
    );
    let log = Log::default();
    let noted = log.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, noted.clone(), status, body));
        }
    });
    (address, log)
}

async fn serve(mut stream: TcpStream, log: Log, status: u16, body: &'static str) {
    let Some(request) = read(&mut stream).await else { return };
    let (status, body) = match request.starts_with("POST /oauth2/token") {
        true => (
            200,
            r#"{"access_token":"t0ken","token_type":"Bearer","expires_in":60,"scope":"agents:read"}"#,
        ),
        false => (status, body),
    };
    log.lock().expect("no test panics while it holds this").push(request);
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\netag: \"3\"\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await.expect("the client reads");
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        text.push_str(std::str::from_utf8(&chunk[..count]).ok()?);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let announced = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= announced.unwrap_or(0) {
            let line = head.lines().next()?.trim_end_matches(" HTTP/1.1");
            return Some(format!("{line} {body}").trim_end().to_owned());
        }
    }
}
