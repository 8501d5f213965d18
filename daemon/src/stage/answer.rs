//! The text of a receipt: what is recorded with the outcome, signed later, and sent byte for byte ever after.
//! One builder for both outcomes; the rules that it must meet are in FORMAT.md §13.

use amanah_format::container::unpack_small;
use amanah_format::digest::Digest;
use amanah_format::document::{self, Document, Ext};
use amanah_format::id::PartyId;
use amanah_format::limits::DOCUMENT_BYTES_MAX;
use amanah_format::manifest::Manifest;
use amanah_format::receipt::{LedgerRef, Outcome, Receipt, StoreRef, VerifiedReceipt};
use amanah_format::refusal::Refusal;
use amanah_format::time::UtcTime;

use super::{Node, StageError};

/// The receipt that this home signed for a bundle before: kept by itself, or given back by the bundle's sender. Whatever the
/// journal knows, the bundle is answered by these bytes and no others.
pub(crate) struct Kept {
    /// What it says.
    pub(crate) receipt: Receipt,
    /// receipt.json.
    pub(crate) text: Vec<u8>,
    /// Its armour.
    pub(crate) signature: String,
}

impl Kept {
    /// Of a bundle from `peer`; none where none is kept. What does not verify under our own card is none.
    ///
    /// # Errors
    /// This machine's.
    pub(crate) fn find(
        node: &Node,
        peer: &PartyId,
        manifest: &Digest,
    ) -> Result<Option<Self>, StageError> {
        let Some(container) = node.spool.kept_receipt(peer, manifest)? else {
            return Ok(None);
        };
        let policy = node.rules.now();
        let verified = VerifiedReceipt::verify(&container, policy.keyring(), node.clock.now());
        let receipt = match &verified {
            Ok(verified) => verified.receipt(),
            Err(error) => {
                tracing::error!(%peer, %manifest, "a kept receipt of ours does not count: {error}");
                return Ok(None);
            }
        };
        let ours = &receipt.from == policy.own() && &receipt.to == peer;
        let files = unpack_small(&container, DOCUMENT_BYTES_MAX);
        let mut files = files.unwrap_or_default().into_iter();
        let (Some((_, text)), Some((_, armour)), true) = (
            files.next(),
            files.next(),
            ours && &receipt.manifest == manifest,
        ) else {
            return Ok(None);
        };
        Ok(Some(Self {
            receipt: receipt.clone(),
            text,
            signature: String::from_utf8(armour).unwrap_or_default(),
        }))
    }

    /// Whether it says the same as an outcome that was found now.
    pub(crate) fn agrees(&self, refusal: Option<Refusal>) -> bool {
        self.receipt.refusal == refusal
    }
}

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
