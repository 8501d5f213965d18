//! The journal: SQLite (WAL, synchronous=FULL, exclusive), the only writer of state. Every state change and its ledger record
//! are one transaction. Rows come out as values; a row is never proof of a file.

use std::path::Path;
use amanah_format::{agreement::Lane, digest::Digest, id::{AgreementId, BundleId, Epoch, FlowName, PartyId, Sequence}, ledger::{Checkpoint, RecordKind}, manifest::{AgreementRef, Manifest}, receipt::Receipt, refusal::Refusal, slip::HeldReason, time::UtcTime};
use crate::engine::{Illegal, inbound::{Inbound, InboundEvent}, outbound::{Outbound, OutboundEvent}, policy::{Place, ReturnReason}};

/// The daemon's own state. Shared by reference between threads; one transaction at a time.
pub struct Journal { _private: () }

/// An operator's item in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item { /// Its name in the outbox, raw bytes lossless.
    pub name: std::ffi::OsString, /// Its name while claimed.
    pub claim_name: String, /// File or folder.
    pub is_folder: bool, pub inode: u64, pub bytes: u64, /// ctime in nanoseconds after the claim's rename was seen (0 before).
    pub ctime_nanos: i128, /// Where it ended, relative to the home (`sent/…`, `returned/…`).
    pub resting_place: Option<String> }
/// A bundle to be claimed.
#[derive(Debug, Clone)]
pub struct NewClaim { pub bundle: BundleId, pub peer: PartyId, pub flow: FlowName, pub lane: Lane, pub items: Vec<Item>, pub seen_millis: u64 }
/// An outgoing bundle as recorded.
#[derive(Debug, Clone)]
pub struct OutboundRow { pub bundle: BundleId, pub peer: PartyId, pub flow: FlowName, pub lane: Lane, pub state: Outbound, pub items: Vec<Item>, /// When its items were seen settled.
    pub seen_millis: u64, pub agreement: Option<AgreementRef>, pub epoch: Option<Epoch>, pub sequence: Option<Sequence>, /// Exact manifest bytes and their digest, from `Sealed` on.
    pub manifest: Option<Vec<u8>>, pub digest: Option<Digest>, pub signature: Option<String>, pub payload_bytes: u64, pub refusal: Option<Refusal>, pub return_reason: Option<String>, /// Last change.
    pub changed: UtcTime, pub changed_millis: u64, /// The peer says that it holds it, for this reason.
    pub held: Option<HeldReason> }
/// An incoming bundle as recorded.
#[derive(Debug, Clone)]
pub struct InboundRow { pub digest: Digest, pub peer: PartyId, pub state: Inbound, pub bundle: Option<BundleId>, pub flow: Option<FlowName>, pub agreement: Option<Digest>, pub epoch: Option<Epoch>, pub sequence: Option<Sequence>, pub received: UtcTime, pub manifest: Vec<u8>, pub signature: Vec<u8>, pub payload_bytes: u64,
    pub held: Option<HeldReason>, pub refusal: Option<Refusal>, /// receipt.json's exact bytes, from the outcome on.
    pub receipt: Option<Vec<u8>>, pub receipt_signature: Option<String>, pub changed: UtcTime, pub changed_millis: u64 }
/// A bundle newly taken over.
#[derive(Debug, Clone)]
pub struct NewInbound { pub digest: Digest, pub peer: PartyId, /// Parsed manifest; none when its verified bytes are no manifest.
    pub manifest: Option<Manifest>, pub manifest_bytes: Vec<u8>, pub signature: Vec<u8>, pub payload_bytes: u64, pub received: UtcTime, pub verdict: crate::engine::policy::Verdict }
/// A slip of ours that waits for its peer.
#[derive(Debug, Clone)]
pub struct SlipRow { pub digest: Digest, pub peer: PartyId, pub container: Vec<u8> }

impl Journal {
    /// Opens or creates it; a new one begins its ledger with `opened`. Fails when another process holds it, or when its schema is newer.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(path: &Path, party: &PartyId, now: UtcTime) -> Result<Self, JournalError> { todo!() }

    // ---- outbound ----
    /// Records claims (state `Claiming`), one transaction for all.
    pub fn claim(&self, claims: &[NewClaim], now: UtcTime) -> Result<(), JournalError> { todo!() }
    /// Moves a bundle by an event that needs no further facts.
    pub fn advance_outbound(&self, bundle: &BundleId, event: OutboundEvent, now: UtcTime) -> Result<Outbound, JournalError> { todo!() }
    /// Updates an item's inode/ctime/resting place (facts of the file system beside the state).
    pub fn note_items(&self, bundle: &BundleId, items: &[Item]) -> Result<(), JournalError> { todo!() }
    /// THE sealing transaction: takes the next sequence of the stream (peer, agreement id, flow, epoch), lets `make` print the exact manifest bytes, records both.
    pub fn commit_seal(&self, bundle: &BundleId, agreement: &AgreementRef, now: UtcTime, make: &mut dyn FnMut(Epoch, Sequence, Option<Digest>) -> Result<(Vec<u8>, u64), String>) -> Result<OutboundRow, JournalError> { todo!() }
    /// Stores the manifest's signature (`Signed`).
    pub fn store_signature(&self, bundle: &BundleId, signature: &str, now: UtcTime) -> Result<(), JournalError> { todo!() }
    /// A verified receipt came for the bundle of this manifest digest: stores its container, moves to `Imported` or `Refused`. `Ok(None)`: no such bundle of ours.
    /// The same receipt again changes nothing; a different one for an answered bundle is `Conflict` (evidence, alarm).
    pub fn answer(&self, receipt: &Receipt, receipt_digest: &Digest, container: &[u8], now: UtcTime) -> Result<Option<OutboundRow>, JournalError> { todo!() }
    /// Moves to `Returned` with its reason code.
    pub fn record_return(&self, bundle: &BundleId, reason: ReturnReason, now: UtcTime) -> Result<(), JournalError> { todo!() }
    /// All in one of `states`, oldest first, at most `limit`.
    pub fn outbound_in(&self, states: &[Outbound], limit: u32) -> Result<Vec<OutboundRow>, JournalError> { todo!() }
    /// What waits for `peer` in `queue/` (states Queued, HandedOver), by lane then age.
    pub fn queued_for(&self, peer: &PartyId) -> Result<Vec<OutboundRow>, JournalError> { todo!() }
    pub fn outbound(&self, bundle: &BundleId) -> Result<Option<OutboundRow>, JournalError> { todo!() }
    pub fn outbound_by_digest(&self, digest: &Digest) -> Result<Option<OutboundRow>, JournalError> { todo!() }
    /// A held slip came from the peer for this manifest.
    pub fn note_held(&self, digest: &Digest, reason: HeldReason) -> Result<(), JournalError> { todo!() }
    /// Settled rows whose retention ended before `now` (days per row given by `days`).
    pub fn settled_before(&self, moment: UtcTime, limit: u32) -> Result<Vec<OutboundRow>, JournalError> { todo!() }

    // ---- inbound ----
    /// What is known of the place that a manifest claims.
    pub fn place(&self, peer: &PartyId, manifest: &Manifest) -> Result<Place, JournalError> { todo!() }
    /// Records a bundle that was taken over (its file lies durably in incoming/), with its verdict: `Admitted`, `Held`, or `Refused` (then `receipt` prints receipt.json given origin and index of the outcome's record).
    /// Known already: nothing changes but `CameAgain`; returns the row as it stands.
    pub fn take_over(&self, new: &NewInbound, now: UtcTime, receipt: &mut ReceiptText<'_>) -> Result<InboundRow, JournalError> { todo!() }
    /// A held bundle is judged again: Admit or another hold.
    pub fn rejudge(&self, digest: &Digest, event: InboundEvent, held: Option<HeldReason>, now: UtcTime) -> Result<(), JournalError> { todo!() }
    /// First transaction of an outcome: state, the outcome's ledger record, receipt.json's exact bytes made by `receipt` from (origin, index).
    pub fn decide(&self, digest: &Digest, refusal: Option<Refusal>, now: UtcTime, receipt: &mut ReceiptText<'_>) -> Result<InboundRow, JournalError> { todo!() }
    /// Second transaction: the signature and the record of the receipt's digest (`Acknowledged`).
    pub fn store_receipt_signature(&self, digest: &Digest, signature: &str, now: UtcTime) -> Result<(), JournalError> { todo!() }
    /// `ReceiptTaken` or `CameAgain`.
    pub fn advance_inbound(&self, digest: &Digest, event: InboundEvent, now: UtcTime) -> Result<Inbound, JournalError> { todo!() }
    pub fn inbound(&self, digest: &Digest) -> Result<Option<InboundRow>, JournalError> { todo!() }
    pub fn inbound_in(&self, states: &[Inbound], limit: u32) -> Result<Vec<InboundRow>, JournalError> { todo!() }
    /// Receipts signed and not yet taken by `peer`.
    pub fn receipts_for(&self, peer: &PartyId) -> Result<Vec<InboundRow>, JournalError> { todo!() }

    // ---- slips ----
    /// The next number for (peer, kind), reserved and recorded with the slip made by `make(number)`.
    pub fn add_slip(&self, peer: &PartyId, kind: &str, now: UtcTime, make: &mut dyn FnMut(u64) -> (Digest, Vec<u8>)) -> Result<(), JournalError> { todo!() }
    pub fn slips_for(&self, peer: &PartyId) -> Result<Vec<SlipRow>, JournalError> { todo!() }
    pub fn slip_taken(&self, digest: &Digest) -> Result<(), JournalError> { todo!() }
    /// True when (peer, kind, number) is higher than any before: then it is recorded.
    pub fn note_slip(&self, peer: &PartyId, kind: &str, number: u64) -> Result<bool, JournalError> { todo!() }

    // ---- ledger and the rest ----
    /// Appends a record that belongs to no bundle (loaded, requested, damaged …).
    pub fn record(&self, entry: LedgerEntry, now: UtcTime) -> Result<u64, JournalError> { todo!() }
    /// Size and root as committed.
    pub fn checkpoint(&self) -> Result<Checkpoint, JournalError> { todo!() }
    /// Lines from `index` on, at most `limit`.
    pub fn ledger_lines(&self, index: u64, limit: u32) -> Result<Vec<Vec<u8>>, JournalError> { todo!() }
    /// Small durable facts of the node (paused peers, agreement digests already recorded as loaded …).
    pub fn fact(&self, key: &str) -> Result<Option<String>, JournalError> { todo!() }
    pub fn set_fact(&self, key: &str, value: Option<&str>) -> Result<(), JournalError> { todo!() }
    /// Counts by state, for the snapshot.
    pub fn counts(&self) -> Result<Counts, JournalError> { todo!() }
    /// The newest bundles in either direction, active ones first, at most `limit` each.
    pub fn recent_outbound(&self, limit: u32) -> Result<Vec<OutboundRow>, JournalError> { todo!() }
    pub fn recent_inbound(&self, limit: u32) -> Result<Vec<InboundRow>, JournalError> { todo!() }
}
/// Prints receipt.json given the ledger's origin and the index of the outcome's record.
pub type ReceiptText<'a> = dyn FnMut(&str, u64) -> Vec<u8> + 'a;
/// A record to append.
#[derive(Debug, Clone)]
pub struct LedgerEntry { pub kind: RecordKind, pub manifest: Option<Digest>, pub digests: Vec<Digest>, pub code: Option<String>, pub by: Option<u32> }
/// Numbers for the snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts { pub outbound: Vec<(Outbound, u64)>, pub inbound: Vec<(Inbound, u64)>, pub ledger_size: u64 }
/// Why the journal did not do it.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("journal: {0}")] Sqlite(#[from] rusqlite::Error),
    #[error("journal {path}: {reason}")] Open { path: std::path::PathBuf, reason: String },
    #[error("journal: {0}")] Illegal(#[from] Illegal),
    #[error("journal: no bundle {0}")] Unknown(String),
    #[error("journal: a stored value is damaged: {0}")] Damaged(String),
    #[error("journal: another receipt than the one recorded")] Conflict,
    #[error("journal: {0}")] Make(String),
}
