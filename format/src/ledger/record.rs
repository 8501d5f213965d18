//! Records: one JSON line each, whose exact bytes are a leaf of the tree. FORMAT.md §15. Never personal data.
//! A line has one spelling: what would print otherwise is refused, since its hash is in the tree. The list of kinds is
//! closed, and reserved kinds are read but not written by this version.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::LedgerError;
use crate::digest::Digest;
use crate::document::{excerpt, nullable, parse_line, present, text_form};
use crate::limits::NAME_BYTES_MAX;
use crate::time::UtcTime;

/// Longest line in bytes: a bundle's digests at their most.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// What happened. Closed list; text form kebab-case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// The first record: the ledger was opened.
    Opened,
    /// An agreement, card, revocation or configuration was loaded (digest in `digests`).
    Loaded,
    /// Outbound: an item of the outbox was taken.
    Claimed,
    /// Outbound: it was sealed; its place in the stream is taken.
    Sealed,
    /// Outbound: its manifest was signed.
    Signed,
    /// Outbound: the peer has it.
    HandedOver,
    /// Outbound: its receipt came and verified.
    ReceiptVerified,
    /// Outbound: the item is done.
    Settled,
    /// Outbound: the item went back to the operator.
    Returned,
    /// Outbound: the originals were destroyed after the agreed days.
    Destroyed,
    /// Inbound: a bundle passed every check on its head and digest.
    Admitted,
    /// Inbound: a bundle waits; not final.
    Held,
    /// Inbound: a bundle's bytes are not what its manifest says; dropped.
    Damaged,
    /// Inbound: its content is durably in the store.
    Imported,
    /// Inbound: it is never imported.
    Refused,
    /// Inbound: its receipt was signed.
    ReceiptSigned,
    /// Inbound: the peer has the receipt.
    ReceiptDelivered,
    /// An operator asked for something.
    Requested,
    /// Reserved: the peer's checkpoint was cosigned.
    CheckpointCosigned,
    /// Reserved: a number of a stream was given up.
    Voided,
    /// Outbound: a stream's next epoch was opened.
    EpochOpened,
}

impl RecordKind {
    /// All kinds, in the order of FORMAT.md.
    pub const ALL: &'static [Self] = &[
        Self::Opened,
        Self::Loaded,
        Self::Claimed,
        Self::Sealed,
        Self::Signed,
        Self::HandedOver,
        Self::ReceiptVerified,
        Self::Settled,
        Self::Returned,
        Self::Destroyed,
        Self::Admitted,
        Self::Held,
        Self::Damaged,
        Self::Imported,
        Self::Refused,
        Self::ReceiptSigned,
        Self::ReceiptDelivered,
        Self::Requested,
        Self::CheckpointCosigned,
        Self::Voided,
        Self::EpochOpened,
    ];

    /// The stable kebab-case code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Loaded => "loaded",
            Self::Claimed => "claimed",
            Self::Sealed => "sealed",
            Self::Signed => "signed",
            Self::HandedOver => "handed-over",
            Self::ReceiptVerified => "receipt-verified",
            Self::Settled => "settled",
            Self::Returned => "returned",
            Self::Destroyed => "destroyed",
            Self::Admitted => "admitted",
            Self::Held => "held",
            Self::Damaged => "damaged",
            Self::Imported => "imported",
            Self::Refused => "refused",
            Self::ReceiptSigned => "receipt-signed",
            Self::ReceiptDelivered => "receipt-delivered",
            Self::Requested => "requested",
            Self::CheckpointCosigned => "checkpoint-cosigned",
            Self::Voided => "voided",
            Self::EpochOpened => "epoch-opened",
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for RecordKind {
    type Err = RecordKindError;

    fn from_str(text: &str) -> Result<Self, RecordKindError> {
        let mut all = Self::ALL.iter().copied();
        all.find(|kind| kind.code() == text)
            .ok_or_else(|| RecordKindError {
                found: excerpt(text),
            })
    }
}

text_form!(RecordKind);

/// A text that is none of the kinds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of record: {found:?}")]
pub struct RecordKindError {
    found: String,
}

/// One record: a JSON line without its line feed is the leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its place in the ledger, from 0.
    pub index: u64,
    /// When it was written.
    pub time: UtcTime,
    /// What happened.
    pub kind: RecordKind,
    /// The bundle concerned.
    #[serde(deserialize_with = "nullable")]
    pub manifest: Option<Digest>,
    /// Digests of other documents concerned.
    pub digests: Vec<Digest>,
    /// A refusal code or request verb.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub code: Option<String>,
    /// User id of who asked.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub by: Option<u32>,
}

impl Record {
    /// The leaf's exact bytes: one line of JSON, no line feed.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_else(|error| {
            // INVARIANT: a record is a struct of texts, integers and a list, which has a JSON form.
            unreachable!("a record without a JSON form: {error}")
        })
    }

    /// Reads a line.
    ///
    /// # Errors
    /// A broken rule; a line that would print differently is one (members in another order, white space).
    pub fn parse(line: &[u8]) -> Result<Self, LedgerError> {
        if line.len() > LINE_BYTES_MAX {
            return Err(LedgerError("a line of more than 16 KiB".into()));
        }
        let record: Self = parse_line(line).map_err(|error| LedgerError(error.to_string()))?;
        if !record.code.as_deref().is_none_or(is_code) {
            return Err(LedgerError("the code is not lower case and hyphens".into()));
        }
        if record.to_line() != line {
            return Err(LedgerError("the line is not as records are printed".into()));
        }
        Ok(record)
    }
}

/// Refusal codes and verbs: short, so that no personal data finds room.
fn is_code(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'-'))
}
