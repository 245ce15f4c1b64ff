//! How two nodes get to know each other on a new connection: hello for hello, or a refusal that tells why.

use std::time::Duration;

use bytes::{BufMut as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::hello::{Greeting, Hello, NoGreeting};
use super::limits::{BODY_BYTES_MAX, HELLO_BYTES_MAX};
use super::local_node::LocalNode;
use super::reading::{MessageReader, ReadError};
use super::security::{Replacement, Secured};
use super::socket::BoxedStream;
use super::tls::io_reason;

/// How long, and for how many bytes, a refused connection is kept open so that the other side can read why.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 64 * 1024;

/// A connection over which two nodes know each other.
pub(super) struct Established {
    pub(super) reader: MessageReader<ReadHalf<BoxedStream>>,
    pub(super) writer: WriteHalf<BoxedStream>,
    pub(super) peer: Hello,
    /// The version of the wire that both speak.
    pub(super) version: u16,
    pub(super) replacement: Replacement,
}

/// Half way there.
pub(super) struct Stranger {
    reader: MessageReader<ReadHalf<BoxedStream>>,
    writer: WriteHalf<BoxedStream>,
    replacement: Replacement,
}

impl Stranger {
    pub(super) fn new(secured: Secured) -> Self {
        let (reader, writer) = tokio::io::split(secured.stream);
        Self {
            reader: MessageReader::new(reader, HELLO_BYTES_MAX),
            writer,
            replacement: secured.replacement,
        }
    }

    /// Says hello first, to the node of this number.
    pub(super) async fn dial(mut self, local: &LocalNode, node_id: u64) -> Result<Established, String> {
        let own = local.hello();
        self.say(&Greeting::Hello(own.clone())).await?;
        let peer = match self.hear().await {
            Ok(Greeting::Hello(peer)) => peer,
            other => return Err(self.give_up(other).await),
        };
        let checked = if peer.node_id == node_id {
            local.meet(&own, &peer)
        } else {
            Err(format!(
                "node {} answered at the address of node {node_id}",
                peer.node_id
            ))
        };
        match checked {
            Ok(version) => {
                self.say(&Greeting::Agreed).await?;
                Ok(self.established(peer, version))
            }
            Err(reason) => Err(self.refuse(reason).await),
        }
    }

    /// Waits for a hello, and answers with this node's if `check` has nothing against it.
    pub(super) async fn answer(
        mut self,
        local: &LocalNode,
        check: impl FnOnce(&Hello) -> Result<(), String>,
    ) -> Result<Established, String> {
        let peer = match self.hear().await {
            Ok(Greeting::Hello(peer)) => peer,
            other => return Err(self.give_up(other).await),
        };
        let own = local.hello();
        match check(&peer).and_then(|()| local.meet(&own, &peer)) {
            Ok(version) => {
                self.say(&Greeting::Hello(own)).await?;
                match self.hear().await {
                    Ok(Greeting::Agreed) => Ok(self.established(peer, version)),
                    other => Err(self.give_up(other).await),
                }
            }
            Err(reason) if own.cluster_id == peer.cluster_id && own.outlives(&peer) => {
                Err(self.show(own, reason).await)
            }
            Err(reason) => Err(self.refuse(reason).await),
        }
    }

    /// Lets the other side see for itself that it is outlived, so that it stops, and returns why it was refused.
    async fn show(mut self, own: Hello, reason: String) -> String {
        if self.say(&Greeting::Hello(own)).await.is_ok() && matches!(self.hear().await, Ok(Greeting::Refused(_))) {
            return reason;
        }
        self.refuse(reason).await
    }

    fn established(mut self, peer: Hello, version: u16) -> Established {
        self.reader.set_length_max(BODY_BYTES_MAX);
        Established {
            reader: self.reader,
            writer: self.writer,
            peer,
            version,
            replacement: self.replacement,
        }
    }

    async fn say(&mut self, greeting: &Greeting) -> Result<(), String> {
        let body = greeting.to_bytes();
        let mut message = BytesMut::new();
        message.put_u32(u32::try_from(body.len()).expect("greetings are short"));
        message.put(body);
        let write = async {
            self.writer.write_all(&message).await?;
            self.writer.flush().await
        };
        write.await.map_err(|error| io_reason(&error))
    }

    async fn hear(&mut self) -> Result<Greeting, String> {
        let message = self.reader.next().await.map_err(|error| match error {
            ReadError::Broken(error) => io_reason(&error),
            ReadError::TooLong { .. } => NoGreeting.to_string(),
            other => other.to_string(),
        })?;
        Greeting::read(message).map_err(|error| error.to_string())
    }

    /// Ends what did not go on as it should, and returns why.
    async fn give_up(self, heard: Result<Greeting, String>) -> String {
        match heard {
            Ok(Greeting::Refused(reason)) => format!("it refused the connection: {reason}"),
            Ok(Greeting::Hello(_) | Greeting::Agreed) => self.refuse(NoGreeting.to_string()).await,
            Err(reason) => self.refuse(reason).await,
        }
    }

    /// Tells the other side why, and returns the reason.
    async fn refuse(mut self, reason: String) -> String {
        if self.say(&Greeting::Refused(reason.clone())).await.is_ok() {
            let stream = self.reader.into_inner();
            linger(&mut stream.unsplit(self.writer)).await;
        }
        reason
    }
}

/// Ends the writing side and reads on for a moment: a connection that is closed while there is something to read is
/// reset, and the other side might lose what was written last.
pub(super) async fn linger<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let until_closed = async {
        if stream.shutdown().await.is_ok() {
            let _ = tokio::io::copy(&mut stream.take(LINGER_BYTES), &mut tokio::io::sink()).await;
        }
    };
    let _ = timeout(LINGER, until_closed).await;
}
