//! Uniqueness and references of any number of rows in bounded memory: keyed 128-bit hashes, sorted, spilled as sorted runs, merged.
//! What spills is hashes under a key that is made for one check and forgotten: no plaintext, and nothing to guess it by.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io;

use siphasher::sip128::{Hasher128, SipHasher24};

use super::limits::{MERGE_MEMORY_BYTES, MERGE_RUNS_MAX};
use super::report::Tally;
use super::value::Value;

/// A record as it is spilled: hash, then mark.
const RECORD_BYTES: usize = 24;
/// Records of one cursor of a merge.
const CURSOR_RECORDS: usize = MERGE_MEMORY_BYTES / MERGE_RUNS_MAX / RECORD_BYTES;
/// Set in the mark of a row that refers, so that the rows referred to come first.
const REFERS: u64 = 1 << 63;

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
pub struct Memory(Vec<u8>);

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
pub(super) struct Runs<'a> {
    spill: &'a mut dyn Spill,
    written: u64,
}

impl<'a> Runs<'a> {
    pub(super) fn new(spill: &'a mut dyn Spill) -> Self {
        Self { spill, written: 0 }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.spill.append(bytes)?;
        self.written = self
            .written
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

/// The keyed hash of some cells of a row.
pub(super) fn hash<'v>(key: &[u8; 16], values: impl Iterator<Item = &'v Value<'v>>) -> u128 {
    let mut hasher = SipHasher24::new_with_key(key);
    for value in values {
        value.hash_into(&mut hasher);
    }
    hasher.finish128().as_u128()
}

/// One record.
type Record = (u128, u64);

/// A sorted stretch of the spill.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// How many merges made it.
    level: u32,
    offset: u64,
    records: u64,
}

/// The hashes of one key.
#[derive(Debug)]
pub(super) struct Sorter {
    waiting: Vec<Record>,
    waiting_max: usize,
    runs: Vec<Run>,
}

impl Sorter {
    /// `bytes_max`: what may wait in memory.
    pub(super) fn new(bytes_max: usize) -> Self {
        let waiting_max = (bytes_max / size_of::<Record>()).max(2);
        Self {
            waiting: Vec::new(),
            waiting_max,
            runs: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, hash: u128, row: u64, runs: &mut Runs<'_>) -> io::Result<()> {
        self.put((hash, row), runs)
    }

    /// A row that refers to another one.
    pub(super) fn push_reference(
        &mut self,
        hash: u128,
        row: u64,
        runs: &mut Runs<'_>,
    ) -> io::Result<()> {
        self.put((hash, row | REFERS), runs)
    }

    fn put(&mut self, record: Record, runs: &mut Runs<'_>) -> io::Result<()> {
        self.waiting.push(record);
        if self.waiting.len() >= self.waiting_max {
            self.spill(runs)?;
        }
        Ok(())
    }

    fn spill(&mut self, runs: &mut Runs<'_>) -> io::Result<()> {
        self.waiting.sort_unstable();
        let mut writer = RunWriter::new(runs, 0);
        for record in &self.waiting {
            writer.put(*record)?;
        }
        self.runs.push(writer.finish()?);
        self.waiting.clear();
        // As many runs of one level as can be merged at once become one of the next.
        while let Some(last) = self.runs.last() {
            let level = last.level;
            let same = self
                .runs
                .iter()
                .rev()
                .take_while(|run| run.level == level)
                .count();
            if same < MERGE_RUNS_MAX {
                break;
            }
            self.merge_last(MERGE_RUNS_MAX, runs)?;
        }
        Ok(())
    }

    fn merge_last(&mut self, count: usize, runs: &mut Runs<'_>) -> io::Result<()> {
        let start = self.runs.len().saturating_sub(count);
        let taken = self.runs.split_off(start);
        let level = taken.iter().map(|run| run.level).max().unwrap_or_default() + 1;
        let mut merge = Merge::new(&taken, runs)?;
        let mut writer = RunWriter::new(runs, level);
        while let Some(record) = merge.next(writer.runs)? {
            writer.put(record)?;
        }
        self.runs.push(writer.finish()?);
        Ok(())
    }

    /// All records in order.
    fn sorted(mut self, runs: &mut Runs<'_>, visit: &mut dyn FnMut(Record)) -> io::Result<()> {
        if self.runs.is_empty() {
            self.waiting.sort_unstable();
            self.waiting.into_iter().for_each(visit);
            return Ok(());
        }
        self.spill(runs)?;
        self.waiting = Vec::new();
        while self.runs.len() > MERGE_RUNS_MAX {
            self.merge_last(MERGE_RUNS_MAX, runs)?;
        }
        let mut merge = Merge::new(&self.runs, runs)?;
        while let Some(record) = merge.next(runs)? {
            visit(record);
        }
        Ok(())
    }

    /// The rows whose hash an earlier row has.
    pub(super) fn duplicates(self, runs: &mut Runs<'_>) -> io::Result<Tally> {
        let (mut tally, mut last) = (Tally::default(), None);
        self.sorted(runs, &mut |(hash, row)| {
            if last == Some(hash) {
                tally.add(row);
            }
            last = Some(hash);
        })?;
        Ok(tally)
    }

    /// The rows that refer to a hash that no row has.
    pub(super) fn dangling(self, runs: &mut Runs<'_>) -> io::Result<Tally> {
        let (mut tally, mut last) = (Tally::default(), None);
        self.sorted(runs, &mut |(hash, mark)| {
            if mark & REFERS == 0 {
                last = Some(hash);
            } else if last != Some(hash) {
                tally.add(mark & !REFERS);
            }
        })?;
        Ok(tally)
    }
}

/// A run being written.
struct RunWriter<'r, 's> {
    runs: &'r mut Runs<'s>,
    run: Run,
    bytes: Vec<u8>,
}

impl<'r, 's> RunWriter<'r, 's> {
    fn new(runs: &'r mut Runs<'s>, level: u32) -> Self {
        let run = Run {
            level,
            offset: runs.written,
            records: 0,
        };
        let bytes = Vec::with_capacity(CURSOR_RECORDS * RECORD_BYTES);
        Self { runs, run, bytes }
    }

    fn put(&mut self, (hash, mark): Record) -> io::Result<()> {
        self.bytes.extend_from_slice(&hash.to_le_bytes());
        self.bytes.extend_from_slice(&mark.to_le_bytes());
        self.run.records = self.run.records.saturating_add(1);
        if self.bytes.len() >= CURSOR_RECORDS * RECORD_BYTES {
            self.runs.append(&self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }

    fn finish(self) -> io::Result<Run> {
        self.runs.append(&self.bytes)?;
        Ok(self.run)
    }
}

/// A run being read.
struct Cursor {
    next: u64,
    left: u64,
    bytes: Vec<u8>,
    at: usize,
}

impl Cursor {
    fn next(&mut self, runs: &mut Runs<'_>) -> io::Result<Option<Record>> {
        if self.at >= self.bytes.len() {
            if self.left == 0 {
                return Ok(None);
            }
            let records = usize::try_from(self.left)
                .unwrap_or(usize::MAX)
                .min(CURSOR_RECORDS);
            self.bytes.resize(records * RECORD_BYTES, 0);
            runs.spill.read_at(self.next, &mut self.bytes)?;
            self.next = self
                .next
                .saturating_add(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX));
            self.left = self
                .left
                .saturating_sub(u64::try_from(records).unwrap_or(u64::MAX));
            self.at = 0;
        }
        let record = self.bytes.get(self.at..).and_then(read_record);
        self.at = self.at.saturating_add(RECORD_BYTES);
        Ok(record)
    }
}

fn read_record(bytes: &[u8]) -> Option<Record> {
    let (hash, rest) = bytes.split_first_chunk::<16>()?;
    let mark = rest.first_chunk::<8>()?;
    Some((u128::from_le_bytes(*hash), u64::from_le_bytes(*mark)))
}

/// Several runs read as one.
struct Merge {
    cursors: Vec<Cursor>,
    heads: BinaryHeap<Reverse<(Record, usize)>>,
}

impl Merge {
    fn new(list: &[Run], runs: &mut Runs<'_>) -> io::Result<Self> {
        let cursor = |run: &Run| Cursor {
            next: run.offset,
            left: run.records,
            bytes: Vec::new(),
            at: 0,
        };
        let mut cursors: Vec<Cursor> = list.iter().map(cursor).collect();
        let mut heads = BinaryHeap::new();
        for (place, cursor) in cursors.iter_mut().enumerate() {
            heads.extend(cursor.next(runs)?.map(|record| Reverse((record, place))));
        }
        Ok(Self { cursors, heads })
    }

    fn next(&mut self, runs: &mut Runs<'_>) -> io::Result<Option<Record>> {
        let Some(mut head) = self.heads.peek_mut() else {
            return Ok(None);
        };
        let Reverse((record, place)) = *head;
        let cursor = self.cursors.get_mut(place);
        match cursor
            .map(|cursor| cursor.next(runs))
            .transpose()?
            .flatten()
        {
            // In its place: the heap is put in order once.
            Some(next) => *head = Reverse((next, place)),
            None => drop(PeekMut::pop(head)),
        }
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests;
