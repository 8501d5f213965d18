//! Reading along: a part is read while it is still being written, never beyond what is there without a hole. What a reader found
//! belongs to these very bytes: it is gone as soon as one of them is written again, and with the part.
//!
//! One reader at a time for each part. A part that comes so slowly that nothing is won by reading along is left alone.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use amanah_format::digest::Digest;

/// Less than this in so long: whoever waits for the rest might as well begin when it is there.
const PACE: (u64, Duration) = (8 * 1024 * 1024, Duration::from_secs(3));
/// How often a reader that waits looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// What writer and reader share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes from 0 without a hole.
    prefix: u64,
    writing: Writing,
    reading: Reading,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// More may come.
    #[default]
    UnderWay,
    /// No more comes.
    Done,
    /// What was read may be other bytes by now, or belongs to nobody any more.
    Void,
}

#[derive(Debug, Default, Clone, Copy)]
enum Reading {
    #[default]
    UnderWay,
    /// The digest of the whole span.
    Found(Digest),
    /// It ended without one.
    Left,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

/// The writer's side, kept with what is known of the part. Dropped with it: then nothing that was found counts.
#[derive(Debug)]
pub(super) struct Watched(Arc<Shared>);

impl Watched {
    /// Before bytes are written at `offset`.
    pub(super) fn will_write(&self, offset: u64) {
        if offset < self.0.lock().prefix {
            self.0.change(|state| state.writing = Writing::Void);
        }
    }

    /// After they were.
    pub(super) fn reaches(&self, prefix: u64) {
        self.0.change(|state| state.prefix = prefix);
    }

    /// No more comes: what the reader found of its whole span, once it has ended.
    pub(super) fn found(&self) -> Option<Digest> {
        self.0.change(|state| {
            if state.writing == Writing::UnderWay {
                state.writing = Writing::Done;
            }
        });
        let state = self.0.lock();
        let is_busy = |state: &mut State| matches!(state.reading, Reading::UnderWay);
        let state = self.0.changed.wait_while(state, is_busy);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        match (state.writing, state.reading) {
            (Writing::Done, Reading::Found(digest)) => Some(digest),
            (Writing::UnderWay | Writing::Void, _)
            | (Writing::Done, Reading::UnderWay | Reading::Left) => None,
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.change(|state| state.writing = Writing::Void);
    }
}

/// The reader's side.
pub struct Along {
    shared: Arc<Shared>,
    file: File,
    at: u64,
    end: u64,
    is_over: Box<dyn Fn() -> bool + Send>,
    /// Where it was, and when.
    paced: (u64, Instant),
}

impl std::fmt::Debug for Along {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Along({} of {})", self.at, self.end)
    }
}

/// Both sides of a part of which `prefix` bytes are there. `is_over` ends the reading at any time.
pub(super) fn along(
    file: File,
    prefix: u64,
    span: Range<u64>,
    is_over: Box<dyn Fn() -> bool + Send>,
) -> (Watched, Along) {
    let shared = Arc::new(Shared::default());
    shared.change(|state| state.prefix = prefix);
    let along = Along {
        shared: Arc::clone(&shared),
        file,
        at: span.start,
        end: span.end,
        is_over,
        paced: (span.start, Instant::now()),
    };
    (Watched(shared), along)
}

impl Along {
    /// Says what was found of the whole span, for as long as these bytes stay what they are.
    pub fn found(self, digest: Digest) {
        self.shared
            .change(|state| state.reading = Reading::Found(digest));
    }

    /// Bytes that are there behind the place where it stands.
    fn waited(&mut self) -> io::Result<u64> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        loop {
            let there = state.prefix.min(self.end).saturating_sub(self.at);
            if (self.is_over)() || state.writing == Writing::Void {
                return Err(io::Error::other("what was read along is void"));
            }
            if there > 0 {
                return Ok(there);
            }
            if state.writing == Writing::Done {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.keeps_pace()?;
            let waited = shared.changed.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn keeps_pace(&mut self) -> io::Result<()> {
        let ((bytes_min, within), (from, since)) = (PACE, self.paced);
        if since.elapsed() < within {
            return Ok(());
        }
        if self.at.saturating_sub(from) < bytes_min {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.paced = (self.at, Instant::now());
        Ok(())
    }
}

impl Read for Along {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.end || into.is_empty() {
            return Ok(0);
        }
        let there = usize::try_from(self.waited()?).unwrap_or(usize::MAX);
        let length = there.min(into.len());
        let room = into.get_mut(..length).unwrap_or_default();
        let read = self.file.read_at(room, self.at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}

impl Drop for Along {
    fn drop(&mut self) {
        self.shared.change(|state| {
            if matches!(state.reading, Reading::UnderWay) {
                state.reading = Reading::Left;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::Spool;
    use super::super::part::Part;
    use super::*;

    const NAME: &str = "aa.amanah";

    fn part(spool: &Spool) -> Part {
        spool.part(&"bpkh".parse().unwrap(), NAME, 1 << 20).unwrap()
    }

    fn home() -> (tempfile::TempDir, Spool) {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool::open(home.path(), &["bpkh".parse().unwrap()]).unwrap();
        (home, spool)
    }

    fn read_whole(mut along: Along) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        along.read_to_end(&mut bytes)?;
        along.found(Digest::of(&bytes));
        Ok(bytes)
    }

    #[test]
    fn a_reader_sees_what_is_there_without_a_hole_and_what_it_found_is_the_parts() {
        let (_home, spool) = home();
        let mut part = part(&spool);
        part.write_at(0, b"abc").unwrap();
        let along = part.read_along(1..9, Box::new(|| false)).unwrap();
        let reading = std::thread::spawn(|| read_whole(along));
        part.write_at(6, b"ghijk").unwrap();
        part.write_at(3, b"def").unwrap();
        assert_eq!(part.found_along(), Some(Digest::of(b"bcdefghi")));
        assert_eq!(reading.join().unwrap().unwrap(), b"bcdefghi");
        // Closed and opened again, it is the same part.
        drop(part);
        let part = spool.finished_part(&"bpkh".parse().unwrap(), NAME).unwrap();
        assert_eq!(part.found_along(), Some(Digest::of(b"bcdefghi")));
    }

    #[test]
    fn a_byte_that_is_written_again_voids_what_was_found_before_and_after_the_reading() {
        for after_reading in [false, true] {
            let (_home, spool) = home();
            let mut part = part(&spool);
            part.write_at(0, b"abcdef").unwrap();
            let along = part.read_along(0..8, Box::new(|| false)).unwrap();
            let reading = std::thread::spawn(|| read_whole(along));
            if after_reading {
                part.write_at(6, b"gh").unwrap();
                assert!(part.found_along().is_some());
            }
            part.write_at(2, b"X").unwrap();
            assert_eq!(part.found_along(), None);
            assert_eq!(reading.join().unwrap().is_ok(), after_reading);
        }
    }

    #[test]
    fn a_part_that_goes_or_ends_short_ends_its_reader() {
        let (_home, spool) = home();
        let mut short = part(&spool);
        short.write_at(0, b"abc").unwrap();
        let along = short.read_along(0..9, Box::new(|| false)).unwrap();
        let reading = std::thread::spawn(|| read_whole(along));
        assert_eq!(short.found_along(), None);
        let ended = reading.join().unwrap().unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::UnexpectedEof);

        let along = short.read_along(0..9, Box::new(|| false)).unwrap();
        drop(short);
        let peer = "bpkh".parse().unwrap();
        spool.drop_part(&peer, NAME).unwrap();
        assert!(read_whole(along).is_err());
    }

    #[test]
    fn a_reader_that_leaves_or_is_over_finds_nothing() {
        let (_home, spool) = home();
        let mut part = part(&spool);
        part.write_at(0, b"abc").unwrap();
        drop(part.read_along(0..3, Box::new(|| false)).unwrap());
        assert_eq!(part.found_along(), None);
        let along = part.read_along(0..3, Box::new(|| true)).unwrap();
        assert!(read_whole(along).is_err());
        assert_eq!(part.found_along(), None);
    }
}
