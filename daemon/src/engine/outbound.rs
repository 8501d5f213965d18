//! The states of a bundle on its way out, and the one function that moves between them. SPOOL.md §2 is its table.

use super::Illegal;

/// Where an outgoing bundle stands. Text form kebab-case in the journal and the status snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outbound {
    /// Recorded; its items are being renamed to `.claimed-…`.
    Claiming,
    /// All items stand aside in the outbox. Sealed anew from them after a restart.
    Claimed,
    /// Sequence, previous, exact manifest bytes are recorded; the payload lies synced in `work/`. From here only forward.
    Sealed,
    /// The signature is recorded.
    Signed,
    /// The whole bundle lies in `queue/`.
    Queued,
    /// The peer's daemon answered that it has taken it over durably.
    HandedOver,
    /// A verified receipt says imported.
    Imported,
    /// A verified receipt says refused.
    Refused,
    /// Final: originals in `sent/`, bundle and receipt archived.
    Settled,
    /// Final: originals in `returned/` with the reason.
    Returned,
    /// Final: the items were put back into the outbox (they changed while they were claimed or read).
    PutBack,
    /// Final after settled: originals and copies destroyed on schedule.
    Destroyed,
}
/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundEvent {
    /// All its items were renamed aside.
    StoodAside,
    /// Its items went back into the outbox.
    WentBack,
    /// The sealing transaction.
    SealCommitted,
    SignatureStored,
    BundleQueued,
    PeerTookOver,
    ReceiptImported,
    ReceiptRefused,
    OriginalsSettled,
    OriginalsReturned,
    RetentionEnded,
}
/// The state after `event`. A receipt may come in `Queued` too: the answer to the hand-over can be lost, or the peer pulled.
///
/// # Errors
/// [`Illegal`].
pub fn next(state: Outbound, event: OutboundEvent) -> Result<Outbound, Illegal> { todo!() }
impl Outbound {
    /// All, in order.
    pub const ALL: &'static [Self] = &[];
    /// Kebab-case.
    #[must_use] pub const fn as_str(self) -> &'static str { todo!() }
    /// Whether nothing more happens to it but destruction.
    #[must_use] pub const fn is_final(self) -> bool { todo!() }
}
