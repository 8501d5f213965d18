//! Cards that follow: ours are told to each peer at its connections, a peer's are kept as it tells them. What is kept counts only
//! as the chain says when it is loaded (FORMAT.md §11.2): at once where an agreement in force lets cards follow, else once the
//! sysadmin has installed it. What contradicts a trusted card is kept as evidence and alarmed, and changes nothing else.

use amanah_format::card::VerifiedCard;
use amanah_format::id::PartyId;
use amanah_format::keyring::Succession;
use amanah_format::slip::{Body, Proposed};

use crate::event::Event;

use super::signer::Signer;
use super::{Node, StageError, slips};

/// Most cards of a peer that are kept as they came by wire: one a year, and a few that are wrong.
const KEPT_MAX: usize = 16;

/// Tells a peer our later cards, oldest first, where that is due: at a connection, after a change. Not before all keys on the
/// newest one are held by this process: a peer would encrypt to keys that open nothing here.
///
/// # Errors
/// The journal's.
pub(super) fn tell(node: &Node, signing: &Signer, peer: &PartyId) -> Result<(), StageError> {
    let (policy, now) = (node.rules.now(), node.clock.now());
    let chain = policy.keyring().chain(policy.own());
    let later = chain.iter().filter(|card| card.card().previous.is_some());
    let newest = later.clone().next_back();
    let Some(newest) = newest else {
        return Ok(());
    };
    let keys = newest.card().keys.signing.iter();
    let current = keys
        .filter(|valid| now < valid.until)
        .map(|valid| valid.key);
    if !signing.holds(current) {
        return Ok(());
    }
    let Some(directly) = node.gates.take_cards_due(peer) else {
        return Ok(());
    };
    // Without a connection of our own nothing is known of the peer: only what is new is worth a file.
    let (fact, said) = (format!("cards-told {peer}"), newest.digest().to_string());
    let is_new = node.journal.fact(&fact)?.as_deref() != Some(said.as_str());
    if !directly && !is_new {
        return Ok(());
    }
    let revoked = newest.signed_before().filter(|key| {
        let own = policy.keyring();
        is_new && !own.may_sign(policy.own(), key, now)
    });
    let before = revoked.and_then(|key| signing.held(&key));
    for card in later {
        let Some(proposed) = Proposed::of(card.container()) else {
            tracing::warn!(digest = %card.digest(), "a card of ours is too long for a slip: hand it over as a file");
            continue;
        };
        let slip = slips::draft(node, peer, Body::Card(proposed));
        // By the key that a peer knows who has none of them yet; the first time even one that the newest card revokes.
        let key = before.unwrap_or_else(|| signing.oldest(&policy, slip.created));
        let about = format!("card {}", card.card().number);
        slips::put_by(node, key, slip, &about)?;
    }
    Ok(node.journal.set_fact(&fact, Some(&said))?)
}

/// A peer tells a card of its own. It is kept where it says something new, and read with all others by the reload that follows.
///
/// # Errors
/// The file system's.
pub(super) fn hear(node: &Node, peer: &PartyId, proposed: &Proposed) -> Result<(), StageError> {
    let container = proposed.container().unwrap_or_default();
    let card = match VerifiedCard::verify(&container) {
        Ok(card) if &card.card().party == peer => card,
        Ok(_) | Err(_) => {
            tracing::warn!(%peer, "what it says is its card is none; it is ignored");
            return Ok(());
        }
    };
    let (policy, now) = (node.rules.now(), node.clock.now());
    let keyring = policy.keyring();
    let newest = keyring.card(peer).map_or(0, |newest| newest.card().number);
    let number = card.card().number;
    let judged = keyring.judge_successor(&card, now);
    let taken = match judged {
        Ok(Succession::Known | Succession::Behind) => return Ok(()),
        // The one between may be on its way: whether the chain holds is asked again at each load.
        Ok(Succession::Follows | Succession::Early) => policy.lets_cards_follow(peer, now),
        Ok(Succession::Rival) => false,
        // Of a number that is settled here, only what a key of the card before it has signed is evidence of anything.
        Err(_) if number <= newest && !keyring.is_signed_by_predecessor(&card) => return Ok(()),
        Err(_) => false,
    };
    if !node.spool.has_room_for_card(peer, KEPT_MAX)? {
        tracing::warn!(%peer, number, "too many of its cards are kept here; this one is not");
        return Ok(());
    }
    if node.spool.keep_card(&card, now, taken)? {
        let why = judged.err().map(|why| why.to_string()).unwrap_or_default();
        tracing::info!(event = Event::CardCame.name(), %peer, number, digest = %card.digest(), taken, why, "a card of the peer came");
        node.bells.reload.ring();
    }
    Ok(())
}
