//! The ledger: records, the RFC 6962 Merkle tree over them, checkpoints as C2SP signed notes. FORMAT.md §15.

use crate::{
    digest::Digest,
    id::PartyId,
    signature::{PublicKey, SecretKey},
    time::UtcTime,
};
use serde::{Deserialize, Serialize};

/// What happened. Closed list; text form kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// The first record: the ledger was opened.
    Opened,
    /// An agreement, card, revocation or configuration was loaded (digest in `digests`).
    Loaded,
    // outbound
    Claimed,
    Sealed,
    Signed,
    HandedOver,
    ReceiptVerified,
    Settled,
    Returned,
    Destroyed,
    // inbound
    Admitted,
    Held,
    Damaged,
    Imported,
    Refused,
    ReceiptSigned,
    ReceiptDelivered,
    // operators' requests
    Requested,
    // reserved
    CheckpointCosigned,
    Voided,
    EpochOpened,
}
/// One record: a JSON line without its line feed is the leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub index: u64,
    pub time: UtcTime,
    pub kind: RecordKind,
    pub manifest: Option<Digest>,
    pub digests: Vec<Digest>,
    /// A refusal code or request verb.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// User id of who asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<u32>,
}
impl Record {
    /// The leaf's exact bytes: one line of JSON, no line feed.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        todo!()
    }
    /// Reads a line.
    ///
    /// # Errors
    /// A broken rule.
    pub fn parse(line: &[u8]) -> Result<Self, LedgerError> {
        todo!()
    }
}
/// RFC 6962 §2.1: SHA-256(0x00 ‖ leaf).
#[must_use]
pub fn leaf_hash(line: &[u8]) -> Digest {
    todo!()
}
/// The tree's right edge: enough to append and to know the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    size: u64,
    edge: Vec<Digest>,
}
impl Tree {
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
    /// Appends a leaf.
    pub fn push(&mut self, leaf: Digest) {
        todo!()
    }
    /// RFC 6962 §2.1 root; of an empty tree SHA-256 of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        todo!()
    }
}
/// A ledger's origin: `amanah/<party>/<epoch>`.
#[must_use]
pub fn origin(party: &PartyId, epoch: u32) -> String {
    todo!()
}
/// What a checkpoint says (C2SP tlog-checkpoint).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Digest,
}
impl Checkpoint {
    /// The signed note (C2SP signed-note, Ed25519): text, blank line, one signature line named by the origin.
    #[must_use]
    pub fn sign(&self, key: &SecretKey) -> String {
        todo!()
    }
    /// Verifies a note under any of `keys`.
    ///
    /// # Errors
    /// A broken rule, or none of the keys signed it.
    pub fn verify(note: &str, keys: &[PublicKey]) -> Result<Self, LedgerError> {
        todo!()
    }
}
/// Walks records against a verified checkpoint: indices without gap, the root equal.
///
/// # Errors
/// Names the first record that is wrong.
pub fn verify_records<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
    checkpoint: &Checkpoint,
) -> Result<(), LedgerError> {
    todo!()
}
/// Why a ledger does not verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ledger: {0}")]
pub struct LedgerError(pub(crate) String);
