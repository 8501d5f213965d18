//! The journal: SQLite (WAL, synchronous=FULL, exclusive), the only writer of state. Every state change and its ledger
//! record are one transaction. Rows come out as values; a row is never proof of a file.
//!
//! `rows` what comes out · `schema` the tables and how they are opened · `change` the one way to write ·
//! `outbound` `answer` `again` `items` `inbound` `gaps` `streams` `void` `slips` `ledger` what is written, by subject · `retention`
//! `destroying` `holds` `came_back` what is destroyed, and what is not · `reading` the whole by another program · `listing` `turns` `lanes`
//! `tallies` what is read.
//! States and sequences: SPOOL.md §2 to §4.

mod again;
mod answer;
mod came_back;
mod change;
mod destroying;
mod gaps;
mod holds;
mod inbound;
mod items;
mod lanes;
mod ledger;
mod listing;
mod outbound;
mod queries;
mod reading;
mod retention;
mod rows;
mod schema;
mod slips;
mod streams;
mod tallies;
#[cfg(test)]
pub(crate) mod tests;
mod turns;
mod void;

use std::path::PathBuf;
use std::sync::Mutex;

use crate::clock::Clock;
use crate::engine::Illegal;

pub use again::{Asked, Stopped};
pub use destroying::{Act, Doomed, Gone};
pub use gaps::Gap;
pub use holds::{Hold, HoldOn};
pub use lanes::Flows;
pub use ledger::{Counts, LedgerEntry};
pub use outbound::ManifestText;
pub use reading::{KeptRow, Place, Reading};
pub use retention::{Terms, Unsettled};
pub use rows::{InboundRow, Item, NewClaim, NewInbound, OutboundRow, SlipRow};
pub use slips::SlipMaker;
pub use tallies::{FlowTally, StreamPlaces};
pub use turns::Page;
pub use void::{Void, about as about_void};

/// Most rows of a list that has no limit of its own (what waits for a peer): each carries a manifest of 14 KiB, and
/// what is not in the list today is in it when those before it are done.
pub const WAITING_ROWS_MAX: u32 = 256;

/// The daemon's own state. Shared by reference between threads; one transaction at a time.
pub struct Journal {
    state: Mutex<change::State>,
    clock: Clock,
    origin: String,
    place: change::Place,
}

/// Prints receipt.json given the ledger's origin and the index of the outcome's record.
pub type ReceiptText<'a> = dyn FnMut(&str, u64) -> Vec<u8> + 'a;

/// Why the journal did not do it. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// SQLite's own: the disk, a full disk, a damaged file.
    #[error("journal: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// It cannot be opened.
    #[error("journal {path}: {reason}")]
    Open {
        /// Which file.
        path: PathBuf,
        /// What was expected, and what was found.
        reason: String,
    },
    /// A newer program's, or another party's: no restart mends it, and nothing of it was changed.
    #[error("journal {path}: {reason}")]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What it is, and what to do.
        reason: String,
    },
    /// It is not where it was, though it is still open: its disk was taken away. What was looked for on that disk was not found for
    /// that reason, and nothing that follows from it is recorded.
    #[error(
        "journal {0}: it is not there any more (is its disk still mounted?); nothing was recorded"
    )]
    Away(PathBuf),
    /// A bug of ours: the caller halts.
    #[error("journal: {0}")]
    Illegal(#[from] Illegal),
    /// Nothing of this name is recorded.
    #[error("journal: no bundle {0}")]
    Unknown(String),
    /// What is stored is not what was written: the caller halts.
    #[error("journal: a stored value is damaged: {0}")]
    Damaged(String),
    /// What came contradicts what is recorded (another receipt, another sender): evidence, an alarm.
    #[error("journal: it contradicts what is recorded")]
    Conflict,
    /// Another bundle took this place of the stream, or this bundle id, since the place was looked up: judge again.
    #[error("journal: the place was taken meanwhile; judge again")]
    PlaceTaken,
    /// The caller's own closure failed.
    #[error("journal: {0}")]
    Make(String),
}
