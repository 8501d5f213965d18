//! Succession: whether a card follows those that are trusted, so that nobody has to telephone. FORMAT.md §11.2.
//!
//! Pure: the moment at which a card was taken is an argument, judged once and kept by whoever took it. A card that takes
//! another party's keys, or undoes what was signed before, never follows: that needs a person.

use super::Keyring;
use crate::card::{Card, CardKeys, Valid, VerifiedCard};
use crate::id::PartyId;
use crate::limits::CLOCK_SKEW_SECS;
use crate::signature::PublicKey;
use crate::time::UtcTime;

/// How far back of the moment at which it is taken a card may end a key: a card on its way for so long is ordinary, and what
/// was signed before that is not un-signed by its signer alone.
const CUT_BACK_SECS_MAX: i64 = 30 * 86_400;

/// What a card is beside the trusted ones of its party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Succession {
    /// One of them.
    Known,
    /// The next: signed by the one before it, which is the newest.
    Follows,
    /// The chain holds, but another card of this number is trusted already: two successors of one card.
    Rival,
    /// Older than the newest, and none of the trusted: it says nothing any more.
    Behind,
    /// Later than the next: a card between is missing.
    Early,
}

/// Why a card does not follow by itself. With a fingerprint that was compared, a person may trust it all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowing {
    /// No card of its party is trusted.
    #[error("no card of this party is trusted here")]
    Stranger,
    /// `previous` is another card than the one that it should follow.
    #[error("it follows another card than the newest one here")]
    OtherPrevious,
    /// No signature by the card before it.
    #[error("the card before it has not signed it")]
    Unsigned,
    /// That signature is by a key which that card does not list, or which is expired or revoked.
    #[error("the key that signed it for the card before it is none of that card, or not valid")]
    SignerNotValid,
    /// Made before the card that it follows, or in the future.
    #[error("its date is before that of the card before it, or in the future")]
    WrongTime,
    /// It lists a key of another party, or a key of its own in another role.
    #[error("it lists a key that belongs to another party, or had another role")]
    TakenKey,
    /// It ends or begins a key so that what was signed before would not count any more.
    #[error("it changes the dates of a key for the time before it was made")]
    TurnsBack,
}

/// The keys of one role in a card.
type Role = fn(&CardKeys) -> &Vec<Valid<PublicKey>>;

impl Keyring {
    /// Judges a card that was taken at `at` by the cards that are trusted: number and `previous` follow, the card before it
    /// signed it by a key valid at `created` and at `at` (as the newest card says), and it takes nobody's keys.
    ///
    /// # Errors
    /// Why it does not follow by itself.
    pub fn judge_successor(
        &self,
        card: &VerifiedCard,
        at: UtcTime,
    ) -> Result<Succession, NotFollowing> {
        let text = card.card();
        if self.cards().any(|known| known.digest() == card.digest()) {
            return Ok(Succession::Known);
        }
        let newest = self.card(&text.party).ok_or(NotFollowing::Stranger)?;
        let newest = newest.card().number;
        let before = self.cards().find(|known| {
            text.previous == Some(known.digest()) && known.card().party == text.party
        });
        let Some(before) = before else {
            return match text.number {
                number if number > newest.saturating_add(1) => Ok(Succession::Early),
                _ => Err(NotFollowing::OtherPrevious),
            };
        };
        self.link(card, before.card(), at)?;
        if text.number > newest {
            return Ok(Succession::Follows);
        }
        let mut same = self.cards().map(VerifiedCard::card);
        match same.any(|known| known.party == text.party && known.number == text.number) {
            true => Ok(Succession::Rival),
            false => Ok(Succession::Behind),
        }
    }

    fn link(&self, card: &VerifiedCard, before: &Card, at: UtcTime) -> Result<(), NotFollowing> {
        let text = card.card();
        if before.number.checked_add(1) != Some(text.number) {
            return Err(NotFollowing::OtherPrevious);
        }
        let key = card.signed_before().ok_or(NotFollowing::Unsigned)?;
        let listed = before.keys.signing.iter().any(|valid| valid.key == key);
        let valid = |time| self.may_sign(&text.party, &key, time);
        if !listed || !valid(text.created) || !valid(at) {
            return Err(NotFollowing::SignerNotValid);
        }
        if text.created < before.created || text.created > at.plus_secs(CLOCK_SKEW_SECS) {
            return Err(NotFollowing::WrongTime);
        }
        if self.takes_keys(text) {
            return Err(NotFollowing::TakenKey);
        }
        let floor = text.created.max(at.plus_secs(-CUT_BACK_SECS_MAX));
        let roles: [Role; 3] = [
            |keys| &keys.signing,
            |keys| &keys.transport,
            |keys| &keys.ledger,
        ];
        let turns = roles.iter().any(|role| {
            let mut listed = role(&text.keys).iter();
            listed.any(|new| {
                let old = self.listed(&text.party, &new.key, *role);
                old.is_some_and(|old| turns_back(old, new, (text.created, floor)))
            })
        });
        if turns {
            return Err(NotFollowing::TurnsBack);
        }
        Ok(())
    }

    /// Whether a key of this card is on a card of another party in any role, or on one of its own in another role.
    fn takes_keys(&self, text: &Card) -> bool {
        self.cards().map(VerifiedCard::card).any(|known| {
            let (new, old) = (&text.keys, &known.keys);
            let new = [&new.signing, &new.transport, &new.ledger];
            let old = [&old.signing, &old.transport, &old.ledger];
            let is_own = known.party == text.party;
            let signs = (0..).zip(new).any(|(role, keys)| {
                let others = (0..)
                    .zip(old)
                    .filter(|(other, _)| !is_own || *other != role);
                let mut others = others.flat_map(|(_, keys)| keys);
                others.any(|old| keys.iter().any(|new| new.key == old.key))
            });
            let mut decrypts = known.keys.decryption.iter();
            signs
                || !is_own
                    && decrypts.any(|old| {
                        let mut keys = text.keys.decryption.iter();
                        keys.any(|new| new.key == old.key)
                    })
        })
    }

    /// Whether somebody who holds a signing key of the card before it signed it, valid or not: evidence that the key is in use,
    /// whatever else is wrong with the card.
    #[must_use]
    pub fn is_signed_by_predecessor(&self, card: &VerifiedCard) -> bool {
        let (text, signer) = (card.card(), card.signed_before());
        self.cards().any(|known| {
            let keys = &known.card().keys.signing;
            known.card().party == text.party
                && text.previous == Some(known.digest())
                && keys.iter().any(|valid| Some(valid.key) == signer)
        })
    }

    /// The signing keys of `party` that are valid at `at` by its newest card, the one to sign with first: the old one up to
    /// the middle of the overlap, so that peers have had time to take the new card and what was signed with the old key
    /// has time to arrive.
    #[must_use]
    pub fn signing_order(&self, party: &PartyId, at: UtcTime) -> Vec<PublicKey> {
        let mut keys = self.valid_now(party, at, |keys| &keys.signing);
        let mut first = 0;
        for (index, pair) in keys.windows(2).enumerate() {
            if let [old, new] = pair
                && at >= middle(new.from, old.until)
            {
                first = index + 1;
            }
        }
        keys.rotate_left(first);
        keys.iter().map(|valid| valid.key).collect()
    }

    /// The same for transport or ledger keys: the old one up to its last minutes, because nothing is under way by it, and a
    /// peer that has not taken the new card knows no other.
    #[must_use]
    pub fn use_order(&self, party: &PartyId, at: UtcTime, of: Standing) -> Vec<PublicKey> {
        let keys = match of {
            Standing::Transport => self.valid_now(party, at, |keys| &keys.transport),
            Standing::Ledger => self.valid_now(party, at, |keys| &keys.ledger),
        };
        let soon = at.plus_secs(CLOCK_SKEW_SECS);
        let (staying, ending): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|valid| soon < valid.until);
        let both = staying.into_iter().chain(ending);
        both.map(|valid| valid.key).collect()
    }

    /// Valid keys of the newest card, the one that began first in front.
    fn valid_now(&self, party: &PartyId, at: UtcTime, role: Role) -> Vec<Valid<PublicKey>> {
        let newest = self
            .card(party)
            .map(|card| role(&card.card().keys).as_slice());
        let valid = newest.unwrap_or_default().iter();
        let mut keys: Vec<_> = valid.filter(|valid| valid.at(at)).cloned().collect();
        keys.sort_by_key(|valid| (valid.from, valid.until));
        keys
    }
}

/// Keys that are used up to their last minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// SSH host and client key.
    Transport,
    /// Signs checkpoints.
    Ledger,
}

/// Whether the new dates of a key take something away from the time before `created`, or end it before `floor`.
fn turns_back<K>(old: &Valid<K>, new: &Valid<K>, (created, floor): (UtcTime, UtcTime)) -> bool {
    new.until < old.until.min(floor) || (new.from > old.from && old.from <= created)
}

/// The moment half-way between two; the first where they are the other way round.
fn middle(from: UtcTime, until: UtcTime) -> UtcTime {
    from.plus_secs((until.unix() - from.unix()).max(0) / 2)
}

#[cfg(test)]
mod tests;
