//! Slips about ledgers: `checkpoint`, `cosignature`. FORMAT.md §14, §15.4.
//! What each says, and its bounds. Whether a note verifies, and whether the ledger only grew, is the reader's to ask.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ledger::CONSISTENCY_MAX;

/// Longest note in a slip: a checkpoint and its 16 lines fit well.
const NOTE_CHARS_MAX: usize = 8_192;
/// Most records that a checkpoint slip shows to be in the ledger; this version shows none and reads them.
const INCLUSIONS_MAX: usize = 16;
/// Most nodes of the proof of one record: one for each bit of a size.
const INCLUSION_NODES_MAX: usize = 64;

/// How far the signer's ledger has grown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The signed note.
    pub note: String,
    /// That its tree has grown out of the one of `previous_size`.
    pub consistency: Vec<Digest>,
    /// The size that the reader cosigned last, as far as the signer knows; 0 for none.
    pub previous_size: u64,
    /// Records that are in it.
    pub inclusions: Vec<Inclusion>,
}

/// One record that is in a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusion {
    /// Its index.
    pub index: u64,
    /// Its leaf's hash.
    pub leaf: Digest,
    /// From the leaf up.
    pub proof: Vec<Digest>,
}

/// The reader's checkpoint, with the signer's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The note.
    pub note: String,
}

impl Shown {
    pub(super) fn holds(&self) -> bool {
        let short = |one: &Inclusion| one.proof.len() <= INCLUSION_NODES_MAX;
        is_short(&self.note)
            && self.consistency.len() <= CONSISTENCY_MAX
            && self.inclusions.len() <= INCLUSIONS_MAX
            && self.inclusions.iter().all(short)
    }
}

impl Seen {
    pub(super) fn holds(&self) -> bool {
        is_short(&self.note)
    }
}

fn is_short(note: &str) -> bool {
    (1..=NOTE_CHARS_MAX).contains(&note.chars().count())
}
