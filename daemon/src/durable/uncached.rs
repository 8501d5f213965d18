//! A long file on its way to disk past the page cache, written by a thread of its own beside the work that makes more of it.
//! open(2), `O_DIRECT`: copying it into the cache would cost processor time, and put out what others keep there.
//!
//! A help, never a promise: where the file system cannot, and for a short file, which its reader wants at once, it is written as
//! any other. Whoever wants it on disk syncs it as always when it is whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::Steady;

/// A file of at least so many bytes is long.
const LONG_BYTES_MIN: u64 = 32 * 1024 * 1024;
/// What is handed over at a time: enough that a disk is busy with each.
const PIECE_BYTES: usize = 1024 * 1024;
/// Pieces that wait to be written. With the two that are being filled and written: 4 MiB in all.
const PIECES_WAITING: usize = 2;
/// What no disk's block is larger than: where a piece lies in memory, how long it is, and where in the file.
const ALIGNED_BYTES: usize = 4096;

/// Room for bytes, aligned.
#[derive(Debug)]
pub struct Piece {
    bytes: Vec<u8>,
    start: usize,
    filled: usize,
}

impl Default for Piece {
    fn default() -> Self {
        let bytes = vec![0; PIECE_BYTES + ALIGNED_BYTES];
        let start = bytes.as_ptr().align_offset(ALIGNED_BYTES);
        Self {
            bytes,
            start,
            filled: 0,
        }
    }
}

impl Piece {
    fn room(&mut self) -> &mut [u8] {
        let (from, to) = (self.start + self.filled, self.start + PIECE_BYTES);
        self.bytes.get_mut(from..to).unwrap_or_default()
    }

    fn filled(&self) -> &[u8] {
        let to = self.start + self.filled;
        self.bytes.get(self.start..to).unwrap_or_default()
    }

    fn emptied(mut self) -> Self {
        self.filled = 0;
        self
    }

    fn is_full(&self) -> bool {
        self.filled >= PIECE_BYTES
    }
}

/// A file under way.
#[derive(Debug)]
pub struct Uncached {
    piece: Piece,
    place: Place,
}

/// Where the writing is done.
#[derive(Debug)]
enum Place {
    /// Here, as any other file.
    Here(Steady),
    /// On a thread, past the cache.
    There(Thread),
    /// It failed before.
    Nowhere,
}

#[derive(Debug)]
struct Thread {
    filled: SyncSender<Piece>,
    /// Pieces come back to be filled again.
    empty: Receiver<Piece>,
    writing: JoinHandle<io::Result<Steady>>,
}

impl Uncached {
    /// `bytes` is how long it will be, `path` what errors say, `piece` what another file gave back.
    ///
    /// # Errors
    /// This machine has no thread left.
    pub fn new(file: File, path: &Path, bytes: u64, piece: Piece) -> io::Result<Self> {
        let steady = Steady::new(file, path);
        let place = if bytes < LONG_BYTES_MIN {
            Place::Here(steady)
        } else {
            Place::There(Thread::start(steady)?)
        };
        Ok(Self { piece, place })
    }

    /// Where the next bytes go; never empty.
    pub fn room(&mut self) -> &mut [u8] {
        self.piece.room()
    }

    /// So many came into the room.
    ///
    /// # Errors
    /// The file's, of any write before.
    pub fn filled(&mut self, bytes: usize) -> io::Result<()> {
        self.piece.filled = self.piece.filled.saturating_add(bytes).min(PIECE_BYTES);
        if self.piece.is_full() {
            self.pass_on()?;
        }
        Ok(())
    }

    /// Writes the rest. The file is whole, not synced.
    ///
    /// # Errors
    /// The file's, of any write.
    pub fn finish(mut self) -> io::Result<(File, Piece)> {
        self.pass_on()?;
        match self.place {
            Place::Here(steady) => Ok((steady.finish(), self.piece)),
            Place::There(thread) => Ok((thread.ended()?.finish(), self.piece)),
            Place::Nowhere => Err(failed_before()),
        }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.place, Place::Nowhere) {
            Place::Here(mut steady) => {
                steady.write_all(self.piece.filled())?;
                self.piece.filled = 0;
                self.place = Place::Here(steady);
            }
            Place::There(thread) => {
                let empty = thread.empty.try_recv().unwrap_or_default();
                let piece = std::mem::replace(&mut self.piece, empty);
                if thread.filled.send(piece).is_err() {
                    return Err(thread.ended().err().unwrap_or_else(failed_before));
                }
                self.place = Place::There(thread);
            }
            Place::Nowhere => return Err(failed_before()),
        }
        Ok(())
    }
}

impl Thread {
    fn start(file: Steady) -> io::Result<Self> {
        let (filled, waiting) = sync_channel::<Piece>(PIECES_WAITING);
        let (written, empty) = sync_channel(PIECES_WAITING + 2);
        let writing = move || {
            let mut direct = Direct::new(file);
            for piece in waiting {
                direct.write(&piece)?;
                // Nobody may want it back any more.
                let _ = written.try_send(piece.emptied());
            }
            Ok(direct.file)
        };
        let thread = thread::Builder::new().name("write-uncached".to_owned());
        let writing = thread.spawn(writing)?;
        Ok(Self {
            filled,
            empty,
            writing,
        })
    }

    /// The file, once all is written.
    fn ended(self) -> io::Result<Steady> {
        drop(self.filled);
        let ended = self.writing.join();
        ended.map_err(|_| io::Error::other("the writing ended early"))?
    }
}

/// A file that is written past the cache as long as it can be.
struct Direct {
    file: Steady,
    is_direct: bool,
}

impl Direct {
    fn new(file: Steady) -> Self {
        let is_direct = set_direct(&file, true).is_ok();
        Self { file, is_direct }
    }

    /// Whole pieces only, up to the last.
    fn write(&mut self, piece: &Piece) -> io::Result<()> {
        if !piece.is_full() {
            self.go_by_the_cache()?;
        }
        let mut rest = piece.filled();
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A larger block, or what came before was cut short.
                Err(error) if self.is_direct && error.kind() == io::ErrorKind::InvalidInput => {
                    self.go_by_the_cache()?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn go_by_the_cache(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_direct) {
            set_direct(&self.file, false)?;
        }
        Ok(())
    }
}

fn set_direct(file: &Steady, is_direct: bool) -> rustix::io::Result<()> {
    let mut flags = fcntl_getfl(file.file())?;
    flags.set(OFlags::DIRECT, is_direct);
    fcntl_setfl(file.file(), flags)
}

fn failed_before() -> io::Error {
    io::Error::other("an earlier write failed")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Seek;

    use rustix::io::{ReadWriteFlags, preadv2};

    use super::*;

    const LONG: usize = 32 * 1024 * 1024;

    fn bytes(length: usize) -> Vec<u8> {
        (0_u8..251).cycle().take(length).collect()
    }

    /// Writes them in reads of odd lengths.
    fn write(file: File, path: &Path, bytes: &[u8]) -> io::Result<(File, Piece)> {
        let length = u64::try_from(bytes.len()).unwrap();
        let mut uncached = Uncached::new(file, path, length, Piece::default())?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = uncached.room();
            let read = rest.len().min(room.len()).min(300_007);
            room[..read].copy_from_slice(&rest[..read]);
            uncached.filled(read)?;
            rest = &rest[read..];
        }
        uncached.finish()
    }

    #[test]
    fn every_length_is_written_whole_and_in_order_and_room_is_given_back() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("long");
        let lengths = [0, 3, PIECE_BYTES, PIECE_BYTES + 1];
        let long = [LONG, LONG + 1, LONG + ALIGNED_BYTES, LONG + PIECE_BYTES + 7];
        for length in lengths.into_iter().chain(long) {
            let sent = bytes(length);
            let (file, piece) = write(File::create(&path).unwrap(), &path, &sent).unwrap();
            assert!(piece.filled().is_empty());
            assert!(fs::read(&path).unwrap() == sent, "{length} bytes");
            // What comes to it later may be of any length.
            assert!(!fcntl_getfl(&file).unwrap().contains(OFlags::DIRECT));
        }
    }

    /// Whether the file's first byte lies in the page cache (preadv2(2), `RWF_NOWAIT`).
    fn is_cached(path: &Path) -> bool {
        let (file, mut byte) = (File::open(path).unwrap(), [0]);
        let mut into = [io::IoSliceMut::new(&mut byte)];
        preadv2(file, &mut into, 0, ReadWriteFlags::NOWAIT).is_ok()
    }

    #[test]
    fn a_long_file_is_written_past_the_cache_and_a_short_one_is_not() {
        const EXT4: i64 = 0xef53;
        const XFS: i64 = 0x5846_5342;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("long");
        let written =
            |length| drop(write(File::create(&path).unwrap(), &path, &bytes(length)).unwrap());
        written(LONG - 1);
        assert!(is_cached(&path));
        written(LONG);
        // Others take it into their cache all the same.
        let kind = rustix::fs::statfs(home.path()).unwrap().f_type;
        assert!(!is_cached(&path) || ![EXT4, XFS].contains(&kind));
    }

    #[test]
    fn where_a_block_does_not_fit_the_cache_takes_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("askew");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"abc").unwrap();
        let sent = bytes(LONG);
        let (mut file, _) = write(file, &path, &sent).unwrap();
        assert_eq!(
            file.stream_position().unwrap(),
            3 + u64::try_from(LONG).unwrap()
        );
        assert!(fs::read(&path).unwrap()[3..] == sent);
    }

    #[test]
    fn a_failed_write_is_said() {
        let path = Path::new("/dev/full");
        for length in [3, LONG + 9] {
            let full = fs::OpenOptions::new().write(true).open(path).unwrap();
            let failed = write(full, path, &bytes(length)).unwrap_err();
            assert_eq!(failed.kind(), io::ErrorKind::StorageFull);
        }
    }
}
