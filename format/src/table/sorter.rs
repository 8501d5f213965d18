//! Uniqueness and references of any number of rows in bounded memory: an external sort of keyed 128-bit hashes by distribution. What
//! does not fit is spilled in runs, each put in order by the next byte of its hashes; hashes that agree in it come back together, are
//! few, and are compared there. What spills is hashes under a key that is made for one check and forgotten: no plaintext, and nothing
//! to guess it by. Nobody who does not know the key can have many of them begin alike, unless their values are the same.

use std::io;

use siphasher::sip128::{Hasher128, SipHasher24};

use super::limits::{BUCKET_MEMORY_BYTES, RUNS_MAX};
use super::report::Tally;
use super::value::Value;

mod bucket;
mod record;
mod spill;

use bucket::Question;
use record::{RECORD_BYTES, REFERS, Record};
pub(super) use spill::Runs;
use spill::{BUCKETS, Part, Run, long, short};
pub use spill::{Memory, Spill};

/// Records of a bucket that are compared in memory: beside them stand the places where they are looked for.
const BUCKET_RECORDS_MAX: usize = BUCKET_MEMORY_BYTES / 2 / RECORD_BYTES;

/// The keyed hash of some cells of a row.
pub(super) fn hash<'v>(key: &[u8; 16], values: impl Iterator<Item = &'v Value<'v>>) -> u128 {
    let mut hasher = SipHasher24::new_with_key(key);
    for value in values {
        value.hash_into(&mut hasher);
    }
    hasher.finish128().as_u128()
}

/// The hashes of one key.
#[derive(Debug)]
pub(super) struct Sorter {
    /// So many bytes are the same in all its hashes: the next one tells the buckets apart.
    depth: u32,
    waiting: Vec<Record>,
    waiting_max: usize,
    /// Most records of a bucket that are compared in memory.
    bucket_max: usize,
    /// The waiting records on their way into a run.
    bytes: Vec<u8>,
    runs: Vec<Run>,
}

impl Sorter {
    /// `bytes_max`: what may wait in memory, half of it for the way out.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            depth: 0,
            waiting: Vec::new(),
            waiting_max: (bytes_max / 2 / RECORD_BYTES).max(2),
            bucket_max: BUCKET_RECORDS_MAX,
            bytes: Vec::new(),
            runs: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, hash: u128, row: u64, runs: &mut Runs<'_>) -> io::Result<()> {
        self.put(Record::new(hash, row), runs)
    }

    /// A row that refers to another one.
    pub(super) fn push_reference(
        &mut self,
        hash: u128,
        row: u64,
        runs: &mut Runs<'_>,
    ) -> io::Result<()> {
        self.put(Record::new(hash, row | REFERS), runs)
    }

    fn put(&mut self, record: Record, runs: &mut Runs<'_>) -> io::Result<()> {
        self.waiting.push(record);
        if self.waiting.len() >= self.waiting_max {
            self.spill(runs)?;
        }
        Ok(())
    }

    /// Those of one bucket stay in the order in which they came.
    fn spill(&mut self, runs: &mut Runs<'_>) -> io::Result<()> {
        let mut counts = [0; BUCKETS];
        for record in &self.waiting {
            if let Some(count) = counts.get_mut(record.byte(self.depth)) {
                *count += 1;
            }
        }
        // Where the next record of each bucket goes.
        let mut start = 0;
        let mut places = counts.map(|count| {
            let place = start;
            start += count * RECORD_BYTES;
            place
        });
        self.bytes.resize(self.waiting.len() * RECORD_BYTES, 0);
        for record in self.waiting.drain(..) {
            let place = places.get_mut(record.byte(self.depth));
            let room = place.and_then(|place| {
                let start = std::mem::replace(place, *place + RECORD_BYTES);
                self.bytes.get_mut(start..start + RECORD_BYTES)
            });
            record.write(room.unwrap_or_default());
        }
        let run = Run::new(0, runs.end(), counts.map(long));
        runs.append(&self.bytes)?;
        self.runs.push(run);
        self.gather(runs)
    }

    /// As many runs of one level as there may be become one of the next, so that the list of them stays short.
    fn gather(&mut self, runs: &mut Runs<'_>) -> io::Result<()> {
        while let Some(level) = self.runs.last().map(|run| run.level) {
            let of_level = self.runs.iter().rev();
            let same = of_level.take_while(|run| run.level == level).count();
            if same < RUNS_MAX {
                break;
            }
            let taken = self.runs.split_off(self.runs.len() - same);
            let offset = runs.end();
            let mut counts = Vec::with_capacity(BUCKETS);
            for bucket in 0..BUCKETS {
                let parts: Vec<Part> = taken.iter().map(|run| run.part(bucket)).collect();
                counts.push(parts.iter().map(|part| part.records).sum());
                for part in parts {
                    runs.copy(part)?;
                }
            }
            self.runs.push(Run::new(level + 1, offset, counts));
        }
        Ok(())
    }

    /// The rows whose hash an earlier row has.
    pub(super) fn duplicates(self, runs: &mut Runs<'_>) -> io::Result<Tally> {
        let mut tally = Tally::default();
        self.answer(Question::Duplicates, runs, &mut tally)?;
        Ok(tally)
    }

    /// The rows that refer to a hash that no row has.
    pub(super) fn dangling(self, runs: &mut Runs<'_>) -> io::Result<Tally> {
        let mut tally = Tally::default();
        self.answer(Question::Dangling, runs, &mut tally)?;
        Ok(tally)
    }

    fn answer(
        mut self,
        question: Question,
        runs: &mut Runs<'_>,
        tally: &mut Tally,
    ) -> io::Result<()> {
        if self.runs.is_empty() {
            question.of_bucket(&mut self.waiting, tally);
            return Ok(());
        }
        self.spill(runs)?;
        let list = std::mem::take(&mut self.runs);
        for bucket in 0..BUCKETS {
            let parts: Vec<Part> = list.iter().map(|run| run.part(bucket)).collect();
            let records = parts.iter().map(|part| part.records).sum();
            if short(records) <= self.bucket_max {
                self.waiting.clear();
                for part in parts {
                    runs.read(part, &mut self.waiting)?;
                }
                question.of_bucket(&mut self.waiting, tally);
            } else if !question.of_same(&parts, runs, tally)? {
                self.deeper(&parts, runs)?.answer(question, runs, tally)?;
            }
        }
        Ok(())
    }

    /// Of a bucket that is too large: told apart by the next byte.
    fn deeper(&mut self, parts: &[Part], runs: &mut Runs<'_>) -> io::Result<Self> {
        let mut deeper = Self {
            depth: self.depth + 1,
            // Its memory, which nobody needs meanwhile.
            waiting: std::mem::take(&mut self.waiting),
            bytes: std::mem::take(&mut self.bytes),
            runs: Vec::new(),
            ..*self
        };
        deeper.waiting.clear();
        let mut records = Vec::new();
        for piece in parts.iter().flat_map(|part| part.pieces()) {
            records.clear();
            runs.read(piece, &mut records)?;
            for record in &records {
                deeper.put(*record, runs)?;
            }
        }
        Ok(deeper)
    }
}

#[cfg(test)]
mod tests;
