//! A channel as a stream whose unread bytes are bounded. The library bounds messages, not bytes: room for the requests
//! that a stock client keeps in flight would be room for 64 MiB of data, on each channel. And a session that waits for
//! room reads no window adjustment, while whoever waits for window makes no room. Here small requests always find
//! room, and large ones wait.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::transport::algorithms::PACKET_BYTES_MAX;

/// Bytes that may wait on a channel to be read: what our client keeps in flight.
const UNREAD_BYTES_MAX: u32 = 8 << 20;
/// What a piece costs at least: its own size in memory.
const PIECE_BYTES_MIN: u32 = 128;

/// Bytes that wait, and their share of the room.
struct Piece {
    bytes: Vec<u8>,
    read: usize,
    _share: OwnedSemaphorePermit,
}

/// Both directions of a channel. Dropping it closes the channel.
pub(super) struct Piped<S> {
    queue: UnboundedReceiver<Piece>,
    current: Option<Piece>,
    outlet: WriteHalf<S>,
}

impl<S: AsyncRead + AsyncWrite + Send + 'static> Piped<S> {
    pub(super) fn new(channel: S) -> Self {
        let (reading, outlet) = split(channel);
        let (sender, queue) = unbounded_channel();
        tokio::spawn(pump(reading, sender));
        Self {
            queue,
            current: None,
            outlet,
        }
    }
}

/// Takes bytes off the session's hands, as long as there is room and a reader.
async fn pump<S: AsyncRead>(mut channel: ReadHalf<S>, queue: UnboundedSender<Piece>) {
    let room = Arc::new(Semaphore::new(
        usize::try_from(UNREAD_BYTES_MAX).unwrap_or(usize::MAX),
    ));
    let mut buffer = vec![0; usize::try_from(PACKET_BYTES_MAX).unwrap_or(usize::MAX)];
    loop {
        let read = tokio::select! {
            read = channel.read(&mut buffer) => read,
            () = queue.closed() => return,
        };
        let Some(bytes) = read
            .ok()
            .filter(|read| *read > 0)
            .and_then(|read| buffer.get(..read))
        else {
            return;
        };
        let cost = u32::try_from(bytes.len())
            .unwrap_or(UNREAD_BYTES_MAX)
            .clamp(PIECE_BYTES_MIN, UNREAD_BYTES_MAX);
        // The semaphore is never closed, and a reader that goes gives its room back.
        let Ok(share) = Arc::clone(&room).acquire_many_owned(cost).await else {
            return;
        };
        let piece = Piece {
            bytes: bytes.to_vec(),
            read: 0,
            _share: share,
        };
        if queue.send(piece).is_err() {
            return;
        }
    }
}

impl Piece {
    /// Copies what fits; whether that was all that is left.
    fn take(&mut self, into: &mut ReadBuf<'_>) -> bool {
        let rest = self.bytes.get(self.read..).unwrap_or_default();
        let taken = rest.get(..into.remaining()).unwrap_or(rest);
        into.put_slice(taken);
        self.read = self.read.saturating_add(taken.len());
        taken.len() == rest.len()
    }
}

impl<S> AsyncRead for Piped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.current.is_none() {
            self.current = ready!(self.queue.poll_recv(cx));
        }
        // Pieces are never empty: nothing read says that the channel has ended.
        if self.current.as_mut().is_some_and(|piece| piece.take(into)) {
            self.current = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite> AsyncWrite for Piped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.outlet).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.outlet).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.outlet).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn what_is_sent_is_read_in_order_and_then_the_end() {
        let (near, mut far) = tokio::io::duplex(100);
        let mut piped = Piped::new(near);
        let sending = async {
            for byte in 0..200 {
                far.write_all(&[byte; 33]).await.unwrap();
            }
            drop(far);
        };
        let mut seen = Vec::new();
        tokio::join!(sending, piped.read_to_end(&mut seen))
            .1
            .unwrap();
        let expected: Vec<u8> = (0..200).flat_map(|byte| [byte; 33]).collect();
        assert_eq!(seen, expected);
    }

    #[tokio::test]
    async fn unread_bytes_are_bounded_and_dropping_the_stream_ends_the_channel() {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let piped = Piped::new(near);
        let chunk = vec![0; 1 << 16];
        let mut sent: usize = 0;
        let mut flood = async || {
            loop {
                far.write_all(&chunk).await?;
                sent += chunk.len();
            }
        };
        tokio::select! {
            biased;
            _ = flood() => panic!("the flood ended"),
            () = async { for _ in 0..10_000 { tokio::task::yield_now().await } } => {}
        }
        drop(piped);
        let ended: io::Result<()> = flood().await;
        assert!(ended.is_err());
        let most = usize::try_from(UNREAD_BYTES_MAX).unwrap() + 4 * chunk.len();
        assert!(sent <= most, "{sent} bytes went in");
    }
}
