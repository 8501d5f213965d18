//! Our signing keys, and which of them signs: while an old key gives way to a new one there are two. The choice is our card's,
//! for the moment that the document names, so that what is signed again after a crash is signed by the same key.

use amanah_format::document::{self, Document};
use amanah_format::signature::{PublicKey, SecretKey};
use amanah_format::time::UtcTime;

use crate::engine::policy::Policy;
use crate::keys::OwnKeys;

/// Signs documents for our party.
pub struct Signer(OwnKeys);

impl Signer {
    /// With these keys.
    #[must_use]
    pub const fn new(keys: OwnKeys) -> Self {
        Self(keys)
    }

    /// The key for a document of this moment.
    pub(crate) fn at(&self, policy: &Policy, at: UtcTime) -> &SecretKey {
        let order = policy.keyring().signing_order(policy.own(), at);
        self.0.first_of(&order)
    }

    /// The key for a document whose text names its moment; one that cannot be read is signed as of now.
    pub(crate) fn of<D: Document>(
        &self,
        policy: &Policy,
        text: &[u8],
        moment: impl Fn(&D) -> UtcTime,
        now: UtcTime,
    ) -> &SecretKey {
        let named = document::parse::<D>(text).map(|read| moment(&read));
        let mut order = policy
            .keyring()
            .signing_order(policy.own(), named.unwrap_or(now));
        // What is handed over must be signed by a key that is valid then as well: an old one that has ended since is no use.
        order.sort_by_key(|key| !policy.keyring().may_sign(policy.own(), key, now));
        self.0.first_of(&order)
    }

    /// The key that peers know who have none of our newer cards: the oldest that is valid.
    pub(crate) fn oldest(&self, policy: &Policy, at: UtcTime) -> &SecretKey {
        let (keyring, own) = (policy.keyring(), policy.own());
        let cards = keyring.chain(own).into_iter();
        let keys = cards.flat_map(|card| &card.card().keys.signing);
        let keys = keys.map(|valid| valid.key);
        let valid: Vec<PublicKey> = keys.filter(|key| keyring.may_sign(own, key, at)).collect();
        self.0.first_of(&valid)
    }

    /// This very key, valid or not; none where it is not held here.
    pub(crate) fn held(&self, key: &PublicKey) -> Option<&SecretKey> {
        self.0.all().find(|own| &own.public() == key)
    }

    /// Whether all of these are held here.
    pub(crate) fn holds(&self, keys: impl Iterator<Item = PublicKey>) -> bool {
        let held = self.0.publics();
        let mut keys = keys;
        keys.all(|key| held.contains(&key))
    }
}
