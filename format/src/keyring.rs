//! The keyring: which keys are whose, and when. Made only of verified cards. FORMAT.md §11; exports OpenSSH `allowed_signers`.

use crate::{
    card::VerifiedCard, id::PartyId, recipient::Recipient, signature::PublicKey, time::UtcTime,
};

/// Cards trusted here (own and peers').
#[derive(Default)]
pub struct Keyring {
    cards: Vec<VerifiedCard>,
}
impl Keyring {
    /// Adds a card that somebody compared with the fingerprint read over the phone (or our own).
    pub fn trust(&mut self, card: VerifiedCard) {
        self.cards.push(card);
    }
    /// The newest card of a party.
    #[must_use]
    pub fn card(&self, party: &PartyId) -> Option<&VerifiedCard> {
        todo!()
    }
    /// All cards.
    pub fn cards(&self) -> impl Iterator<Item = &VerifiedCard> {
        self.cards.iter()
    }
    /// Whose signing key this is, valid or not.
    #[must_use]
    pub fn signer(&self, key: &PublicKey) -> Option<&PartyId> {
        todo!()
    }
    /// Whether this signing key of `party` is valid at `at`.
    #[must_use]
    pub fn may_sign(&self, party: &PartyId, key: &PublicKey, at: UtcTime) -> bool {
        todo!()
    }
    /// Whether this transport key of `party` is valid at `at`.
    #[must_use]
    pub fn may_connect(&self, party: &PartyId, key: &PublicKey, at: UtcTime) -> bool {
        todo!()
    }
    /// Decryption keys of `party` valid at `at`: what a sealer encrypts to.
    #[must_use]
    pub fn recipients(&self, party: &PartyId, at: UtcTime) -> Vec<Recipient> {
        todo!()
    }
    /// Whether `digest` names a decryption key of any card of `party`.
    #[must_use]
    pub fn is_recipient(&self, party: &PartyId, digest: &crate::digest::Digest) -> bool {
        todo!()
    }
    /// Whether this ledger key belongs to `party`.
    #[must_use]
    pub fn ledger_keys(&self, party: &PartyId) -> Vec<PublicKey> {
        todo!()
    }
    /// OpenSSH `allowed_signers` lines (ssh-keygen(1), ALLOWED SIGNERS): `party namespaces="…",valid-after="…",valid-before="…" ssh-ed25519 …`.
    #[must_use]
    pub fn to_allowed_signers(&self) -> String {
        todo!()
    }
}
