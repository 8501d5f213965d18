//! Agreements: the co-signed rules of an exchange. FORMAT.md §12. In force only with both signatures and within its dates.

use crate::{
    digest::Digest, document::Ext, id::*, keyring::Keyring, manifest::AgreementRef,
    signature::SecretKey, time::UtcTime,
};
use serde::{Deserialize, Serialize};

/// A party of the agreement and the first card that it is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    pub id: PartyId,
    pub name: String,
    /// Digest of the first card.
    pub card: Digest,
    /// The party's own number of the document.
    pub document_number: String,
    pub signatory: String,
    /// Function and 24-hour incident line.
    pub contact: String,
    /// Data protection officer.
    pub data_protection_officer: String,
}
/// What a flow carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowKind {
    Files,
    Table,
}
/// How urgent a flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    Urgent,
    Normal,
    Bulk,
}
/// How long originals and copies stay after settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub days: u32,
    /// `settled` in version 1 for files.
    pub from: String,
    /// `destroy`.
    pub action: String,
    pub legal_hold: bool,
}
/// How often something is expected (reserved: read, shown, not yet watched).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rhythm {
    pub every: String,
    pub by: String,
}
/// How a table is imported (reserved for table flows).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    pub mode: String,
    pub key: Vec<String>,
    pub partition: Option<String>,
}
/// One line of the agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    pub name: FlowName,
    pub from: PartyId,
    pub to: PartyId,
    pub purpose: Vec<String>,
    pub kind: FlowKind,
    pub schema: Option<Digest>,
    pub import: Option<Import>,
    pub totals: Vec<String>,
    pub bytes_max: u64,
    pub records_max: Option<u64>,
    pub rhythm: Option<Rhythm>,
    pub lane: Lane,
    pub retention: Retention,
    pub classification: String,
}
/// A purpose of processing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeText {
    pub code: String,
    pub text: String,
}
/// `agreement.json`, `amanah-agreement/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    pub format: String,
    pub id: AgreementId,
    pub version: u32,
    pub title: String,
    pub supersedes: Option<Digest>,
    pub parties: [Party; 2],
    /// First moment, and first moment no longer, in UTC; `zone` is for showing.
    pub effective: UtcTime,
    pub ends: UtcTime,
    pub zone: String,
    pub legal_basis: Vec<String>,
    pub purposes: Vec<PurposeText>,
    pub flows: Vec<Flow>,
    pub drain_days: u32,
    pub dpia: String,
    pub ext: Ext,
    pub critical: Vec<String>,
}
impl Agreement {
    /// The flow of this name.
    #[must_use]
    pub fn flow(&self, name: &FlowName) -> Option<&Flow> {
        self.flows.iter().find(|f| &f.name == name)
    }
    /// Whether `at` lies within its dates.
    #[must_use]
    pub fn covers(&self, at: UtcTime) -> bool {
        self.effective <= at && at < self.ends
    }
    /// What the two parties must hold to before anybody signs: distinct parties, flows between them, unique names, known purposes, dates in order, both officers, DPIA.
    ///
    /// # Errors
    /// The first rule broken.
    pub fn check(&self) -> Result<(), AgreementError> {
        todo!()
    }
}
/// An agreement's exact bytes with the signatures gathered so far (0, 1 or 2), unverified.
#[derive(Clone)]
pub struct AgreementFile {
    text: Vec<u8>,
    signatures: Vec<(PartyId, Vec<u8>)>,
    schemas: Vec<(Digest, Vec<u8>)>,
}
impl AgreementFile {
    /// A draft: printed, checked, unsigned.
    ///
    /// # Errors
    /// A broken rule.
    pub fn draft(agreement: &Agreement) -> Result<Self, AgreementError> {
        todo!()
    }
    /// Reads a container.
    ///
    /// # Errors
    /// A broken rule.
    pub fn parse(container: &[u8]) -> Result<Self, AgreementError> {
        todo!()
    }
    /// The container's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }
    /// The digest of agreement.json: its identity everywhere.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.text)
    }
    /// The text, read strictly (not proof of anything).
    ///
    /// # Errors
    /// A broken rule.
    pub fn agreement(&self) -> Result<Agreement, AgreementError> {
        todo!()
    }
    /// Who has signed (unverified).
    pub fn signers(&self) -> impl Iterator<Item = &PartyId> {
        self.signatures.iter().map(|s| &s.0)
    }
    /// Adds the signature of `party`, replacing an older one of it.
    ///
    /// # Errors
    /// `party` is not of the two.
    pub fn sign(&mut self, party: &PartyId, key: &SecretKey) -> Result<(), AgreementError> {
        todo!()
    }
    /// Takes over the other side's signatures over the same bytes.
    ///
    /// # Errors
    /// Another text.
    pub fn merge(&mut self, other: &Self) -> Result<(), AgreementError> {
        todo!()
    }
    /// Both signatures, each by a key valid `at` of a trusted card whose first card the agreement pins.
    ///
    /// # Errors
    /// Names the missing or wrong one.
    pub fn verify(self, keyring: &Keyring, at: UtcTime) -> Result<CoSigned, AgreementError> {
        todo!()
    }
}
/// An agreement that both parties signed, verified in this process.
pub struct CoSigned {
    agreement: Agreement,
    digest: Digest,
}
impl CoSigned {
    #[must_use]
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// How documents name it.
    #[must_use]
    pub fn reference(&self) -> AgreementRef {
        todo!()
    }
}
/// Why an agreement does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("agreement: {0}")]
pub struct AgreementError(pub(crate) String);
