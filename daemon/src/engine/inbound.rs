//! The states of a bundle on its way in, and the one function that moves between them. SPOOL.md §3 is its table.

use super::Illegal;

/// Where an incoming bundle stands. Text form kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inbound {
    /// Verified and whole, but not yet: a reason is recorded, it is judged again.
    Held,
    /// To be imported.
    Admitted,
    /// Outcome `imported`: the store has committed; the receipt's exact bytes are recorded.
    Imported,
    /// Outcome `refused`: the receipt's exact bytes are recorded.
    Refused,
    /// The receipt is signed and offered to the peer.
    Acknowledged,
    /// The peer has the receipt durably.
    Delivered,
}
/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboundEvent {
    /// Judged again: now it may be imported.
    Admitted,
    /// Judged again, or found while opening.
    Refused,
    /// Judged again: still not, perhaps for another reason; or an import found its store or space missing.
    Held,
    StoreCommitted,
    ReceiptSigned,
    ReceiptTaken,
    /// The same bundle came again: the same receipt is offered again.
    CameAgain,
}
/// The state after `event`.
///
/// # Errors
/// [`Illegal`].
pub fn next(state: Inbound, event: InboundEvent) -> Result<Inbound, Illegal> { todo!() }
impl Inbound {
    /// All, in order.
    pub const ALL: &'static [Self] = &[];
    /// Kebab-case.
    #[must_use] pub const fn as_str(self) -> &'static str { todo!() }
}
