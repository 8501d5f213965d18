//! Reading ahead: a source is read on a thread of its own, so that its work (a disk's wait, decryption, decompression) and that
//! of its reader (hashing, writing) go on side by side. Sealing and opening both do it.
//!
//! Bytes and the first failure come in the order in which they were read: what a reader sees never depends on how the threads
//! ran. Memory is bounded by the pieces below.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// What is handed over at a time: large enough that a hand-over costs nothing beside the work on it.
pub(crate) const PIECE_BYTES: usize = 256 * 1024;
/// Pieces that wait for the reader. With the two that are being filled and read: 1.5 MiB in all.
const PIECES_WAITING: usize = 4;

/// A filled piece, or why there is none. An empty one is the end.
type Piece = io::Result<Vec<u8>>;

/// Reads `source` ahead while `work` reads what came of it. Whatever `work` leaves unread is dropped; the source is given back
/// where it then stands.
///
/// # Errors
/// This machine has no thread left.
pub(crate) fn reading<S, T>(source: S, work: impl FnOnce(&mut Ahead) -> T) -> io::Result<(T, S)>
where
    S: Read + Send,
{
    let (filled, waiting) = sync_channel(PIECES_WAITING);
    let (read, empty) = sync_channel(PIECES_WAITING + 2);
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("read-ahead".to_owned());
        let filling = thread.spawn_scoped(scope, move || fill(source, &filled, &empty))?;
        let mut ahead = Ahead {
            waiting,
            read,
            piece: Vec::new(),
            at: 0,
            ended: false,
        };
        let done = work(&mut ahead);
        // Without a reader the other side ends at its next hand-over.
        drop(ahead);
        let source = filling
            .join()
            .map_err(|_| io::Error::other("reading ahead ended early"))?;
        Ok((done, source))
    })
}

/// Until the end, a failure, or nobody is there to take it.
fn fill<S: Read>(mut source: S, filled: &SyncSender<Piece>, empty: &Receiver<Vec<u8>>) -> S {
    loop {
        let mut piece = empty.try_recv().unwrap_or_default();
        piece.resize(PIECE_BYTES, 0);
        let read = read_full(&mut source, &mut piece);
        let is_last = !matches!(read, Ok(PIECE_BYTES));
        let (bytes, failure) = match read {
            Ok(bytes) => (bytes, None),
            Err((bytes, error)) => (bytes, Some(error)),
        };
        piece.truncate(bytes);
        if bytes > 0 && filled.send(Ok(piece)).is_err() {
            return source;
        }
        if is_last {
            // The end, or what it failed with, stands behind all that was read before it.
            let _ = filled.send(failure.map_or_else(|| Ok(Vec::new()), Err));
            return source;
        }
    }
}

/// As much as fits, or less at the end; with a failure, how much came before it.
fn read_full(source: &mut impl Read, into: &mut [u8]) -> Result<usize, (usize, io::Error)> {
    let mut filled = 0;
    while let Some(room) = into.get_mut(filled..).filter(|room| !room.is_empty()) {
        match source.read(room) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((filled, error)),
        }
    }
    Ok(filled)
}

/// The reader's side.
pub(crate) struct Ahead {
    waiting: Receiver<Piece>,
    /// Pieces go back to be filled again.
    read: SyncSender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Ahead {
    /// The next piece, once this one is read.
    fn turn(&mut self) -> io::Result<()> {
        let piece = match self.waiting.recv() {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => {
                self.ended = true;
                return Err(error);
            }
            Err(_) => Vec::new(),
        };
        self.ended = piece.is_empty();
        self.at = 0;
        // Nobody may be there to fill it any more.
        let _ = self
            .read
            .try_send(std::mem::replace(&mut self.piece, piece));
        Ok(())
    }
}

impl Read for Ahead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.piece.len() && !self.ended {
            self.turn()?;
        }
        Ok(self.piece.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, read: usize) {
        self.at = self.at.saturating_add(read).min(self.piece.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails with this after its bytes.
    struct Failing<'a>(&'a [u8]);

    impl Read for Failing<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(io::ErrorKind::TimedOut.into()),
                read => Ok(read),
            }
        }
    }

    fn bytes(length: usize) -> Vec<u8> {
        (0_u8..251).cycle().take(length).collect()
    }

    #[test]
    fn every_length_comes_whole_and_in_order_and_the_source_comes_back() {
        for length in [
            0,
            1,
            PIECE_BYTES - 1,
            PIECE_BYTES,
            PIECE_BYTES + 1,
            9 * PIECE_BYTES + 7,
        ] {
            let sent = bytes(length);
            let (came, rest) = reading(sent.as_slice(), |ahead| {
                let mut came = Vec::new();
                ahead.read_to_end(&mut came).unwrap();
                assert_eq!(ahead.read(&mut [0; 8]).unwrap(), 0, "the end stays the end");
                came
            })
            .unwrap();
            assert_eq!(came, sent);
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn a_failure_comes_after_all_that_was_read_before_it() {
        let sent = bytes(2 * PIECE_BYTES + 5);
        let (came, _) = reading(Failing(&sent), |ahead| {
            let mut came = Vec::new();
            let failure = ahead.read_to_end(&mut came).unwrap_err();
            assert_eq!(failure.kind(), io::ErrorKind::TimedOut);
            came
        })
        .unwrap();
        assert_eq!(came, sent);
    }

    #[test]
    fn a_reader_that_stops_early_ends_the_reading() {
        let (first, _) = reading(io::repeat(7), |ahead| {
            let mut first = [0; 3];
            ahead.read_exact(&mut first).unwrap();
            first
        })
        .unwrap();
        assert_eq!(first, [7; 3]);
    }
}
