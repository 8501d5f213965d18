//! A guard around the SFTP codec. The codec skips nothing when a packet is too long: it would read the packet's own
//! bytes as the next requests and execute them. Here the stream ends instead, before such a length is seen. It ends
//! too when the peer stops reading our answers, so that a stalled channel cannot hold its connection for ever. And a
//! request that the codec cannot read is answered under its own number: under 0 its sender would wait for ever.

use std::borrow::Cow;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::transport::algorithms::SFTP_PACKET_BYTES_MAX;

/// How long an answer may wait for the peer to make room for it.
const STALL_MAX: Duration = Duration::from_secs(120);

/// SSH_FXP_STATUS, request 0, SSH_FX_BAD_MESSAGE: how the codec's answer to what it cannot read begins.
const UNREADABLE: [u8; 9] = [101, 0, 0, 0, 0, 0, 0, 0, 5];

/// The guarded stream.
pub(super) struct Framed<S> {
    inner: S,
    frames: Frames,
    /// How many bytes of the answer under way are to be written.
    unwritten: usize,
    over: bool,
    stall_max: Duration,
    stall: Option<Pin<Box<Sleep>>>,
}

/// Where in the sequence of packets the reader is.
#[derive(Default)]
struct Frames {
    length: [u8; 4],
    /// How many bytes of the length were seen.
    seen: usize,
    /// How many bytes of the packet are to come.
    rest: usize,
    /// Type and number of the request: the codec reads no further before it has answered.
    head: [u8; 5],
    /// How many bytes of them were seen.
    head_seen: usize,
}

impl Frames {
    /// How many of `bytes` may pass: all, or those before a packet of no acceptable length.
    fn passable(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        while let Some(coming) = bytes.get(at..).filter(|coming| !coming.is_empty()) {
            if self.rest > 0 {
                let taken = self.rest.min(coming.len());
                self.rest = self.rest.saturating_sub(taken);
                self.note(coming.get(..taken).unwrap_or_default());
                at = at.saturating_add(taken);
                continue;
            }
            if let (Some(slot), Some(byte)) = (self.length.get_mut(self.seen), coming.first()) {
                *slot = *byte;
            }
            self.seen = self.seen.saturating_add(1);
            at = at.saturating_add(1);
            if self.seen == self.length.len() {
                self.seen = 0;
                self.head_seen = 0;
                let length = u32::from_be_bytes(self.length);
                if length == 0 || length > SFTP_PACKET_BYTES_MAX {
                    return Err(at.saturating_sub(self.length.len()));
                }
                self.rest = usize::try_from(length).unwrap_or(usize::MAX);
            }
        }
        Ok(())
    }

    /// Remembers the head of a packet.
    fn note(&mut self, bytes: &[u8]) {
        let head = self.head.get_mut(self.head_seen..).unwrap_or_default();
        for (slot, byte) in head.iter_mut().zip(bytes) {
            *slot = *byte;
            self.head_seen = self.head_seen.saturating_add(1);
        }
    }

    /// The number of the request, if it has one.
    fn number(&self) -> Option<&[u8]> {
        self.head
            .get(1..)
            .filter(|_| self.head_seen == self.head.len())
    }
}

impl<S> Framed<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            frames: Frames::default(),
            unwritten: 0,
            over: false,
            stall_max: STALL_MAX,
            stall: None,
        }
    }

    /// An answer under the number of its request. The codec begins to write each answer as a whole.
    fn numbered<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let unreadable = self.unwritten == 0 && bytes.get(4..13) == Some(&UNREADABLE);
        let Some(number) = self.frames.number().filter(|_| unreadable) else {
            return Cow::Borrowed(bytes);
        };
        let mut answer = bytes.to_vec();
        if let Some(slot) = answer.get_mut(5..9) {
            slot.copy_from_slice(number);
        }
        Cow::Owned(answer)
    }

    /// A write that waits too long ends the stream.
    fn stalled(&mut self, cx: &mut Context<'_>) -> bool {
        let stall_max = self.stall_max;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(stall_max)));
        let stalled = stall.as_mut().poll(cx).is_ready();
        self.over |= stalled;
        stalled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Framed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.over {
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, into);
        let read = into.filled().get(before..).unwrap_or_default();
        if let Err(passable) = self.frames.passable(read) {
            tracing::warn!("closed a channel: a packet of no acceptable length");
            self.over = true;
            into.set_filled(before.saturating_add(passable));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let answer = self.numbered(bytes);
        match Pin::new(&mut self.inner).poll_write(cx, &answer) {
            Poll::Ready(written) => {
                self.stall = None;
                if let Ok(written) = &written {
                    self.unwritten = bytes.len().saturating_sub(*written);
                }
                Poll::Ready(written)
            }
            Poll::Pending if self.stalled(cx) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    async fn passed(bytes: &[u8]) -> Vec<u8> {
        let mut passed = Vec::new();
        Framed::new(bytes).read_to_end(&mut passed).await.unwrap();
        passed
    }

    #[tokio::test]
    async fn packets_of_any_acceptable_length_pass() {
        let largest = usize::try_from(SFTP_PACKET_BYTES_MAX).unwrap();
        let mut packets = vec![0, 0, 0, 1, 9, 0, 0, 0, 3, 1, 2, 3];
        packets.extend(SFTP_PACKET_BYTES_MAX.to_be_bytes());
        packets.extend(vec![7; largest]);
        assert_eq!(passed(&packets).await, packets);
    }

    #[tokio::test]
    async fn nothing_behind_an_empty_or_over_long_packet_is_seen() {
        for wrong in [0, SFTP_PACKET_BYTES_MAX + 1, u32::MAX] {
            let good = [0, 0, 0, 2, 5, 6];
            let bytes = [&good[..], &wrong.to_be_bytes(), &good].concat();
            assert_eq!(passed(&bytes).await, good, "{wrong}");
            let mut byte_by_byte = Framed::new(&bytes[..]);
            let mut seen = Vec::new();
            while let Ok(byte) = byte_by_byte.read_u8().await {
                seen.push(byte);
            }
            assert_eq!(seen[..6], good);
            assert!(seen.len() < 10, "the whole of a wrong length passed");
        }
    }

    proptest::proptest! {
        /// Any bytes, in any pieces: what passes is whole packets of acceptable lengths, perhaps the last of them cut short.
        #[test]
        fn what_passes_does_not_depend_on_the_pieces(
            bytes in proptest::collection::vec(proptest::prelude::prop_oneof![9 => 0_u8..4, 1 => 0_u8..=255], 0..200),
            piece in 1_usize..9,
        ) {
            let all = Frames::default().passable(&bytes).err().unwrap_or(bytes.len());
            let (mut frames, mut passed) = (Frames::default(), 0);
            for part in bytes.chunks(piece) {
                match frames.passable(part) {
                    Ok(()) => passed += part.len(),
                    // Of a wrong length some bytes may have passed before, never all four.
                    Err(before) => {
                        proptest::prop_assert!(passed + before >= all && passed + before < all + 4);
                        passed = all;
                        break;
                    }
                }
            }
            proptest::prop_assert!(passed >= all);
            let (mut rest, largest) = (&bytes[..all], usize::try_from(SFTP_PACKET_BYTES_MAX).unwrap());
            while rest.len() >= 4 {
                let length = usize::try_from(u32::from_be_bytes(rest[..4].try_into().unwrap())).unwrap();
                proptest::prop_assert!((1..=largest).contains(&length));
                rest = rest.get(4 + length..).unwrap_or_default();
            }
        }
    }

    #[tokio::test]
    async fn an_unreadable_request_is_answered_under_its_own_number() {
        use tokio::io::AsyncWriteExt;
        let unreadable = [&[0, 0, 0, 9][..], &UNREADABLE].concat();
        for (request, number) in [
            (&[0, 0, 0, 6, 99, 1, 2, 3, 4, 5][..], [1, 2, 3, 4]),
            (&[0, 0, 0, 2, 99, 1], [0; 4]),
        ] {
            let (near, mut far) = tokio::io::duplex(64);
            let mut framed = Framed::new(near);
            far.write_all(request).await.unwrap();
            framed
                .read_exact(&mut vec![0; request.len()])
                .await
                .unwrap();
            framed.write_all(&unreadable).await.unwrap();
            let mut answer = [0; 13];
            far.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer[5..9], number);
        }
    }

    #[tokio::test]
    async fn what_only_looks_like_such_an_answer_passes_as_it_is() {
        use tokio::io::AsyncWriteExt;
        let (near, mut far) = tokio::io::duplex(4);
        let mut framed = Framed::new(near);
        let request = [0, 0, 0, 5, 99, 1, 2, 3, 4];
        far.write_all(&request[..4]).await.unwrap();
        framed.read_exact(&mut [0; 4]).await.unwrap();
        let rest = async { far.write_all(&request[4..]).await.unwrap() };
        let mut passing = [0; 5];
        let (_, passed) = tokio::join!(rest, framed.read_exact(&mut passing));
        passed.unwrap();
        // The middle of an answer, from the fifth byte on as the pipe takes four.
        let answer = [&[0, 0, 0, 17][..], &[0, 0, 0, 9], &UNREADABLE].concat();
        let mut seen = vec![0; answer.len()];
        let (sent, read) = tokio::join!(framed.write_all(&answer), far.read_exact(&mut seen));
        sent.unwrap();
        read.unwrap();
        assert_eq!(seen, answer);
    }

    #[tokio::test]
    async fn a_peer_that_reads_no_answers_ends_the_stream() {
        use tokio::io::AsyncWriteExt;
        let (near, _far) = tokio::io::duplex(16);
        let mut framed = Framed::new(near);
        framed.stall_max = Duration::ZERO;
        let error = framed.write_all(&[0; 17]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(framed.read(&mut [0]).await.unwrap(), 0);
    }
}
