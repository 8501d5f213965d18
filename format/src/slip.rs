//! Slips: short signed notes between two parties, never receipted. FORMAT.md §14.
//! This version makes and reads `held`, `revocation`, `resend`, `void`, `position`, `checkpoint`, `cosignature` and `card`; the
//! other kinds are reserved names. `stream`, `ledger` and `card` have the bodies of the last six.

mod card;
mod ledger;
mod stream;
mod wire;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::document::{self, Document, Ext, is_plain_up_to};
use crate::id::PartyId;
use crate::keyring::Keyring;
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::manifest::AgreementRef;
use crate::signature::{Purpose, SecretKey, SignedText, pack_signed};
use crate::time::UtcTime;

pub use self::card::Proposed;
pub use self::ledger::{Inclusion, Seen, Shown};
pub use self::stream::{POSITION_STREAMS_MAX, Position, Resend, StreamPlace, Void, VoidReason};

/// The file in a slip's container.
const NAME: &str = "slip.json";
/// What stands behind the slip's own digest in its name.
pub const SUFFIX: &str = ".slip.amanah";
/// Longest reason of a revocation, in characters.
const REASON_CHARS_MAX: usize = 1_000;

/// Why a bundle waits at its recipient. Not final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldReason {
    /// It was made in the future: one of the clocks is wrong.
    Clock,
    /// Its agreement, or that version of it, is not known here.
    AgreementUnknown,
    /// A card that it needs is not known here.
    CardUnknown,
    /// The store that it goes to is not there.
    StoreMissing,
    /// There is no room for it.
    SpaceMissing,
    /// A bundle before it has not come.
    Gap,
}

impl HeldReason {
    /// All reasons, in the order of FORMAT.md.
    pub const ALL: &'static [Self] = &[
        Self::Clock,
        Self::AgreementUnknown,
        Self::CardUnknown,
        Self::StoreMissing,
        Self::SpaceMissing,
        Self::Gap,
    ];

    /// The stable kebab-case code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::AgreementUnknown => "agreement-unknown",
            Self::CardUnknown => "card-unknown",
            Self::StoreMissing => "store-missing",
            Self::SpaceMissing => "space-missing",
            Self::Gap => "gap",
        }
    }
}

/// What a slip says. JSON: `kind` beside `body`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A bundle waits.
    Held {
        /// The bundle.
        manifest: Digest,
        /// Why.
        reason: HeldReason,
    },
    /// An agreement ends at once.
    Revocation {
        /// The agreement.
        agreement: AgreementRef,
        /// Why, for people.
        reason: String,
        /// Size of the signer's ledger.
        ledger_own: u64,
        /// Size of the other side's ledger, as far as the signer knows it.
        ledger_peer: Option<u64>,
    },
    /// Numbers of the reader's stream are missing.
    Resend(Resend),
    /// A number of the signer's stream is given up.
    Void(Void),
    /// How far the signer has seen.
    Position(Position),
    /// How far the signer's ledger has grown.
    Checkpoint(Shown),
    /// The reader's checkpoint, cosigned.
    Cosignature(Seen),
    /// A card of the signer's, proposed.
    Card(Proposed),
}

/// `slip.json`, `amanah-slip/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "wire::Wire", into = "wire::Wire")]
pub struct Slip {
    /// `amanah-slip/1`.
    pub format: String,
    /// What it says.
    pub body: Body,
    /// Who signs.
    pub from: PartyId,
    /// Whom it is for.
    pub to: PartyId,
    /// Strictly rising per (from, to, kind).
    pub number: u64,
    /// When it was made.
    pub created: UtcTime,
    /// When nobody need read it any more.
    pub expires: UtcTime,
    /// See [`Ext`].
    pub ext: Ext,
    /// See [`Ext`].
    pub critical: Vec<String>,
}

impl Document for Slip {
    const FORMAT: &'static str = "amanah-slip/1";
    const BYTES_MAX: u64 = DOCUMENT_BYTES_MAX;

    fn format(&self) -> &str {
        &self.format
    }

    fn critical(&self) -> &[String] {
        &self.critical
    }
}

impl Slip {
    /// What every slip must hold to.
    ///
    /// # Errors
    /// The first rule broken.
    pub fn check(&self) -> Result<(), SlipError> {
        let broken = if self.from == self.to {
            "from and to are one party"
        } else if self.number == 0 {
            "numbers start at 1"
        } else if self.created >= self.expires {
            "it expires before it was made"
        } else if matches!(&self.body, Body::Revocation { agreement, .. } if agreement.version == 0)
        {
            "versions start at 1"
        } else if let Some(broken) = self.body_broken() {
            broken
        } else {
            return Ok(());
        };
        Err(SlipError(broken.into()))
    }
}

impl Slip {
    /// The rule of its kind that its body breaks.
    fn body_broken(&self) -> Option<&'static str> {
        let (holds, rule) = match &self.body {
            Body::Held { .. } | Body::Void(_) => return None,
            Body::Revocation { reason, .. } => (
                is_plain_up_to(reason, REASON_CHARS_MAX),
                "the reason is a plain text of 1 to 1,000 characters",
            ),
            Body::Resend(resend) => (
                resend.holds(),
                "it asks for 1 to 1,024 numbers, for one where it names a bundle",
            ),
            Body::Position(position) => (
                position.holds(&self.from, &self.to),
                "at most 128 streams between its two parties, each once",
            ),
            Body::Checkpoint(shown) => (shown.holds(), "a short note and bounded proofs"),
            Body::Cosignature(seen) => (seen.holds(), "a short note"),
            Body::Card(card) => (card.holds(), "a card's container in base64"),
        };
        (!holds).then_some(rule)
    }
}

impl Body {
    /// The kind, as the text has it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Held { .. } => "held",
            Self::Revocation { .. } => "revocation",
            Self::Resend(_) => "resend",
            Self::Void(_) => "void",
            Self::Position(_) => "position",
            Self::Checkpoint(_) => "checkpoint",
            Self::Cosignature(_) => "cosignature",
            Self::Card(_) => "card",
        }
    }
}

/// Signs: the container's bytes.
#[must_use]
pub fn sign(slip: &Slip, key: &SecretKey) -> Vec<u8> {
    let text = document::print(slip);
    pack_signed(NAME, &text, &key.sign(Purpose::Slip, &text))
}

/// SHA-256 of the slip.json that [`sign`] writes: its identity, and its name on the wire.
#[must_use]
pub fn digest(slip: &Slip) -> Digest {
    Digest::of(&document::print(slip))
}

/// The slip's name on the wire: 64 hex digits of slip.json's digest and `.slip.amanah`.
#[must_use]
pub fn name(digest: &Digest) -> String {
    format!("{}{SUFFIX}", digest.to_hex())
}

/// The digest in a slip's [`name`]; `None` for any other name.
#[must_use]
pub fn parse_name(name: &str) -> Option<Digest> {
    Digest::from_hex(name.strip_suffix(SUFFIX)?).ok()
}

/// A slip verified in this process.
#[derive(Debug)]
pub struct VerifiedSlip {
    slip: Slip,
    digest: Digest,
}

impl VerifiedSlip {
    /// Signature, signer = `from` valid at `created` and `at`, text. Whether it is expired, its number news and its addressee
    /// right, is the reader's to ask: an old revocation still revokes.
    ///
    /// # Errors
    /// Names the rule broken.
    pub fn verify(container: &[u8], keyring: &Keyring, at: UtcTime) -> Result<Self, SlipError> {
        let signed = SignedText::verify(Purpose::Slip, NAME, container).map_err(SlipError)?;
        let Some(party) = keyring.signer(&signed.signer) else {
            return Err(SlipError("signed by a key of no known card".into()));
        };
        let slip: Slip =
            document::parse(&signed.text).map_err(|error| SlipError(error.to_string()))?;
        slip.check()?;
        if &slip.from != party {
            return Err(SlipError(format!(
                "it says that it is from {}, but {party} signed it",
                slip.from
            )));
        }
        if ![slip.created, at]
            .iter()
            .all(|time| keyring.may_sign(party, &signed.signer, *time))
        {
            return Err(SlipError("the key is not valid, or was not".into()));
        }
        Ok(Self {
            slip,
            digest: Digest::of(&signed.text),
        })
    }

    /// What it says.
    #[must_use]
    pub fn slip(&self) -> &Slip {
        &self.slip
    }

    /// SHA-256 of slip.json.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// Why a slip does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("slip: {0}")]
pub struct SlipError(pub(crate) String);

#[cfg(test)]
mod tests;
