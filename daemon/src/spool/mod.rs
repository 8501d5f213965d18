//! The home's folders: where bundles lie at each state, who may see them, and how files move. Knows paths, no states.
//! Names come from `amanah_format::home`; everything durable goes through `durable`.

pub mod outbox;
pub mod part;

use std::path::{Path, PathBuf};
use amanah_format::{digest::Digest, id::{BundleId, FlowName, PartyId}};
use crate::durable::DurableError;

/// A node's home, locked by this process.
#[derive(Debug)]
pub struct Spool { home: PathBuf }
impl Spool {
    /// Makes missing folders with their modes (DESIGN §4: spool/ 0700; outbox, requests 2770; returned, sent, inbox, receipts, ledger 2750), takes `spool/lock`
    /// (a second daemon on one home is refused), empties `work/`' leftovers that `keep` does not name.
    pub fn open(home: &Path, peers: &[PartyId]) -> Result<Self, SpoolError> { todo!() }
    #[must_use] pub fn home(&self) -> &Path { &self.home }
    /// `spool/work/ID.payload`: the payload while it is sealed.
    #[must_use] pub fn work_payload(&self, bundle: &BundleId) -> PathBuf { todo!() }
    /// `spool/queue/PEER/HEX.amanah`
    #[must_use] pub fn queued(&self, peer: &PartyId, manifest: &Digest) -> PathBuf { todo!() }
    /// `spool/incoming/PEER/HEX.amanah`: taken over.
    #[must_use] pub fn incoming(&self, peer: &PartyId, manifest: &Digest) -> PathBuf { todo!() }
    /// `spool/archive/sent/PEER/HEX.amanah`
    #[must_use] pub fn archived_sent(&self, peer: &PartyId, manifest: &Digest) -> PathBuf { todo!() }
    /// `spool/archive/received/PEER/HEX.amanah`
    #[must_use] pub fn archived_received(&self, peer: &PartyId, manifest: &Digest) -> PathBuf { todo!() }
    /// Removes everything in `work/` except payloads of `keep` (bundles that are Sealed or Signed).
    pub fn sweep_work(&self, keep: &[BundleId]) -> Result<(), SpoolError> { todo!() }
    /// Keeps a receipt as evidence: `receipts/{issued,received}/PEER/HEX.receipt.amanah`.
    pub fn keep_receipt(&self, side: Side, peer: &PartyId, manifest: &Digest, container: &[u8]) -> Result<(), SpoolError> { todo!() }
    /// Moves a refused or doubtful bundle to `spool/quarantine/HEX.amanah` and writes HEX.json (peer, code, time) beside it.
    pub fn quarantine(&self, peer: &PartyId, name: &str, from: &Path, note: &QuarantineNote) -> Result<(), SpoolError> { todo!() }
    /// Writes the status snapshot by rename (0640).
    pub fn publish_status(&self, json: &[u8]) -> Result<(), SpoolError> { todo!() }
    /// Appends lines to `ledger/records.jsonl` from `index` on (truncating what a crash left beyond), then replaces `ledger/checkpoint`.
    pub fn publish_ledger(&self, index: u64, lines: &[Vec<u8>], checkpoint: &str) -> Result<(), SpoolError> { todo!() }
    /// How many whole lines `ledger/records.jsonl` has.
    pub fn published_ledger(&self) -> Result<u64, SpoolError> { todo!() }
    /// Free bytes of the file system that holds the spool.
    pub fn free_bytes(&self) -> Result<u64, SpoolError> { todo!() }
    /// Pending requests: (path, owner's user id, bytes), regular files only, at most 64 KiB each; others are removed.
    pub fn requests(&self) -> Result<Vec<(PathBuf, u32, Vec<u8>)>, SpoolError> { todo!() }
}
/// Whose receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side { /// We signed it.
    Issued, /// The peer did.
    Received }
/// Why something lies in quarantine: shown by `amanah quarantine`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct QuarantineNote { pub name: String, pub peer: PartyId, pub code: String, pub time: amanah_format::time::UtcTime, pub bytes: u64, /// Refused, held, or not a bundle.
    pub state: String }
/// Why the home does not serve.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("home {0}: another daemon holds it")] Locked(PathBuf),
    #[error("home {0} is missing: run `amanah init`, or mount it")] Missing(PathBuf),
    #[error("home: {0}")] Durable(#[from] DurableError),
    #[error("home: {operation} {path}: {source}")] Io { operation: &'static str, path: PathBuf, #[source] source: std::io::Error },
}
