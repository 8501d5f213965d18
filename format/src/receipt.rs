//! Receipts: the recipient's signed answer, `imported` or `refused`. FORMAT.md §13. There is no other success.

use crate::{
    digest::Digest, document::Ext, id::*, keyring::Keyring, refusal::Refusal, signature::PublicKey,
    time::UtcTime,
};
use serde::{Deserialize, Serialize};

/// The two outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Imported,
    Refused,
}
/// Where it landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreRef {
    /// `files`, `sqlite`, `postgres`.
    pub kind: String,
    pub entries: u64,
    pub records: u64,
}
/// The outcome's record in the recipient's ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerRef {
    pub origin: String,
    pub index: u64,
}
/// `receipt.json`, `amanah-receipt/1`. `from` is who signs it (the bundle's recipient), `to` the bundle's sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub format: String,
    pub manifest: Digest,
    pub agreement: Option<Digest>,
    pub flow: Option<FlowName>,
    pub epoch: Option<Epoch>,
    pub sequence: Option<Sequence>,
    pub from: PartyId,
    pub to: PartyId,
    pub outcome: Outcome,
    pub refusal: Option<Refusal>,
    pub received: UtcTime,
    pub verified: UtcTime,
    pub finished: UtcTime,
    /// Only with `imported`.
    pub store: Option<StoreRef>,
    /// Only with `imported`: after every digest in it was recomputed.
    pub contents: Option<Digest>,
    pub ledger: LedgerRef,
    pub ext: Ext,
    pub critical: Vec<String>,
}

/// The container of a receipt's exact bytes and its signature.
#[must_use]
pub fn pack(text: &[u8], signature: &str) -> Vec<u8> {
    todo!()
}
/// The receipt's name on the wire: 64 hex digits of the *bundle's* manifest digest and `.receipt.amanah`.
#[must_use]
pub fn name(manifest: &Digest) -> String {
    todo!()
}

/// A receipt verified in this process.
pub struct VerifiedReceipt {
    receipt: Receipt,
    digest: Digest,
    signer: PublicKey,
}
impl VerifiedReceipt {
    /// Signature, signer (a key of `from` valid at `finished` and not after `at` + skew), text, and that outcome, refusal, store and contents go together.
    ///
    /// # Errors
    /// Names the rule broken.
    pub fn verify(container: &[u8], keyring: &Keyring, at: UtcTime) -> Result<Self, ReceiptError> {
        todo!()
    }
    #[must_use]
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }
    /// SHA-256 of receipt.json.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
    #[must_use]
    pub fn signer(&self) -> PublicKey {
        self.signer
    }
}
/// Why a receipt does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("receipt: {0}")]
pub struct ReceiptError(pub(crate) String);
