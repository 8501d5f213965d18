//! Outward: what waits for a peer is laid out for an operator to copy. Only what is sealed or signed is ever laid out: bundles of
//! the queue, receipts, slips. What is laid out waits on as before.

use amanah_format::id::PartyId;
use amanah_format::slip::{Body, VerifiedSlip};

use crate::by_hand::{Answer, Fate, Told};
use crate::request::Ticket;
use crate::stage::door::{Waiting, offers, open_offer};
use crate::stage::requests::is_paused;
use crate::stage::{Node, StageError};
use crate::transport::link::{Offer, WireName};

use super::answer;

/// Slips and receipts first, then bundles: what is small and settles most comes first where a stick is full.
pub(super) fn lay_out(node: &Node, peer: &PartyId, ticket: &Ticket) -> Result<Answer, StageError> {
    let mut files = Vec::new();
    for offer in offers(node, peer)? {
        if let Some(bytes) = lay_out_one(node, peer, ticket, offer)? {
            let mut told = Told::new(offer.name.to_string(), Fate::LaidOut);
            told.bytes = bytes;
            files.push(told);
        }
    }
    Ok(answer(is_paused(node, peer)?, files))
}

/// Its length; none where it no longer waits, or says nothing any more.
fn lay_out_one(
    node: &Node,
    peer: &PartyId,
    ticket: &Ticket,
    offer: Offer,
) -> Result<Option<u64>, StageError> {
    if let WireName::Bundle(digest) = offer.name {
        let laid = node.spool.lay_out_bundle(ticket.as_str(), peer, &digest);
        return Ok(laid?);
    }
    let Ok(Waiting::Small(bytes)) = open_offer(node, peer, offer.name) else {
        return Ok(None);
    };
    let policy = node.rules.now();
    if matches!(offer.name, WireName::Slip(_)) {
        // One that ran out the peer would turn away. A position is asked for at each start and answered while a connection
        // stands: weeks later on a stick it says nothing.
        match VerifiedSlip::verify(&bytes, policy.keyring(), node.clock.now()) {
            Ok(slip) if is_worth_carrying(&slip.slip().body) => {}
            Ok(_) | Err(_) => return Ok(None),
        }
    }
    node.spool
        .lay_out(ticket.as_str(), &offer.name.to_string(), &bytes)?;
    Ok(Some(offer.bytes))
}

/// What is said at each connection is old by the time that a stick arrives.
const fn is_worth_carrying(body: &Body) -> bool {
    !matches!(
        body,
        Body::Position(_) | Body::Checkpoint(_) | Body::Cosignature(_)
    )
}

/// Remembers which receipts are on a stick. That does not deliver them: a stick can be lost.
pub(super) fn note_carried(
    node: &Node,
    peer: &PartyId,
    names: &[String],
) -> Result<(), StageError> {
    let waiting = node.journal.receipts_for(peer)?;
    let mut state = node.tickets.lock();
    for name in names.iter().filter_map(|name| WireName::parse(name)) {
        if let WireName::Receipt(bundle) = name
            && waiting.iter().any(|row| row.digest == bundle)
        {
            state.carried.insert(bundle);
        }
    }
    Ok(())
}
