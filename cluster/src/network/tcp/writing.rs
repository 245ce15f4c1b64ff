//! Writes what waits: everything that is there when the stream can take more leaves in one write.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::frame::Frame;

/// Frames are gathered for one write until they have this many bytes.
const WRITE_BYTES: usize = 64 * 1024;

/// Writes frames until nobody is left who could send one.
pub(super) async fn write_frames<W: AsyncWrite + Unpin>(
    stream: &mut W,
    frames: &mut mpsc::Receiver<Frame>,
    write_timeout: Duration,
) -> io::Result<()> {
    let mut gathered = BytesMut::new();
    while let Some(frame) = frames.recv().await {
        frame.write_to(&mut gathered);
        while gathered.len() < WRITE_BYTES
            && let Ok(frame) = frames.try_recv()
        {
            frame.write_to(&mut gathered);
        }
        let write = async {
            stream.write_all(&gathered).await?;
            stream.flush().await
        };
        timeout(write_timeout, write)
            .await
            .map_err(|_| io::Error::other(format!("it took nothing for {write_timeout:?}")))??;
        gathered.clear();
        if gathered.capacity() > 2 * WRITE_BYTES {
            gathered = BytesMut::new();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use bytes::Bytes;

    use super::*;

    /// Counts writes.
    struct Counting(Vec<usize>);

    impl AsyncWrite for Counting {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.0.push(bytes.len());
            Poll::Ready(Ok(bytes.len()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn many_small_frames_leave_in_one_write() {
        let (sender, mut frames) = mpsc::channel(200);
        for number in 0..100 {
            sender
                .try_send(Frame::Request(number, Bytes::from_static(b"small")))
                .unwrap();
        }
        drop(sender);
        let mut stream = Counting(Vec::new());
        write_frames(&mut stream, &mut frames, Duration::from_secs(60))
            .await
            .unwrap();
        assert_eq!(stream.0, [100 * (4 + 9 + 5)]);
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (sender, mut frames) = mpsc::channel(1);
        sender.try_send(Frame::Request(1, Bytes::from(vec![0; 100]))).unwrap();
        let (mut stream, _peer) = tokio::io::duplex(10);
        let written = write_frames(&mut stream, &mut frames, Duration::from_millis(2)).await;
        assert!(written.unwrap_err().to_string().contains("2ms"));
    }
}
