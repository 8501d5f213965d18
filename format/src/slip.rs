//! Slips: short signed notes between two parties, never receipted. FORMAT.md §14.
//! This version makes and reads `held` and `revocation`; the other kinds are reserved names.

use crate::{
    digest::Digest, document::Ext, id::PartyId, keyring::Keyring, manifest::AgreementRef,
    signature::SecretKey, time::UtcTime,
};
use serde::{Deserialize, Serialize};

/// Why a bundle waits at its recipient. Not final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldReason {
    Clock,
    AgreementUnknown,
    CardUnknown,
    StoreMissing,
    SpaceMissing,
    Gap,
}
/// What a slip says. JSON: `kind` beside `body`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    content = "body",
    rename_all = "kebab-case",
    deny_unknown_fields
)]
pub enum Body {
    /// A bundle waits.
    Held {
        manifest: Digest,
        reason: HeldReason,
    },
    /// An agreement ends at once. `ledger_own`/`ledger_peer`: sizes of both ledgers as the signer knows them.
    Revocation {
        agreement: AgreementRef,
        reason: String,
        ledger_own: u64,
        ledger_peer: Option<u64>,
    },
}
/// `slip.json`, `amanah-slip/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slip {
    pub format: String,
    #[serde(flatten)]
    pub body: Body,
    pub from: PartyId,
    pub to: PartyId,
    pub number: u64,
    pub created: UtcTime,
    pub expires: UtcTime,
    pub ext: Ext,
    pub critical: Vec<String>,
}
/// Signs: the container's bytes.
#[must_use]
pub fn sign(slip: &Slip, key: &SecretKey) -> Vec<u8> {
    todo!()
}
/// The slip's name on the wire: 64 hex digits of slip.json's digest and `.slip.amanah`.
#[must_use]
pub fn name(digest: &Digest) -> String {
    todo!()
}
/// A slip verified in this process.
pub struct VerifiedSlip {
    slip: Slip,
    digest: Digest,
}
impl VerifiedSlip {
    /// Signature, signer = `from` valid at `created` and `at`, text.
    ///
    /// # Errors
    /// Names the rule broken.
    pub fn verify(container: &[u8], keyring: &Keyring, at: UtcTime) -> Result<Self, SlipError> {
        todo!()
    }
    #[must_use]
    pub fn slip(&self) -> &Slip {
        &self.slip
    }
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}
/// Why a slip does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("slip: {0}")]
pub struct SlipError(pub(crate) String);
