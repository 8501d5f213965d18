//! Writing behind: what was written is hashed, counted and passed on by a thread of its own, beside the work that makes more of it.
//! The mirror image of `ahead`. Bytes keep their order; a failure of the writer ends the next write, or `finish`.

use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::{
    ahead::PIECE_BYTES,
    digest::{Digest, HashingWriter},
};

/// Pieces that wait to be written. With the two that are being filled and written: 1.5 MiB in all.
const PIECES_WAITING: usize = 4;

/// A writer whose bytes are whole only after [`Behind::finish`].
pub(crate) struct Behind<W> {
    piece: Vec<u8>,
    place: Place<W>,
}

/// Where the writing is done.
enum Place<W> {
    /// Here, as long as one piece holds it all: a thread would cost more than it saves.
    Here(HashingWriter<W>),
    /// On a thread.
    There(Thread<W>),
    /// It failed before.
    Nowhere,
}

struct Thread<W> {
    filled: SyncSender<Vec<u8>>,
    /// Pieces come back to be filled again.
    empty: Receiver<Vec<u8>>,
    writing: JoinHandle<io::Result<HashingWriter<W>>>,
}

impl<W: Write + Send + 'static> Behind<W> {
    /// Nothing is written yet.
    pub(crate) fn new(inner: W) -> Self {
        Self {
            piece: Vec::new(),
            place: Place::Here(HashingWriter::new(inner)),
        }
    }

    /// Writes the rest; the inner writer, the digest and the count of all that was written.
    ///
    /// # Errors
    /// The inner writer's, of any write.
    pub(crate) fn finish(mut self) -> io::Result<(W, Digest, u64)> {
        let rest = mem::take(&mut self.piece);
        match mem::replace(&mut self.place, Place::Nowhere) {
            Place::Here(mut writer) => {
                writer.write_all(&rest)?;
                Ok(writer.finish())
            }
            Place::There(thread) => {
                // Nobody takes it where an earlier write failed, which is then what is said.
                let _ = thread.filled.send(rest);
                Ok(thread.ended()?.finish())
            }
            Place::Nowhere => Err(failed_before()),
        }
    }

    /// Passes a full piece on.
    fn pass_on(&mut self) -> io::Result<()> {
        let thread = match mem::replace(&mut self.place, Place::Nowhere) {
            Place::Here(writer) => Thread::start(writer)?,
            Place::There(thread) => thread,
            Place::Nowhere => return Err(failed_before()),
        };
        let mut empty = thread.empty.try_recv().unwrap_or_default();
        empty.clear();
        if thread
            .filled
            .send(mem::replace(&mut self.piece, empty))
            .is_err()
        {
            return Err(thread.ended().err().unwrap_or_else(failed_before));
        }
        self.place = Place::There(thread);
        Ok(())
    }
}

impl<W: Write + Send + 'static> Write for Behind<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() >= PIECE_BYTES {
            self.pass_on()?;
        }
        let room = PIECE_BYTES.saturating_sub(self.piece.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.piece.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// Does nothing: see [`Behind::finish`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write + Send + 'static> Thread<W> {
    fn start(mut writer: HashingWriter<W>) -> io::Result<Self> {
        let (filled, waiting) = sync_channel::<Vec<u8>>(PIECES_WAITING);
        let (written, empty) = sync_channel(PIECES_WAITING + 2);
        let thread = thread::Builder::new().name("write-behind".to_owned());
        let writing = thread.spawn(move || {
            for piece in waiting {
                writer.write_all(&piece)?;
                // Nobody may want it back any more.
                let _ = written.try_send(piece);
            }
            Ok(writer)
        })?;
        Ok(Self {
            filled,
            empty,
            writing,
        })
    }

    /// Its writer, once all is written.
    fn ended(self) -> io::Result<HashingWriter<W>> {
        drop(self.filled);
        let ended = self.writing.join();
        ended.map_err(|_| io::Error::other("writing behind ended early"))?
    }
}

fn failed_before() -> io::Error {
    io::Error::other("an earlier write failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes and then no more.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let Some(left) = self.0.checked_sub(bytes.len()) else {
                return Err(io::ErrorKind::StorageFull.into());
            };
            self.0 = left;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn bytes(length: usize) -> Vec<u8> {
        (0_u8..251).cycle().take(length).collect()
    }

    #[test]
    fn every_length_is_written_whole_in_order_and_hashed() {
        for length in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 9 * PIECE_BYTES + 7] {
            let sent = bytes(length);
            let mut behind = Behind::new(Vec::new());
            for part in sent.chunks(100_000) {
                behind.write_all(part).unwrap();
            }
            let (written, digest, count) = behind.finish().unwrap();
            assert_eq!(digest, Digest::of(&sent));
            assert_eq!(usize::try_from(count).unwrap(), length);
            assert_eq!(written, sent);
        }
    }

    #[test]
    fn a_failure_of_the_writer_is_said_and_nothing_is_finished_after_it() {
        for room in [0, PIECE_BYTES, 3 * PIECE_BYTES + 1] {
            let mut behind = Behind::new(Full(room));
            let sent = bytes(20 * PIECE_BYTES);
            let written = behind.write_all(&sent).unwrap_err();
            assert_eq!(written.kind(), io::ErrorKind::StorageFull);
            assert!(behind.write_all(&sent).is_err());
            assert!(behind.finish().is_err());
        }
        let mut behind = Behind::new(Full(3));
        behind.write_all(b"four").unwrap();
        let finished = behind.finish().err().unwrap();
        assert_eq!(finished.kind(), io::ErrorKind::StorageFull);
    }
}
