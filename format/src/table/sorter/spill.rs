//! Where records lie that do not fit into memory: runs in a file of the caller's, each with its records by buckets. It is read in
//! short pieces, whatever a part holds.

use std::io;

use super::record::{RECORD_BYTES, Record};

/// Buckets of a run: one for each value of a byte.
pub(super) const BUCKETS: usize = 256;
/// Records that are read or copied at a time.
const PIECE_RECORDS: u64 = 2_048;

/// Where runs go: a file of the caller's, which nobody else reads. It is only appended to, and dropped after the check.
pub trait Spill: Send {
    /// Writes at the end.
    ///
    /// # Errors
    /// The file's.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Fills `into` from `offset`.
    ///
    /// # Errors
    /// The file's, or there is less.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()>;
}

/// A spill in memory, for tables that are small and for tests.
#[derive(Debug, Default)]
pub struct Memory(pub(super) Vec<u8>);

impl Spill for Memory {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let found = start
            .checked_add(into.len())
            .and_then(|end| self.0.get(start..end));
        into.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// The spill and how much was written.
pub(in super::super) struct Runs<'a> {
    spill: &'a mut dyn Spill,
    written: u64,
    /// What is read or copied at a time.
    piece: Vec<u8>,
}

impl<'a> Runs<'a> {
    pub(in super::super) fn new(spill: &'a mut dyn Spill) -> Self {
        Self {
            spill,
            written: 0,
            piece: Vec::new(),
        }
    }

    /// Where the next run begins.
    pub(super) const fn end(&self) -> u64 {
        self.written
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.spill.append(bytes)?;
        self.written = self.written.saturating_add(long(bytes.len()));
        Ok(())
    }

    /// Adds the records of a part to `into`.
    pub(super) fn read(&mut self, part: Part, into: &mut Vec<Record>) -> io::Result<()> {
        for piece in part.pieces() {
            self.take(piece)?;
            let records = self.piece.chunks_exact(RECORD_BYTES);
            into.extend(records.filter_map(Record::read));
        }
        Ok(())
    }

    /// Writes them once more, at the end.
    pub(super) fn copy(&mut self, part: Part) -> io::Result<()> {
        for piece in part.pieces() {
            self.take(piece)?;
            self.spill.append(&self.piece)?;
            self.written = self.written.saturating_add(long(self.piece.len()));
        }
        Ok(())
    }

    fn take(&mut self, piece: Part) -> io::Result<()> {
        let bytes = short(piece.records).saturating_mul(RECORD_BYTES);
        self.piece.resize(bytes, 0);
        self.spill.read_at(piece.offset, &mut self.piece)
    }
}

/// Records as they were spilled, those of each bucket behind one another.
#[derive(Debug)]
pub(super) struct Run {
    /// How often its records were spilled before.
    pub(super) level: u32,
    offset: u64,
    /// How many records end before the next bucket begins.
    ends: Vec<u64>,
}

impl Run {
    pub(super) fn new(level: u32, offset: u64, counts: impl IntoIterator<Item = u64>) -> Self {
        let ends = counts.into_iter().scan(0, |end: &mut u64, count| {
            *end = end.saturating_add(count);
            Some(*end)
        });
        Self {
            level,
            offset,
            ends: ends.collect(),
        }
    }

    /// The records of a bucket.
    pub(super) fn part(&self, bucket: usize) -> Part {
        let end_of = |bucket: usize| self.ends.get(bucket).copied().unwrap_or_default();
        let start = bucket.checked_sub(1).map_or(0, end_of);
        Part {
            offset: self.offset.saturating_add(bytes_of(start)),
            records: end_of(bucket).saturating_sub(start),
        }
    }
}

/// Records that lie behind one another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    offset: u64,
    pub(super) records: u64,
}

impl Part {
    /// Short ones, in order.
    pub(super) fn pieces(self) -> impl Iterator<Item = Self> {
        let starts = (0..self.records).step_by(short(PIECE_RECORDS));
        starts.map(move |start| Self {
            offset: self.offset.saturating_add(bytes_of(start)),
            records: PIECE_RECORDS.min(self.records - start),
        })
    }
}

fn bytes_of(records: u64) -> u64 {
    records.saturating_mul(long(RECORD_BYTES))
}

/// What is counted in memory fits into either.
pub(super) fn long(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

pub(super) fn short(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
