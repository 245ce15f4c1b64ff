//! Distance between nodes: a relay that hands on every byte after a fixed time, in the order in which they came.
//!
//! It stands in for `tc netem`, which not every kernel has, and needs no rights. It is a thread on the same cores as
//! everything else, and timers wake it to the millisecond: what it adds beyond the fixed time is measured with the rest.
//! Connections are made without delay; nodes keep theirs.
#![allow(clippy::disallowed_methods, reason = "a relay delays in real time")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

/// How many pieces are under way at most in one direction; whoever sends more waits.
const PIECES: usize = 4_096;
const PIECE_BYTES: usize = 64 * 1024;

/// Listens at one address and hands on to another. Ends when it is dropped.
pub struct Relay {
    // The thread ends when this is dropped.
    _alive: oneshot::Sender<()>,
}

impl Relay {
    /// Each direction takes `one_way`.
    pub fn start(listen: SocketAddr, to: SocketAddr, one_way: Duration) -> Self {
        let (alive, ended) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listen, to, one_way) => {}
                    _ = ended => {}
                }
            });
        });
        Self { _alive: alive }
    }
}

async fn serve(listen: SocketAddr, to: SocketAddr, one_way: Duration) {
    let listener = TcpListener::bind(listen).await.expect("the port was just given up");
    loop {
        let Ok((near, _)) = listener.accept().await else {
            continue;
        };
        let Ok(far) = TcpStream::connect(to).await else {
            continue;
        };
        // Not setting it only makes it slower.
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        carry(near_read, far_write, one_way);
        carry(far_read, near_write, one_way);
    }
}

fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, one_way: Duration) {
    let (sender, mut pieces) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    tokio::spawn(async move {
        loop {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            match from.read_buf(&mut piece).await {
                Ok(0) | Err(_) => return,
                Ok(_) if sender.send((Instant::now() + one_way, piece)).await.is_err() => return,
                Ok(_) => {}
            }
        }
    });
    tokio::spawn(async move {
        while let Some((due, piece)) = pieces.recv().await {
            tokio::time::sleep_until(due.into()).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    });
}
