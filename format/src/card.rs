//! Cards: a party's public identity, signed by its own key. FORMAT.md §11.

use crate::{
    digest::Digest,
    document::Ext,
    id::PartyId,
    recipient::Recipient,
    signature::{PublicKey, SecretKey},
    time::UtcTime,
};

/// A key with its validity: `from` ≤ t < `until`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Valid<K> {
    pub key: K,
    pub from: UtcTime,
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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardKeys {
    pub signing: Vec<Valid<PublicKey>>,
    pub transport: Vec<Valid<PublicKey>>,
    pub decryption: Vec<Valid<Recipient>>,
    pub ledger: Vec<Valid<PublicKey>>,
}

/// `card.json`, `amanah-card/1`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    pub format: String,
    pub party: PartyId,
    pub name: String,
    pub number: u32,
    pub previous: Option<Digest>,
    pub created: UtcTime,
    pub keys: CardKeys,
    /// `host:port` hints; the peer's configuration wins.
    pub addresses: Vec<String>,
    pub contact: String,
    pub formats: Vec<String>,
    pub successor_of: Option<Digest>,
    pub ext: Ext,
    pub critical: Vec<String>,
}

/// Signs a card with its own (first listed) signing key: the whole container's bytes.
///
/// # Errors
/// `key` is not among the card's signing keys.
pub fn sign(card: &Card, key: &SecretKey) -> Result<Vec<u8>, CardError> {
    todo!()
}

/// A card whose own signature was verified. Whether it is the right party, the fingerprint read over the phone tells.
pub struct VerifiedCard {
    card: Card,
    digest: Digest,
    container: Vec<u8>,
}
impl VerifiedCard {
    /// Reads and verifies a card's container.
    ///
    /// # Errors
    /// Names the rule broken.
    pub fn verify(container: &[u8]) -> Result<Self, CardError> {
        todo!()
    }
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }
    /// SHA-256 of card.json: printed as a fingerprint, pinned by agreements.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
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
