//! What is sorted: the keyed hash of a key, and the row that has it or refers to it. Bytes are big-endian, as hashes and rows are
//! compared.

/// A record as it is spilled.
pub(super) const RECORD_BYTES: usize = 24;
/// Set in the mark of a row that refers, so that the rows referred to come first.
pub(super) const REFERS: u64 = 1 << 63;

/// One record: its hash in two halves, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) high: u64,
    pub(super) low: u64,
    pub(super) mark: u64,
}

impl Record {
    pub(super) fn new(hash: u128, mark: u64) -> Self {
        let (high, low) = (hash >> 64, hash & u128::from(u64::MAX));
        let half = |half| u64::try_from(half).unwrap_or_default();
        Self {
            high: half(high),
            low: half(low),
            mark,
        }
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (high, rest) = bytes.split_first_chunk::<8>()?;
        let (low, rest) = rest.split_first_chunk::<8>()?;
        Some(Self {
            high: u64::from_be_bytes(*high),
            low: u64::from_be_bytes(*low),
            mark: u64::from_be_bytes(*rest.first_chunk()?),
        })
    }

    pub(super) fn write(self, into: &mut [u8]) {
        let parts = [self.high, self.low, self.mark];
        for (part, room) in parts.iter().zip(into.chunks_exact_mut(8)) {
            room.copy_from_slice(&part.to_be_bytes());
        }
    }

    /// A byte of its hash.
    pub(super) fn byte(self, place: u32) -> usize {
        let half = if place < 8 { self.high } else { self.low };
        usize::try_from(half >> (56 - 8 * (place % 8)) & 0xff).unwrap_or_default()
    }

    pub(super) const fn has_hash_of(self, other: Self) -> bool {
        self.high == other.high && self.low == other.low
    }

    pub(super) const fn refers(self) -> bool {
        self.mark & REFERS != 0
    }

    /// The row that has it, or refers to it.
    pub(super) const fn row(self) -> u64 {
        self.mark & !REFERS
    }
}
