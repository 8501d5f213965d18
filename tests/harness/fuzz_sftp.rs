//! The two targets for SFTP: a client's bytes before our server, and a server's bytes before our client. A good conversation of
//! the two with each other gives the seeds, so that these never lag behind the protocol.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::signature::PublicKey;
use amanahd::bell::Bell;
use amanahd::transport::link::{Denied, Exchange, Offer, OfferReader, PartWriter, WireName};
use amanahd::transport::{client, server};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// Most bytes of a packet, as both ends have it.
const PACKET_BYTES_MAX: usize = 256 * 1024;
/// Longest part that the twin keeps; what is written beyond is counted only.
const KEPT_BYTES_MAX: u64 = 1 << 20;
/// Nothing here waits for anything, so whatever takes so long would never end.
const ENDED_WITHIN: Duration = Duration::from_secs(30);
/// Turns that the client has between two packets of the server, to ask before it is answered.
const TURNS: u8 = 8;

/// What waits for the client, and what it hands over.
fn name() -> WireName {
    WireName::Bundle(Digest::of(b"seed"))
}

/// A peer's stages without files. What a channel may never ask of them fails here.
#[derive(Clone, Default)]
struct Twin(Arc<Mutex<u64>>);

impl Twin {
    /// How long its one part is.
    fn length(&self) -> MutexGuard<'_, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_peer(peer: &PartyId) {
    assert_eq!(peer.as_str(), "phu", "a channel is one peer's");
}

fn denied<T>() -> Result<T, Denied> {
    Err(Denied {
        code: "no-such-file".to_owned(),
        message: "nothing here".to_owned(),
    })
}

impl Exchange for Twin {
    fn may_connect(&self, _: &str, _: &PublicKey) -> Option<PartyId> {
        None
    }

    fn open_part(&self, peer: &PartyId, _: WireName) -> Result<Box<dyn PartWriter>, Denied> {
        is_peer(peer);
        Ok(Box::new(self.clone()))
    }

    fn part_prefix(&self, peer: &PartyId, _: WireName) -> Result<Option<u64>, Denied> {
        is_peer(peer);
        Ok(Some(*self.length()))
    }

    fn parts(&self, peer: &PartyId) -> Result<Vec<(WireName, u64)>, Denied> {
        is_peer(peer);
        Ok(vec![(name(), *self.length())])
    }

    fn drop_part(&self, peer: &PartyId, _: WireName) -> Result<(), Denied> {
        is_peer(peer);
        *self.length() = 0;
        Ok(())
    }

    fn left_part(&self, peer: &PartyId, name: WireName) -> Result<(), Denied> {
        self.drop_part(peer, name)
    }

    fn hand_over(&self, peer: &PartyId, _: WireName) -> Result<(), Denied> {
        is_peer(peer);
        Ok(())
    }

    fn offers(&self, peer: &PartyId) -> Result<Vec<Offer>, Denied> {
        is_peer(peer);
        let bytes = self.bytes();
        Ok(vec![Offer {
            name: name(),
            bytes,
        }])
    }

    fn open_offer(&self, peer: &PartyId, asked: WireName) -> Result<Box<dyn OfferReader>, Denied> {
        is_peer(peer);
        if asked == name() {
            Ok(Box::new(self.clone()))
        } else {
            denied()
        }
    }

    fn taken(&self, peer: &PartyId, _: WireName) -> Result<(), Denied> {
        is_peer(peer);
        Ok(())
    }

    fn offers_bell(&self, _: &PartyId) -> Bell {
        Bell::default()
    }
}

impl PartWriter for Twin {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Denied> {
        assert!(bytes.len() <= PACKET_BYTES_MAX, "more than a packet holds");
        let end = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let mut length = self.length();
        *length = end.min(KEPT_BYTES_MAX).max(*length);
        Ok(())
    }

    fn sync(&mut self) -> Result<u64, Denied> {
        Ok(*self.length())
    }
}

impl OfferReader for Twin {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        assert!(into.len() <= PACKET_BYTES_MAX, "more than a packet holds");
        let left = self.bytes().saturating_sub(offset);
        let read = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        into.get_mut(..read).unwrap_or_default().fill(7);
        Ok(read)
    }

    fn bytes(&self) -> u64 {
        300
    }
}

/// What a client sends: the server answers each whole request once, in packets that a client can read, and stops.
pub fn requests(bytes: &[u8]) {
    let answered = within(async {
        let (near, far) = tokio::io::duplex(PACKET_BYTES_MAX);
        let (mut reading, mut writing) = tokio::io::split(far);
        let sending = async {
            // The server may close before it has read all.
            let _sent = tokio::io::copy(&mut &*bytes, &mut writing).await;
            let _closed = tokio::io::AsyncWriteExt::shutdown(&mut writing).await;
        };
        let mut answers = Vec::new();
        let reading = reading.read_to_end(&mut answers);
        let serving = served(near);
        let (_, read, ()) = tokio::join!(sending, reading, serving);
        read.map(|_| answers)
    });
    let Some(Ok(answers)) = answered else {
        return;
    };
    let asked = packets(bytes).len();
    let answers = packets(&answers);
    assert!(
        answers.len() <= asked,
        "{} answers to {asked}",
        answers.len()
    );
    for answer in answers {
        // VERSION, STATUS, HANDLE, DATA, NAME, ATTRS, EXTENDED_REPLY.
        let kind = answer.first().copied();
        let known = matches!(kind, Some(2 | 101..=105 | 201));
        assert!(known, "an answer of kind {kind:?}");
    }
}

/// What a server sends: our client believes no more than was asked for, and stops.
pub fn answers(bytes: &[u8]) {
    let stream = tokio::io::join(Answers::new(bytes), tokio::io::sink());
    within(async {
        let mut next = 0_u64;
        let mut fetched = |at: u64, bytes: &[u8]| {
            assert_eq!(at, next, "a piece out of its order");
            next = next.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            Ok(())
        };
        // Whatever comes of it: it ended.
        let _talked = client::bare::talk(stream, name(), &mut fetched).await;
    });
}

/// What client and server say to each other: requests, answers.
#[must_use]
pub fn conversation() -> (Vec<u8>, Vec<u8>) {
    let tape = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    within(async {
        let (near, far) = tokio::io::duplex(PACKET_BYTES_MAX);
        let stream = Taped {
            inner: near,
            tape: Arc::clone(&tape),
        };
        let mut forgotten = |_, _: &[u8]| Ok(());
        let talking = client::bare::talk(stream, name(), &mut forgotten);
        let (talked, ()) = tokio::join!(talking, served(far));
        assert!(talked.is_ok(), "{talked:?}");
    });
    let tape = tape.lock().unwrap_or_else(PoisonError::into_inner);
    tape.clone()
}

async fn served<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) {
    let Ok(peer) = "phu".parse() else { return };
    server::bare::serve(stream, Arc::new(Twin::default()), peer).await;
}

/// Runs it to its end; none where this machine has no runtime.
fn within<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut building = tokio::runtime::Builder::new_current_thread();
    let runtime = building.enable_all().build().ok()?;
    let done = runtime.block_on(async { tokio::time::timeout(ENDED_WITHIN, work).await });
    assert!(done.is_ok(), "it waits for what will never come");
    done.ok()
}

/// The whole packets of a stream, up to the first that has no acceptable length.
fn packets(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut packets = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some(packet) = rest.get(..length).filter(|_| length > 0) else {
            break;
        };
        packets.push(packet);
        bytes = rest.get(length..).unwrap_or_default();
    }
    packets
}

/// A server's bytes, a packet at a time: the client has its turns before each, to ask what the packet answers.
struct Answers {
    bytes: Vec<u8>,
    at: usize,
    turns: u8,
}

impl Answers {
    fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            at: 0,
            turns: TURNS,
        }
    }
}

impl AsyncRead for Answers {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.turns > 0 {
            self.turns -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let whole = packets(rest)
            .first()
            .map_or(rest.len(), |first| first.len() + 4);
        let read = whole.min(into.remaining());
        into.put_slice(rest.get(..read).unwrap_or_default());
        self.at += read;
        self.turns = if read == whole { TURNS } else { 0 };
        Poll::Ready(Ok(()))
    }
}

/// A stream of which both directions are kept.
struct Taped<S> {
    inner: S,
    tape: Arc<Mutex<(Vec<u8>, Vec<u8>)>>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Taped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, into);
        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        tape.1
            .extend(into.filled().get(before..).unwrap_or_default());
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = &polled {
            let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
            tape.0.extend(bytes.get(..*written).unwrap_or_default());
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
