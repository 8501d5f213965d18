//! Receipts: the recipient's signed answer, `imported` or `refused`. FORMAT.md §13. There is no other success.
//! A `VerifiedReceipt` is made only by verifying, and says who signed what. Whether it answers a bundle of ours is
//! compared by the journal, which knows what was sent.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::document::{self, Document, Ext, nullable};
use crate::id::{Epoch, FlowName, PartyId, Sequence};
use crate::keyring::{Flaw, Keyring};
use crate::ledger::parse_origin;
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::refusal::Refusal;
use crate::signature::{PublicKey, Purpose, SignedText, pack_signed};
use crate::time::UtcTime;

/// The file in a receipt's container.
const NAME: &str = "receipt.json";
/// What stands behind the bundle's digest in a receipt's name.
pub const SUFFIX: &str = ".receipt.amanah";
/// Where an import can land.
const STORE_KINDS: [&str; 3] = ["files", "sqlite", "postgres"];
/// Refusals of a bundle whose text could not be read: flow and place may be unknown.
const UNREAD: [Refusal; 2] = [Refusal::ManifestMalformed, Refusal::FormatUnsupported];

/// The two outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is in the recipient's store, durably.
    Imported,
    /// It never will be.
    Refused,
}

/// Where it landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreRef {
    /// `files`, `sqlite`, `postgres`.
    pub kind: String,
    /// Number of entries.
    pub entries: u64,
    /// Number of records; 0 for files.
    pub records: u64,
}

/// The outcome's record in the recipient's ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerRef {
    /// Which ledger.
    pub origin: String,
    /// Which record, from 0.
    pub index: u64,
}

/// `receipt.json`, `amanah-receipt/1`. `from` is who signs it (the bundle's recipient), `to` the bundle's sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// `amanah-receipt/1`.
    pub format: String,
    /// The bundle that it answers.
    pub manifest: Digest,
    /// The agreement that the bundle names; none where its text could not be read.
    #[serde(deserialize_with = "nullable")]
    pub agreement: Option<Digest>,
    /// The bundle's flow.
    #[serde(deserialize_with = "nullable")]
    pub flow: Option<FlowName>,
    /// The bundle's epoch.
    #[serde(deserialize_with = "nullable")]
    pub epoch: Option<Epoch>,
    /// The bundle's place.
    #[serde(deserialize_with = "nullable")]
    pub sequence: Option<Sequence>,
    /// Who signs.
    pub from: PartyId,
    /// Who sent the bundle.
    pub to: PartyId,
    /// What became of it.
    pub outcome: Outcome,
    /// Only with `refused`.
    #[serde(deserialize_with = "nullable")]
    pub refusal: Option<Refusal>,
    /// When the bundle was handed over.
    pub received: UtcTime,
    /// When its signature and signer were verified.
    pub verified: UtcTime,
    /// When its outcome was final.
    pub finished: UtcTime,
    /// Only with `imported`.
    #[serde(deserialize_with = "nullable")]
    pub store: Option<StoreRef>,
    /// Only with `imported`: after every digest in it was recomputed.
    #[serde(deserialize_with = "nullable")]
    pub contents: Option<Digest>,
    /// The outcome's record.
    pub ledger: LedgerRef,
    /// See [`Ext`].
    pub ext: Ext,
    /// See [`Ext`].
    pub critical: Vec<String>,
}

impl Document for Receipt {
    const FORMAT: &'static str = "amanah-receipt/1";
    const BYTES_MAX: u64 = DOCUMENT_BYTES_MAX;

    fn format(&self) -> &str {
        &self.format
    }

    fn critical(&self) -> &[String] {
        &self.critical
    }
}

impl Receipt {
    /// Whether outcome, refusal, stream, store and contents go together, and the ledger is the signer's.
    ///
    /// # Errors
    /// The first rule broken.
    pub fn check(&self) -> Result<(), ReceiptError> {
        let named = [
            self.agreement.is_some(),
            self.flow.is_some(),
            self.epoch.is_some(),
            self.sequence.is_some(),
        ];
        let names_stream = named == [true; 4];
        let names_nothing = named == [false; 4];
        let stored = self.store.is_some() && self.contents.is_some();
        let not_stored = self.store.is_none() && self.contents.is_none();
        let whole = match (self.outcome, self.refusal) {
            (Outcome::Imported, None) => names_stream && stored,
            (Outcome::Refused, Some(refusal)) => {
                let unread = names_nothing && UNREAD.contains(&refusal);
                refusal.is_signed() && not_stored && (names_stream || unread)
            }
            (Outcome::Imported, Some(_)) | (Outcome::Refused, None) => false,
        };
        let store_kind = self.store.as_ref().map(|store| store.kind.as_str());
        let signers_ledger = parse_origin(&self.ledger.origin);
        let broken = if self.from == self.to {
            "from and to are one party"
        } else if !whole {
            "outcome, refusal, stream, store and contents do not go together"
        } else if !store_kind.is_none_or(|kind| STORE_KINDS.contains(&kind)) {
            "the store is none of files, sqlite and postgres"
        } else if signers_ledger.is_none_or(|(party, _)| party != self.from) {
            "the ledger is not the signer's"
        } else {
            return Ok(());
        };
        Err(ReceiptError::Wrong(broken.into()))
    }
}

/// The container of a receipt's exact bytes and its signature.
#[must_use]
pub fn pack(text: &[u8], signature: &str) -> Vec<u8> {
    pack_signed(NAME, text, signature)
}

/// The receipt's name on the wire: 64 hex digits of the *bundle's* manifest digest and `.receipt.amanah`.
#[must_use]
pub fn name(manifest: &Digest) -> String {
    format!("{}{SUFFIX}", manifest.to_hex())
}

/// The bundle's digest in a receipt's [`name`]; `None` for any other name.
#[must_use]
pub fn parse_name(name: &str) -> Option<Digest> {
    Digest::from_hex(name.strip_suffix(SUFFIX)?).ok()
}

/// A receipt verified in this process.
#[derive(Debug)]
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
        let signed =
            SignedText::verify(Purpose::Receipt, NAME, container).map_err(ReceiptError::Wrong)?;
        let party = keyring.party_of(&signed.signer)?;
        let receipt: Receipt = document::parse(&signed.text)
            .map_err(|error| ReceiptError::Wrong(error.to_string()))?;
        receipt.check()?;
        let said = (&receipt.from, receipt.finished);
        keyring.judge((party, &signed.signer), said, at)?;
        Ok(Self {
            receipt,
            digest: Digest::of(&signed.text),
            signer: signed.signer,
        })
    }

    /// What it says.
    #[must_use]
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// SHA-256 of receipt.json.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The key that signed it.
    #[must_use]
    pub fn signer(&self) -> PublicKey {
        self.signer
    }
}

/// Why a receipt does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The rule broken.
    #[error("receipt: {0}")]
    Wrong(String),
    /// It may count later.
    #[error("receipt: {0}")]
    Early(String),
}

impl From<Flaw> for ReceiptError {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Early(_) => Self::Early(flaw.to_string()),
            Flaw::Unknown | Flaw::OfAnother { .. } | Flaw::KeyNotValid(_) => {
                Self::Wrong(flaw.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests;
