//! What may leave and what may enter: the agreements in force, the keyring, default deny. Pure; both sides ask the same rules.

use amanah_format::{agreement::{CoSigned, Lane}, id::{AgreementId, BundleId, Epoch, FlowName, PartyId, Sequence}, digest::Digest, keyring::Keyring, manifest::{AgreementRef, Manifest}, recipient::Recipient, refusal::Refusal, slip::HeldReason, time::UtcTime};

/// The rules as loaded at one moment. Replaced whole on reload.
pub struct Policy { own: PartyId, keyring: Keyring, agreements: Vec<CoSigned>, revoked: Vec<(Digest, UtcTime)>, alarms: Vec<String> }
impl Policy {
    /// Gathers what was verified at load. Two different texts with one id and version: an alarm, neither is in force.
    #[must_use]
    pub fn new(own: PartyId, keyring: Keyring, agreements: Vec<CoSigned>, revoked: Vec<(Digest, UtcTime)>) -> Self { todo!() }
    #[must_use] pub fn own(&self) -> &PartyId { &self.own }
    #[must_use] pub fn keyring(&self) -> &Keyring { &self.keyring }
    #[must_use] pub fn agreements(&self) -> &[CoSigned] { &self.agreements }
    /// Conflicts found at load, for log and status.
    #[must_use] pub fn alarms(&self) -> &[String] { &self.alarms }
    /// Whether this agreement (by digest) is in force at `at`: within its dates, not revoked, highest version that is in effect.
    #[must_use] pub fn in_force(&self, agreement: &Digest, at: UtcTime) -> bool { todo!() }
    /// All flows that may be sent to `peer` at `at` (the outbox folders to make).
    #[must_use] pub fn sendable(&self, peer: &PartyId, at: UtcTime) -> Vec<FlowName> { todo!() }
    /// May this leave? Names the agreement, purpose, lane, recipients.
    ///
    /// # Errors
    /// Why not, for the operator.
    pub fn may_send(&self, peer: &PartyId, flow: &FlowName, size: Size, at: UtcTime) -> Result<Permit, ReturnReason> { todo!() }
    /// May this verified bundle enter? `place` is what the journal knows of its stream.
    #[must_use] pub fn judge(&self, manifest: &Manifest, place: &Place, received: UtcTime) -> Verdict { todo!() }
    /// Retention of a flow under an agreement known here, in days.
    #[must_use] pub fn retention_days(&self, agreement: &Digest, flow: &FlowName) -> Option<u32> { todo!() }
}
/// What an outgoing bundle would carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size { /// Sum of the entries' lengths.
    pub bytes: u64, /// Number of files.
    pub entries: u64 }
/// A permission to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit { pub agreement: AgreementRef, pub purpose: String, pub lane: Lane, pub bytes_max: u64, pub recipients: Vec<Recipient>, /// When the bundle expires.
    pub expires: UtcTime }
/// What the journal knows of the place that a bundle claims.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place { /// Another bundle that already holds this (stream, sequence).
    pub holder: Option<Digest>, /// Another bundle of this sender with the same bundle id.
    pub same_id: Option<Digest>, /// Digest of the bundle at sequence - 1, when it was seen.
    pub before: Option<Digest>, /// Highest sequence up to which the stream has no gap (0: none).
    pub contiguous: u64 }
/// The answer to an incoming bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict { Admit, Refuse(Refusal), Hold(HeldReason) }
/// Why an operator's item is not sent. Codes kebab-case; texts in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReturnReason { PeerUnknown, FlowNotAgreed, DirectionNotAgreed, AgreementNotInForce, TooLarge, TooManyEntries, NotAFile, Unreadable, NameNotPortable, FolderEmpty, NoRecipientKey, #[serde(untagged)] Refused(Refusal) }
impl ReturnReason { /// The stable code.
    #[must_use] pub const fn code(self) -> &'static str { todo!() } }
