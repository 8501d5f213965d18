//! What is asked of records whose hashes begin alike: which name what another names already, or refer to what none names. Nearly every
//! bucket holds hashes that all differ, and that is seen without putting them in order.

use std::io;

use super::super::report::Tally;
use super::record::Record;
use super::spill::{Part, Runs};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// The rows whose hash an earlier row has.
    Duplicates,
    /// The rows that refer to a hash that no row has.
    Dangling,
}

impl Question {
    /// Of all records of some hashes. They are put in order where that is needed.
    pub(super) fn of_bucket(self, records: &mut [Record], tally: &mut Tally) {
        if self == Self::Duplicates && all_differ(records) {
            return;
        }
        records.sort_unstable();
        for same in records.chunk_by(|one, next| one.has_hash_of(*next)) {
            let is_named = same.first().is_some_and(|first| !first.refers());
            self.of_hash(is_named, same, 0, tally);
        }
    }

    /// Of a bucket of any size, where all its records have one hash; whether they have.
    pub(super) fn of_same(
        self,
        parts: &[Part],
        runs: &mut Runs<'_>,
        tally: &mut Tally,
    ) -> io::Result<bool> {
        let (mut first, mut is_named) = (None, false);
        let mut records = Vec::new();
        for piece in parts.iter().flat_map(|part| part.pieces()) {
            records.clear();
            runs.read(piece, &mut records)?;
            for record in &records {
                if !first.get_or_insert(*record).has_hash_of(*record) {
                    return Ok(false);
                }
                is_named = is_named || !record.refers();
            }
        }
        let mut before = 0;
        for piece in parts.iter().flat_map(|part| part.pieces()) {
            records.clear();
            runs.read(piece, &mut records)?;
            self.of_hash(is_named, &records, before, tally);
            before += records.len();
        }
        Ok(true)
    }

    /// Of records of one hash, by rows; so many others of it came before.
    fn of_hash(self, is_named: bool, records: &[Record], before: usize, tally: &mut Tally) {
        match self {
            Self::Duplicates => {
                let first = usize::from(before == 0);
                let again = records.iter().skip(first);
                again.for_each(|record| tally.add(record.row()));
            }
            Self::Dangling if !is_named => {
                records.iter().for_each(|record| tally.add(record.row()));
            }
            Self::Dangling => {}
        }
    }
}

/// Whether no two have the same hash. Not said of every such list: where halves agree, they are put in order.
fn all_differ(records: &[Record]) -> bool {
    let places = (records.len() * 2).next_power_of_two();
    let mut seen = vec![0_u64; places];
    for record in records {
        // Zero is a place that is free.
        let half = record.high | 1;
        let mut place = record.low;
        loop {
            let index = usize::try_from(place).unwrap_or_default() & (places - 1);
            match seen.get_mut(index) {
                Some(free @ 0) => {
                    *free = half;
                    break;
                }
                Some(known) if *known == half => return false,
                _ => place = place.wrapping_add(1),
            }
        }
    }
    true
}
