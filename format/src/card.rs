//! Cards: a party's public identity, signed by its own key. FORMAT.md §11.
//! `VerifiedCard` says that a card is whole and signed by a key that it lists itself, not that it may be trusted: that
//! is decided by whoever compared its fingerprint by another way, or by the card before it (§11.2, `keyring::succession`).

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::container::{pack, unpack_small};
use crate::digest::Digest;
use crate::document::{self, Document, Ext, is_plain_up_to, nullable};
use crate::id::PartyId;
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::recipient::Recipient;
use crate::signature::{self, PublicKey, Purpose, SecretKey, SignedText, pack_signed};
use crate::time::UtcTime;

/// The file in a card's container.
const NAME: &str = "card.json";
/// The signature by the card before it.
const PREVIOUS: &str = "card.json.previous.sig";
/// Most keys of one kind: a roll-over needs two at a time.
const KEYS_MAX: usize = 16;
/// Most addresses and formats.
const HINTS_MAX: usize = 64;
/// Longest legal name, contact, address and format string, in characters.
const TEXT_CHARS_MAX: usize = 200;

/// A key with its validity: `from` ≤ t < `until`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Valid<K> {
    /// The public key.
    pub key: K,
    /// First moment.
    pub from: UtcTime,
    /// First moment no longer.
    pub until: UtcTime,
}

impl<K> Valid<K> {
    /// Whether it is valid at `at`.
    #[must_use]
    pub fn at(&self, at: UtcTime) -> bool {
        self.from <= at && at < self.until
    }
}

/// The four kinds of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardKeys {
    /// Sign bundles, receipts, cards, agreements and slips.
    pub signing: Vec<Valid<PublicKey>>,
    /// Both host and client key of the SSH connection.
    pub transport: Vec<Valid<PublicKey>>,
    /// What payloads for this party are encrypted to.
    pub decryption: Vec<Valid<Recipient>>,
    /// Sign the ledger's checkpoints.
    pub ledger: Vec<Valid<PublicKey>>,
}

impl CardKeys {
    /// When the first of the four kinds runs out of keys: for each kind the end of the key that lasts longest.
    #[must_use]
    pub fn end(&self) -> Option<UtcTime> {
        let kinds = [
            last_end(&self.signing),
            last_end(&self.transport),
            last_end(&self.decryption),
            last_end(&self.ledger),
        ];
        kinds.into_iter().flatten().min()
    }
}

fn last_end<K>(keys: &[Valid<K>]) -> Option<UtcTime> {
    keys.iter().map(|valid| valid.until).max()
}

/// `card.json`, `amanah-card/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// `amanah-card/1`.
    pub format: String,
    /// Whose card.
    pub party: PartyId,
    /// The party's legal name.
    pub name: String,
    /// 1 for the first card, then rising.
    pub number: u32,
    /// Digest of the card before this one; none for the first.
    #[serde(deserialize_with = "nullable")]
    pub previous: Option<Digest>,
    /// When it was made.
    pub created: UtcTime,
    /// Its keys.
    pub keys: CardKeys,
    /// `host:port` hints; the peer's configuration wins.
    pub addresses: Vec<String>,
    /// Whom to call: a function, not a person.
    pub contact: String,
    /// Document formats that the party reads.
    pub formats: Vec<String>,
    /// Reserved: the last card of the party that this one succeeds. Refused in this version, which cannot verify it.
    #[serde(deserialize_with = "nullable")]
    pub successor_of: Option<Digest>,
    /// See [`Ext`].
    pub ext: Ext,
    /// See [`Ext`].
    pub critical: Vec<String>,
}

impl Document for Card {
    const FORMAT: &'static str = "amanah-card/1";
    const BYTES_MAX: u64 = DOCUMENT_BYTES_MAX;

    fn format(&self) -> &str {
        &self.format
    }

    fn critical(&self) -> &[String] {
        &self.critical
    }
}

impl Card {
    /// What every card must hold to, before it is signed and after its signature was verified.
    ///
    /// # Errors
    /// The first rule broken.
    pub fn check(&self) -> Result<(), CardError> {
        let texts_are_plain = [&self.name, &self.contact]
            .into_iter()
            .chain(&self.formats)
            .all(|text| is_plain_up_to(text, TEXT_CHARS_MAX));
        let keys = &self.keys;
        let rules = [
            (self.number >= 1, "numbers start at 1"),
            (
                (self.number == 1) == self.previous.is_none(),
                "the first card has no previous one, and every later card has",
            ),
            (
                self.successor_of.is_none(),
                "succession of another party is not read by this version",
            ),
            (
                texts_are_plain,
                "name, contact and formats are texts of 1 to 200 plain characters",
            ),
            (
                self.addresses.len() <= HINTS_MAX && self.formats.len() <= HINTS_MAX,
                "more than 64 addresses or formats",
            ),
            (
                self.addresses.iter().all(|address| is_address(address)),
                "an address is host:port",
            ),
            (
                are_well_formed(&keys.signing)
                    && are_well_formed(&keys.transport)
                    && are_well_formed(&keys.decryption)
                    && are_well_formed(&keys.ledger),
                "each kind has 1 to 16 keys, each valid from before until",
            ),
            (
                keys.are_distinct(),
                "a key is listed once, in one role only",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(CardError(rule.into())),
            None => Ok(()),
        }
    }
}

impl CardKeys {
    /// A key in two roles would let a signature made for one pass in the other.
    fn are_distinct(&self) -> bool {
        let mut seen = HashSet::new();
        let mut recipients = HashSet::new();
        [&self.signing, &self.transport, &self.ledger]
            .into_iter()
            .flatten()
            .all(|valid| seen.insert(&valid.key))
            && self
                .decryption
                .iter()
                .all(|valid| recipients.insert(&valid.key))
    }
}

fn are_well_formed<K>(keys: &[Valid<K>]) -> bool {
    (1..=KEYS_MAX).contains(&keys.len()) && keys.iter().all(|valid| valid.from < valid.until)
}

fn is_address(text: &str) -> bool {
    is_plain_up_to(text, TEXT_CHARS_MAX)
        && text.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty()
                && !host.contains(char::is_whitespace)
                && port.bytes().all(|digit| digit.is_ascii_digit())
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
}

/// Signs a card with one of its own signing keys: the whole container's bytes.
///
/// # Errors
/// The card breaks a rule, or `key` is not among its signing keys.
pub fn sign(card: &Card, key: &SecretKey) -> Result<Vec<u8>, CardError> {
    card.check()?;
    if !lists_signer(card, &key.public()) {
        return Err(CardError(
            "the key is not among the card's signing keys".into(),
        ));
    }
    let text = document::print(card);
    Ok(pack_signed(NAME, &text, &key.sign(Purpose::Card, &text)))
}

/// Signs a card that follows another: with one of its own signing keys and, in a third file, with `before`, a signing key of
/// the card before it. Whether `before` is one, and valid, its readers judge.
///
/// # Errors
/// As [`sign`]; a first card follows none.
pub fn sign_successor(
    card: &Card,
    key: &SecretKey,
    before: &SecretKey,
) -> Result<Vec<u8>, CardError> {
    if card.previous.is_none() {
        return Err(CardError("a first card follows none".into()));
    }
    let own = sign(card, key)?;
    let files = unpack_small(&own, DOCUMENT_BYTES_MAX).map_err(|e| CardError(e.to_string()))?;
    let armor = before.sign(Purpose::Card, &document::print(card));
    let mut files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    files.push((PREVIOUS, armor.as_bytes()));
    Ok(pack(&files))
}

/// Takes the third file out of a container, where there is one: the rest is what every signed document has.
fn split(container: &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>), CardError> {
    let mut files =
        unpack_small(container, DOCUMENT_BYTES_MAX).map_err(|e| CardError(e.to_string()))?;
    let is_third = files.len() == 3 && files.last().is_some_and(|(name, _)| name == PREVIOUS);
    if !is_third {
        return Ok((container.to_vec(), None));
    }
    let third = files.pop().map(|(_, bytes)| bytes);
    let rest: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    Ok((pack(&rest), third))
}

fn lists_signer(card: &Card, key: &PublicKey) -> bool {
    card.keys.signing.iter().any(|valid| &valid.key == key)
}

/// A card whose own signature was verified. Whether it is the right party, the fingerprint read over the phone tells.
#[derive(Debug)]
pub struct VerifiedCard {
    card: Card,
    digest: Digest,
    container: Vec<u8>,
    before: Option<PublicKey>,
}

impl VerifiedCard {
    /// Reads and verifies a card's container.
    ///
    /// # Errors
    /// Names the rule broken.
    pub fn verify(container: &[u8]) -> Result<Self, CardError> {
        let (own, third) = split(container)?;
        let signed = SignedText::verify(Purpose::Card, NAME, &own).map_err(CardError)?;
        let card: Card =
            document::parse(&signed.text).map_err(|error| CardError(error.to_string()))?;
        card.check()?;
        if !lists_signer(&card, &signed.signer) {
            return Err(CardError("it is not signed by a key of its own".into()));
        }
        let before = third.map(|armor| signature::verify(Purpose::Card, &signed.text, &armor));
        let before = before
            .transpose()
            .map_err(|error| CardError(format!("the signature by the card before it: {error}")))?;
        if before.is_some() && card.previous.is_none() {
            return Err(CardError("a first card is signed by none before it".into()));
        }
        Ok(Self {
            before,
            card,
            digest: Digest::of(&signed.text),
            container: container.to_vec(),
        })
    }

    /// What it says.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// SHA-256 of card.json: printed as a fingerprint, pinned by agreements.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The key that signed it for the card before it; none where nobody did. Whether that card lists it, and whether it was
    /// valid, [`crate::keyring::Keyring::judge_successor`] tells.
    #[must_use]
    pub fn signed_before(&self) -> Option<PublicKey> {
        self.before
    }

    /// The container's bytes as they came.
    #[must_use]
    pub fn container(&self) -> &[u8] {
        &self.container
    }
}

/// Why a card does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("card: {0}")]
pub struct CardError(pub(crate) String);

#[cfg(test)]
pub(crate) mod tests;
