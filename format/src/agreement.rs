//! Agreements: the co-signed rules of an exchange. FORMAT.md §12. In force only with both signatures and within its dates.
//! This file has the text's shape; `rules` has what it must hold to, `file` the container and its signatures.

mod file;
mod rules;

use serde::{Deserialize, Serialize};

pub use file::{AgreementFile, CoSigned};

use crate::digest::Digest;
use crate::document::{Document, Ext, nullable};
use crate::id::{AgreementId, FlowName, PartyId};
use crate::limits::AGREEMENT_BYTES_MAX;
use crate::time::UtcTime;

/// The member of `ext` that says how cards of the parties follow each other; of its values one is known, and any other, or
/// none, means: by hand.
const CARD_SUCCESSION: &str = "card_succession";
const BY_CHAIN: &str = "chain";

/// A party of the agreement and the first card that it is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its id.
    pub id: PartyId,
    /// Its legal name.
    pub name: String,
    /// Digest of the first card.
    pub card: Digest,
    /// The party's own number of the document.
    pub document_number: String,
    /// Who signs on paper: name or office.
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
    /// Files as they are.
    Files,
    /// Rows of a schema: FORMAT.md §17.
    Table,
}

/// How urgent a flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Before everything else.
    Urgent,
    /// The ordinary lane.
    Normal,
    /// When nothing else waits.
    Bulk,
}

/// How long originals and copies stay after settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Days.
    pub days: u32,
    /// `settled` in version 1 for files.
    pub from: String,
    /// `destroy`.
    pub action: String,
    /// Nothing is destroyed while this stands.
    pub legal_hold: bool,
}

/// How often something is expected. What is understood and watched is in FORMAT.md §12; anything else is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rhythm {
    /// Such as `day`.
    pub every: String,
    /// Such as `06:00`.
    pub by: String,
}

/// How a table is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// `append`, `upsert` or `replace`.
    pub mode: String,
    /// Columns that name a row.
    pub key: Vec<String>,
    /// Column whose value is replaced as a whole.
    #[serde(deserialize_with = "nullable")]
    pub partition: Option<String>,
}

/// One line of the agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Its name, unique over all agreements of the pair.
    pub name: FlowName,
    /// Who sends.
    pub from: PartyId,
    /// Who receives.
    pub to: PartyId,
    /// Codes of [`Agreement::purposes`].
    pub purpose: Vec<String>,
    /// What it carries.
    pub kind: FlowKind,
    /// Of tables: the pinned schema file.
    #[serde(deserialize_with = "nullable")]
    pub schema: Option<Digest>,
    /// Of tables.
    #[serde(deserialize_with = "nullable")]
    pub import: Option<Import>,
    /// Of tables: columns whose totals are compared.
    pub totals: Vec<String>,
    /// Most bytes of one bundle's entries.
    pub bytes_max: u64,
    /// Most records of one bundle.
    #[serde(deserialize_with = "nullable")]
    pub records_max: Option<u64>,
    /// How often something is expected.
    #[serde(deserialize_with = "nullable")]
    pub rhythm: Option<Rhythm>,
    /// How urgent it is.
    pub lane: Lane,
    /// How long copies stay.
    pub retention: Retention,
    /// The parties' own word for how secret it is.
    pub classification: String,
}

/// A purpose of processing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeText {
    /// What flows and manifests name.
    pub code: String,
    /// What it means.
    pub text: String,
}

/// `agreement.json`, `amanah-agreement/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// `amanah-agreement/1`.
    pub format: String,
    /// Its id, the same in all versions.
    pub id: AgreementId,
    /// 1 for the first text, then rising.
    pub version: u32,
    /// Its title.
    pub title: String,
    /// Digest of the version before this one; none for the first.
    #[serde(deserialize_with = "nullable")]
    pub supersedes: Option<Digest>,
    /// The two.
    pub parties: [Party; 2],
    /// First moment in UTC; `zone` is for showing.
    pub effective: UtcTime,
    /// First moment no longer.
    pub ends: UtcTime,
    /// IANA time zone in which people are shown the dates.
    pub zone: String,
    /// Laws and regulations that allow it.
    pub legal_basis: Vec<String>,
    /// Purposes of processing.
    pub purposes: Vec<PurposeText>,
    /// Its lines.
    pub flows: Vec<Flow>,
    /// Days after [`Agreement::effective`] during which bundles sealed under the version before are still admitted.
    pub drain_days: u32,
    /// Reference of the data protection impact assessment.
    pub dpia: String,
    /// See [`Ext`].
    pub ext: Ext,
    /// See [`Ext`].
    pub critical: Vec<String>,
}

impl Document for Agreement {
    const FORMAT: &'static str = "amanah-agreement/1";
    const BYTES_MAX: u64 = AGREEMENT_BYTES_MAX;

    fn format(&self) -> &str {
        &self.format
    }

    fn critical(&self) -> &[String] {
        &self.critical
    }
}

impl Agreement {
    /// The flow of this name.
    #[must_use]
    pub fn flow(&self, name: &FlowName) -> Option<&Flow> {
        self.flows.iter().find(|flow| &flow.name == name)
    }

    /// Whether `at` lies within its dates.
    #[must_use]
    pub fn covers(&self, at: UtcTime) -> bool {
        self.effective <= at && at < self.ends
    }

    /// Whether both parties allow that a card which the one before it signed is taken without a hand: FORMAT.md §11.2.
    #[must_use]
    pub fn lets_cards_follow(&self) -> bool {
        self.ext.text(CARD_SUCCESSION) == Some(BY_CHAIN)
    }

    /// `ext` of a new text, which allows that or does not.
    #[must_use]
    pub fn ext_of(lets_cards_follow: bool) -> Ext {
        let mut ext = Ext::default();
        if lets_cards_follow {
            ext.set(CARD_SUCCESSION, BY_CHAIN.to_owned());
        }
        ext
    }

    /// The party of this id.
    #[must_use]
    pub fn party(&self, id: &PartyId) -> Option<&Party> {
        self.parties.iter().find(|party| &party.id == id)
    }
}

/// Why an agreement does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("agreement: {0}")]
pub struct AgreementError(pub(crate) String);

#[cfg(test)]
mod tests;
