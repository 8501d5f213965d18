//! The keyring: which keys are whose, and when. Made only of verified cards. FORMAT.md §11; exports OpenSSH `allowed_signers`.
//!
//! A party may have several cards. What a key may do is decided by the newest card that lists it, so that a newer card
//! can shorten a key's validity but leaving a key out un-signs nothing.

mod succession;

use std::fmt::Write;

use crate::card::{Card, CardKeys, Valid, VerifiedCard};
use crate::digest::Digest;
use crate::id::PartyId;
use crate::limits::CLOCK_SKEW_SECS;
use crate::recipient::Recipient;
use crate::signature::{PublicKey, Purpose};
use crate::time::UtcTime;

pub use succession::{NotFollowing, Standing, Succession};

/// Cards trusted here (own and peers').
#[derive(Default, Debug)]
pub struct Keyring {
    cards: Vec<VerifiedCard>,
}

/// Why a document does not count although its signature is right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("signed by a key of no known card")]
    Unknown,
    #[error("it says that it is from {from}, but {party} signed it")]
    OfAnother { from: PartyId, party: PartyId },
    #[error("the key was not valid when it was finished, at {0}")]
    KeyNotValid(UtcTime),
    /// It may count later.
    #[error("it was finished in the future, at {0}: one of the clocks is wrong")]
    Early(UtcTime),
}

impl Keyring {
    /// Adds a card that somebody compared with the fingerprint read over the phone (or our own).
    pub fn trust(&mut self, card: VerifiedCard) {
        self.cards.push(card);
    }

    /// Trusts a card no longer.
    pub fn distrust(&mut self, digest: &Digest) {
        self.cards.retain(|card| &card.digest() != digest);
    }

    /// The newest card of a party.
    #[must_use]
    pub fn card(&self, party: &PartyId) -> Option<&VerifiedCard> {
        self.cards
            .iter()
            .filter(|card| &card.card().party == party)
            .max_by_key(|card| card.card().number)
    }

    /// The cards of a party, the oldest in front.
    #[must_use]
    pub fn chain(&self, party: &PartyId) -> Vec<&VerifiedCard> {
        let cards = self.cards.iter();
        let mut cards: Vec<_> = cards.filter(|card| &card.card().party == party).collect();
        cards.sort_by_key(|card| card.card().number);
        cards
    }

    /// All cards.
    pub fn cards(&self) -> impl Iterator<Item = &VerifiedCard> {
        self.cards.iter()
    }

    /// Whose signing key this is, valid or not. A key that the cards of two parties list is nobody's: a card proves that
    /// its party holds the one key that signed it, not the others in it.
    #[must_use]
    pub fn signer(&self, key: &PublicKey) -> Option<&PartyId> {
        let mut owners = self
            .cards
            .iter()
            .map(VerifiedCard::card)
            .filter(|card| card.keys.signing.iter().any(|valid| &valid.key == key))
            .map(|card| &card.party);
        let owner = owners.next()?;
        owners.all(|other| other == owner).then_some(owner)
    }

    /// Whether this signing key of `party` is valid at `at`.
    #[must_use]
    pub fn may_sign(&self, party: &PartyId, key: &PublicKey, at: UtcTime) -> bool {
        self.signer(key) == Some(party)
            && self
                .listed(party, key, |keys| &keys.signing)
                .is_some_and(|valid| valid.at(at))
    }

    /// Whose word a signature by this key is; asked before what was signed is read.
    ///
    /// # Errors
    /// [`Flaw::Unknown`].
    pub(crate) fn party_of(&self, signer: &PublicKey) -> Result<&PartyId, Flaw> {
        self.signer(signer).ok_or(Flaw::Unknown)
    }

    /// Whether what `party` signed by this key may be what it says: from that party, finished at that time, not in the future of `at`.
    ///
    /// # Errors
    /// [`Flaw`].
    pub(crate) fn judge(
        &self,
        (party, signer): (&PartyId, &PublicKey),
        (from, finished): (&PartyId, UtcTime),
        at: UtcTime,
    ) -> Result<(), Flaw> {
        if from != party {
            let (from, party) = (from.clone(), party.clone());
            return Err(Flaw::OfAnother { from, party });
        }
        if !self.may_sign(party, signer, finished) {
            return Err(Flaw::KeyNotValid(finished));
        }
        if finished > at.plus_secs(CLOCK_SKEW_SECS) {
            return Err(Flaw::Early(finished));
        }
        Ok(())
    }

    /// Whether this transport key of `party` is valid at `at`.
    #[must_use]
    pub fn may_connect(&self, party: &PartyId, key: &PublicKey, at: UtcTime) -> bool {
        self.listed(party, key, |keys| &keys.transport)
            .is_some_and(|valid| valid.at(at))
    }

    /// Transport keys of `party` valid at `at`: the host keys that its server may show.
    #[must_use]
    pub fn transport_keys(&self, party: &PartyId, at: UtcTime) -> Vec<PublicKey> {
        let mut keys: Vec<_> = self
            .cards_of(party)
            .flat_map(|card| &card.keys.transport)
            .map(|valid| valid.key)
            .filter(|key| self.may_connect(party, key, at))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Decryption keys of `party` valid at `at`, from its newest card: what a sealer encrypts to.
    #[must_use]
    pub fn recipients(&self, party: &PartyId, at: UtcTime) -> Vec<Recipient> {
        self.card(party)
            .into_iter()
            .flat_map(|card| &card.card().keys.decryption)
            .filter(|valid| valid.at(at))
            .map(|valid| valid.key.clone())
            .collect()
    }

    /// Whether `digest` names a decryption key of any card of `party`.
    #[must_use]
    pub fn is_recipient(&self, party: &PartyId, digest: &Digest) -> bool {
        self.cards_of(party)
            .flat_map(|card| &card.keys.decryption)
            .any(|valid| &valid.key.digest() == digest)
    }

    /// The ledger keys of all cards of `party`, each once, valid or not: old checkpoints stay readable.
    #[must_use]
    pub fn ledger_keys(&self, party: &PartyId) -> Vec<PublicKey> {
        let mut keys: Vec<_> = self
            .cards_of(party)
            .flat_map(|card| &card.keys.ledger)
            .map(|valid| valid.key)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The ledger keys of `party` that are valid at `at`: by what a peer shows or cosigns now.
    #[must_use]
    pub fn ledger_keys_at(&self, party: &PartyId, at: UtcTime) -> Vec<PublicKey> {
        let mut keys = self.ledger_keys(party);
        keys.retain(|key| {
            let listed = self.listed(party, key, |keys| &keys.ledger);
            listed.is_some_and(|valid| valid.at(at))
        });
        keys
    }

    /// OpenSSH `allowed_signers` lines (ssh-keygen(1), ALLOWED SIGNERS): `party namespaces="…",valid-after="…",valid-before="…" ssh-ed25519 …`.
    /// A key that [nobody](Self::signer) owns has no line.
    #[must_use]
    pub fn to_allowed_signers(&self) -> String {
        let purposes: Vec<_> = Purpose::ALL.iter().map(|p| p.namespace()).collect();
        let purposes = purposes.join(",");
        let mut lines = Vec::new();
        for card in self.cards.iter().map(VerifiedCard::card) {
            for key in card.keys.signing.iter().map(|valid| &valid.key) {
                let party = &card.party;
                let Some(valid) = self.listed(party, key, |keys| &keys.signing) else {
                    continue;
                };
                if self.signer(key) == Some(party) {
                    lines.push(allowed_signer(party, valid, &purposes));
                }
            }
        }
        lines.sort_unstable();
        lines.dedup();
        lines.concat()
    }

    fn cards_of(&self, party: &PartyId) -> impl Iterator<Item = &Card> {
        self.cards
            .iter()
            .map(VerifiedCard::card)
            .filter(move |card| &card.party == party)
    }

    /// What the newest card of `party` that lists `key` in this role says of it.
    fn listed(
        &self,
        party: &PartyId,
        key: &PublicKey,
        role: fn(&CardKeys) -> &Vec<Valid<PublicKey>>,
    ) -> Option<&Valid<PublicKey>> {
        self.cards_of(party)
            .flat_map(|card| {
                role(&card.keys)
                    .iter()
                    .map(move |valid| (card.number, valid))
            })
            .filter(|(_, valid)| &valid.key == key)
            .max_by_key(|(number, _)| *number)
            .map(|(_, valid)| valid)
    }
}

/// One line. OpenSSH's `valid-before` is the last moment that counts, `until` the first that does not.
fn allowed_signer(party: &PartyId, valid: &Valid<PublicKey>, purposes: &str) -> String {
    let mut line = format!("{party} namespaces=\"{purposes}\"");
    // INVARIANT: writing to a String does not fail.
    let _ = writeln!(
        line,
        ",valid-after=\"{}\",valid-before=\"{}\" {}",
        valid.from.to_compact(),
        valid.until.plus_secs(-1).to_compact(),
        valid.key
    );
    line
}

#[cfg(test)]
mod tests;
