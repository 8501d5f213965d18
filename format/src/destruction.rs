//! Destruction records (berita acara pemusnahan): a party's signed word that what it kept of these bundles is gone, under which
//! agreement, since when it was due, and where its ledger says so. FORMAT.md §19.
//! They hold digests, counts and times: no name of an item, no value of a row. A `VerifiedDestruction` is made only by verifying.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::document::{self, Document, Ext, is_plain_up_to};
use crate::id::{Epoch, FlowName, PartyId, Sequence};
use crate::keyring::{Flaw, Keyring};
use crate::ledger::parse_origin;
use crate::limits::{DESTROYED_MAX, DOCUMENT_BYTES_MAX};
use crate::manifest::AgreementRef;
use crate::signature::{PublicKey, Purpose, SecretKey, SignedText, pack_signed};
use crate::time::UtcTime;

/// The file in its container.
const NAME: &str = "destruction.json";
/// What stands behind the document's own digest in its name.
pub const SUFFIX: &str = ".destruction.amanah";
/// Longest retention that an agreement may have, in days.
const DAYS_MAX: u32 = 36_500;
const DAY_SECS: i64 = 86_400;
/// Longest name and version of a program, in characters.
const PROGRAM_CHARS_MAX: usize = 64;

/// On which side of the exchange the party was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// It had sent them: originals and its sealed copy.
    Sent,
    /// It had received them: what was imported, and the sealed bundle.
    Received,
}

/// The agreement's rule, as it stood when it was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Days that it was kept.
    pub days: u32,
    /// From when they count: `settled`.
    pub from: String,
    /// What was agreed to be done: `destroy`.
    pub action: String,
}

/// One bundle of which nothing is left but its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destroyed {
    /// Its identity.
    pub manifest: Digest,
    /// Its place in the stream.
    pub epoch: Epoch,
    /// Its place in the stream.
    pub sequence: Sequence,
    /// When its days began.
    pub since: UtcTime,
    /// When it was found due, and its destruction began.
    pub at: UtcTime,
    /// Whether its sealed copy was still there.
    pub sealed: bool,
    /// Files that were still there: originals, or imported ones.
    pub files: u64,
    /// Rows that were still its own in a database.
    pub rows: u64,
    /// The record `destroyed` of it in the signer's ledger.
    pub record: u64,
}

/// The sums over all bundles of a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Bundles.
    pub bundles: u64,
    /// Sealed copies.
    pub sealed: u64,
    /// Files.
    pub files: u64,
    /// Rows.
    pub rows: u64,
}

/// `destruction.json`, `amanah-destruction/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destruction {
    /// `amanah-destruction/1`.
    pub format: String,
    /// Rises with each document of this party's journal, from 1.
    pub number: u64,
    /// Who destroyed, and signs.
    pub from: PartyId,
    /// With whom the bundles were exchanged.
    pub peer: PartyId,
    /// On which side `from` was.
    pub side: Side,
    /// Under which agreement.
    pub agreement: AgreementRef,
    /// In which flow.
    pub flow: FlowName,
    /// By which rule of it.
    pub rule: Rule,
    /// When the first of them was found due.
    pub begun: UtcTime,
    /// When all of it was gone, durably.
    pub finished: UtcTime,
    /// Which program did it, with its version.
    pub program: String,
    /// The ledger that has the records: `from`'s.
    pub ledger: String,
    /// The bundles, in the order of their records.
    pub bundles: Vec<Destroyed>,
    /// Their sums.
    pub totals: Totals,
    /// See [`Ext`].
    pub ext: Ext,
    /// See [`Ext`].
    pub critical: Vec<String>,
}

impl Document for Destruction {
    const FORMAT: &'static str = "amanah-destruction/1";
    const BYTES_MAX: u64 = DOCUMENT_BYTES_MAX;

    fn format(&self) -> &str {
        &self.format
    }

    fn critical(&self) -> &[String] {
        &self.critical
    }
}

impl Totals {
    /// The sums; `None` where they are more than a number holds.
    #[must_use]
    pub fn of(bundles: &[Destroyed]) -> Option<Self> {
        bundles.iter().try_fold(Self::default(), |sum, one| {
            Some(Self {
                bundles: sum.bundles.checked_add(1)?,
                sealed: sum.sealed.checked_add(u64::from(one.sealed))?,
                files: sum.files.checked_add(one.files)?,
                rows: sum.rows.checked_add(one.rows)?,
            })
        })
    }
}

impl Destruction {
    /// What every destruction record must hold to: its ledger, its sums, each bundle once and not before its days were over.
    ///
    /// # Errors
    /// The first rule broken.
    pub fn check(&self) -> Result<(), DestructionError> {
        let owner = parse_origin(&self.ledger).map(|(party, _)| party);
        let rules = [
            (self.from != self.peer, "from and peer are one party"),
            (self.number >= 1, "numbers start at 1"),
            (self.agreement.version >= 1, "versions start at 1"),
            (
                self.rule.days <= DAYS_MAX
                    && self.rule.from == "settled"
                    && self.rule.action == "destroy",
                "the rule is not one that an agreement may have",
            ),
            (
                is_plain_up_to(&self.program, PROGRAM_CHARS_MAX),
                "the program is a plain text of 1 to 64 characters",
            ),
            (
                owner.is_some_and(|party| party == self.from),
                "the ledger is not the signer's",
            ),
            (
                (1..=DESTROYED_MAX).contains(&self.bundles.len()),
                "it names 1 to 128 bundles",
            ),
            (
                Totals::of(&self.bundles) == Some(self.totals),
                "the totals are not the sums",
            ),
            (
                self.begun <= self.finished,
                "it was finished before it began",
            ),
        ];
        let broken = rules.iter().find(|(holds, _)| !holds);
        let broken = broken
            .map(|(_, rule)| *rule)
            .or_else(|| self.wrong_bundle());
        broken.map_or(Ok(()), |rule| Err(DestructionError(rule.into())))
    }

    /// The rule that one of its bundles breaks.
    fn wrong_bundle(&self) -> Option<&'static str> {
        let mut seen = HashSet::new();
        let mut record = None;
        let kept = i64::from(self.rule.days) * DAY_SECS;
        for bundle in &self.bundles {
            if !seen.insert(bundle.manifest) {
                return Some("it names a bundle twice");
            }
            if record.is_some_and(|before| before >= bundle.record) {
                return Some("the bundles are not in the order of their records");
            }
            record = Some(bundle.record);
            if bundle.at.unix() - bundle.since.unix() < kept {
                return Some("a bundle's days were not over");
            }
            if bundle.at < self.begun || bundle.at > self.finished {
                return Some("a bundle was destroyed before it began or after it was finished");
            }
            if self.side == Side::Sent && bundle.rows != 0 {
                return Some("a sender has no rows");
            }
        }
        None
    }
}

/// The exact bytes that are signed, and the container of them and their signature.
#[must_use]
pub fn sign(destruction: &Destruction, key: &SecretKey) -> (Digest, Vec<u8>) {
    let text = document::print(destruction);
    let container = pack_signed(NAME, &text, &key.sign(Purpose::Destruction, &text));
    (Digest::of(&text), container)
}

/// Its name: 64 hex digits of destruction.json's digest and `.destruction.amanah`.
#[must_use]
pub fn name(digest: &Digest) -> String {
    format!("{}{SUFFIX}", digest.to_hex())
}

/// A destruction record verified in this process.
#[derive(Debug)]
pub struct VerifiedDestruction {
    destruction: Destruction,
    digest: Digest,
    signer: PublicKey,
}

impl VerifiedDestruction {
    /// Signature, signer (a key of `from` valid at `finished`, which is not after `at` + skew), text, and what
    /// [`Destruction::check`] asks. Whether the ledger has its records, a reader of the ledger finds by `record` and digest.
    ///
    /// # Errors
    /// Names the rule broken.
    pub fn verify(
        container: &[u8],
        keyring: &Keyring,
        at: UtcTime,
    ) -> Result<Self, DestructionError> {
        let flawed = |flaw: Flaw| DestructionError(flaw.to_string());
        let signed =
            SignedText::verify(Purpose::Destruction, NAME, container).map_err(DestructionError)?;
        let party = keyring.party_of(&signed.signer).map_err(flawed)?;
        let destruction: Destruction =
            document::parse(&signed.text).map_err(|error| DestructionError(error.to_string()))?;
        destruction.check()?;
        let said = (&destruction.from, destruction.finished);
        keyring
            .judge((party, &signed.signer), said, at)
            .map_err(flawed)?;
        Ok(Self {
            destruction,
            digest: Digest::of(&signed.text),
            signer: signed.signer,
        })
    }

    /// What it says.
    #[must_use]
    pub fn destruction(&self) -> &Destruction {
        &self.destruction
    }

    /// SHA-256 of destruction.json.
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

/// Why a destruction record does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("destruction: {0}")]
pub struct DestructionError(pub(crate) String);

#[cfg(test)]
mod tests;
