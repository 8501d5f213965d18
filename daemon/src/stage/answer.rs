//! The text of a receipt: what is recorded with the outcome, signed later, and sent byte for byte ever after.
//! One builder for both outcomes; the rules that it must meet are in FORMAT.md §13.

use amanah_format::digest::Digest;
use amanah_format::document::{self, Document, Ext};
use amanah_format::id::PartyId;
use amanah_format::manifest::Manifest;
use amanah_format::receipt::{LedgerRef, Outcome, Receipt, StoreRef};
use amanah_format::refusal::Refusal;
use amanah_format::time::UtcTime;

/// All that a receipt says but its place in the ledger.
pub(crate) struct Answer<'a> {
    /// Who signs: the bundle's recipient.
    pub(crate) own: PartyId,
    /// Who sent the bundle.
    pub(crate) peer: PartyId,
    /// The bundle's identity.
    pub(crate) digest: Digest,
    /// Its manifest, where its verified bytes are one.
    pub(crate) manifest: Option<&'a Manifest>,
    /// When it was handed over.
    pub(crate) received: UtcTime,
    /// Now.
    pub(crate) now: UtcTime,
    /// Where it landed, or why it did not.
    pub(crate) outcome: Result<StoreRef, Refusal>,
}

impl Answer<'_> {
    /// receipt.json for the outcome's record at `index` of the ledger `origin`.
    pub(crate) fn text(&self, origin: &str, index: u64) -> Vec<u8> {
        let stored = self.outcome.as_ref().ok();
        document::print(&Receipt {
            format: Receipt::FORMAT.to_owned(),
            manifest: self.digest,
            agreement: self.manifest.map(|manifest| manifest.agreement.digest),
            flow: self.manifest.map(|manifest| manifest.flow.clone()),
            epoch: self.manifest.map(|manifest| manifest.epoch),
            sequence: self.manifest.map(|manifest| manifest.sequence),
            from: self.own.clone(),
            to: self.peer.clone(),
            outcome: if stored.is_some() {
                Outcome::Imported
            } else {
                Outcome::Refused
            },
            refusal: self.outcome.as_ref().err().copied(),
            received: self.received,
            verified: self.received,
            finished: self.now,
            store: stored.cloned(),
            contents: stored
                .and(self.manifest)
                .map(|manifest| manifest.contents.digest),
            ledger: LedgerRef {
                origin: origin.to_owned(),
                index,
            },
            ext: Ext::default(),
            critical: Vec::new(),
        })
    }
}
