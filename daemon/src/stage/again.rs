//! Again: what a peer asks for by a `resend` slip is given from queue or archive, byte for byte as it was sealed, after the
//! receipt that the peer once signed for it; and our own receipt that comes back from a sender is kept and binds us.
//! FORMAT.md §14.1. Bounded by the journal: each bundle once an hour, whoever asks how often.

use amanah_format::id::PartyId;
use amanah_format::receipt::VerifiedReceipt;
use amanah_format::slip::Resend;

use crate::durable::DurableError;
use crate::engine::stream::{Give, StreamKey, give as answer};
use crate::spool::{Side, SpoolError};
use crate::transport::link::Denied;

use super::{Node, StageError};

/// Gives what is asked for, as far as it is ours to give.
///
/// # Errors
/// The journal's.
pub(super) fn give(node: &Node, peer: &PartyId, asked: &Resend) -> Result<(), StageError> {
    let now = node.clock.now();
    let (first, last) = (asked.first.get(), asked.last.get());
    let mut given = 0_u64;
    for one in node.journal.asked_for(peer, asked)? {
        let is_there = node.spool.sent_bundle(peer, &one.digest)?.is_some();
        let what = match answer(one.state, is_there) {
            Give::Nothing => continue,
            Give::Bundle => (false, true),
            Give::ReceiptAndBundle => (true, true),
            Give::Receipt => (true, false),
            Give::Lost => {
                node.board
                    .alarm("payload-lost", &one.digest.to_string(), now);
                continue;
            }
        };
        if node.journal.give_again(peer, &one.digest, what, now)? {
            given += 1;
        }
    }
    tracing::warn!(%peer, flow = %asked.flow, first, last, given, "asked for again");
    if given > 0 {
        node.bells.peer(peer).ring();
    }
    Ok(())
}

/// Our own receipt, back from the sender of its bundle: what this home once signed and may have forgotten. It is kept with
/// those that we signed; from then on the bundle is answered by these bytes. After `Ok` the peer may forget it.
///
/// # Errors
/// What the peer is told.
pub(super) fn regain(
    node: &Node,
    peer: &PartyId,
    verified: &VerifiedReceipt,
    container: &[u8],
) -> Result<(), Denied> {
    let receipt = verified.receipt();
    let now = node.clock.now();
    let kept = node
        .spool
        .keep_receipt(Side::Issued, peer, &receipt.manifest, container);
    match kept {
        Err(SpoolError::Durable(DurableError::Exists(_))) => {
            let subject = receipt.manifest.to_string();
            node.board.alarm("receipt-doubtful", &subject, now);
            return Err(Denied {
                code: "receipt-doubtful".to_owned(),
                message: "another receipt was signed here for it".to_owned(),
            });
        }
        kept => kept.map_err(|error| Denied::failure(&error))?,
    }
    crate::kill::point("again.receipt-regained");
    let policy = node.rules.now();
    let agreements = policy.agreements().iter();
    let agreement = receipt.agreement.and_then(|digest| {
        let mut found = agreements.filter(|known| known.digest() == digest);
        found.next().map(|known| known.agreement().id.clone())
    });
    let place = agreement.zip(receipt.flow.clone());
    if let (Some((agreement, flow)), Some(epoch), Some(sequence)) =
        (place, receipt.epoch, receipt.sequence)
    {
        let stream = StreamKey {
            peer: peer.clone(),
            agreement,
            flow,
            epoch,
        };
        let proof = (&receipt.manifest, &verified.digest());
        let closed = node
            .journal
            .close_by_receipt(&stream, sequence.get(), proof, now)
            .map_err(|error| Denied::failure(&error))?;
        if closed {
            tracing::warn!(%peer, manifest = %receipt.manifest, "a receipt of ours came back that was not known here");
            node.board.alarm("home-behind", peer.as_str(), now);
        }
    }
    node.bells.streams.ring();
    node.bells.publish.ring();
    Ok(())
}
