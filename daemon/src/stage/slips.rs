//! Slips: short signed notes between the parties, made and heeded. `held` (a bundle waits, and why) and `revocation` (an
//! agreement ends at once: it only narrows) act by themselves; `resend` is answered by `again`, `position` by `position`, `void`
//! by `void`, `checkpoint` and `cosignature` by `witness`, `card` by `cards`.
//! A slip whose number is no news, or whose time is over, is taken and does nothing. FORMAT.md §14.

use std::sync::Arc;

use amanah_format::digest::Digest;
use amanah_format::document::{Document, Ext};
use amanah_format::id::PartyId;
use amanah_format::signature::SecretKey;
use amanah_format::slip::{self, Body, HeldReason, Slip, VerifiedSlip};

use crate::engine::policy::Policy;
use crate::journal::InboundRow;
use crate::store::table::Stores;
use crate::transport::link::Denied;

use super::signer::Signer;
use super::{Node, StageError, again, cards, position, void, witness};

/// A slip says nothing any more after so long: the bundle that it is about expires within 30 days.
const EXPIRES_SECS: i64 = 30 * 86_400;

/// Tells the sender that its bundle waits, once for each reason.
///
/// # Errors
/// The journal's.
pub(crate) fn tell_held(
    node: &Node,
    signing: &Signer,
    row: &InboundRow,
    reason: HeldReason,
) -> Result<(), StageError> {
    let told = format!("held-told {}", row.digest);
    if node.journal.fact(&told)?.as_deref() == Some(reason.code()) {
        return Ok(());
    }
    let body = Body::Held {
        manifest: row.digest,
        reason,
    };
    let mut slip = draft(node, &row.peer, body);
    let policy = node.rules.now();
    let key = signing.at(&policy, slip.created);
    let mut make = |number: u64| signed(&mut slip, number, key);
    node.journal
        .add_slip(&row.peer, "held", node.clock.now(), &mut make)?;
    node.journal.set_fact(&told, Some(reason.code()))?;
    node.bells.peer(&row.peer).ring();
    Ok(())
}

/// A slip of ours that has no number yet.
pub(crate) fn draft(node: &Node, peer: &PartyId, body: Body) -> Slip {
    let now = node.clock.now();
    Slip {
        format: Slip::FORMAT.to_owned(),
        body,
        from: node.rules.now().own().clone(),
        to: peer.clone(),
        number: 0,
        created: now,
        expires: now.plus_secs(EXPIRES_SECS),
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

/// Signs it under its number and lets it wait for its peer, in the place of an older one about the same. Its digest.
///
/// # Errors
/// The journal's.
pub(crate) fn put(
    node: &Node,
    signing: &Signer,
    slip: Slip,
    about: &str,
) -> Result<Digest, StageError> {
    let policy = node.rules.now();
    let key = signing.at(&policy, slip.created);
    put_by(node, key, slip, about)
}

/// The same with this very key.
///
/// # Errors
/// The journal's.
pub(super) fn put_by(
    node: &Node,
    key: &SecretKey,
    mut slip: Slip,
    about: &str,
) -> Result<Digest, StageError> {
    let (peer, kind) = (slip.to.clone(), slip.body.kind());
    let mut make = |number: u64| signed(&mut slip, number, key);
    let key = (&peer, kind, about);
    let digest = node.journal.put_slip(key, node.clock.now(), &mut make)?;
    node.bells.peer(&peer).ring();
    Ok(digest)
}

pub(super) fn signed(slip: &mut Slip, number: u64, signing: &SecretKey) -> (Digest, Vec<u8>) {
    slip.number = number;
    let container = slip::sign(slip, signing);
    (slip::digest(slip), container)
}

/// Ships a revocation that the sysadmin installed here, once.
///
/// # Errors
/// The journal's.
pub fn ship_revocation(
    node: &Node,
    peer: &PartyId,
    container: &[u8],
    digest: Digest,
) -> Result<(), StageError> {
    let fact = format!("revocation-shipped {digest}");
    if node.journal.fact(&fact)?.is_none() {
        node.journal
            .add_slip(peer, "revocation", node.clock.now(), &mut |_| {
                (digest, container.to_vec())
            })?;
        node.journal.set_fact(&fact, Some("yes"))?;
        node.bells.peer(peer).ring();
    }
    Ok(())
}

/// Takes a peer's slip: verified, then heeded. After `Ok` the peer may forget it.
///
/// # Errors
/// What the peer is told.
pub(crate) fn receive(
    node: &Arc<Node>,
    store: &Stores,
    peer: &PartyId,
    container: &[u8],
) -> Result<(), Denied> {
    let policy = node.rules.now();
    let verified =
        VerifiedSlip::verify(container, policy.keyring(), node.clock.now()).map_err(|error| {
            Denied {
                code: "slip-doubtful".to_owned(),
                message: error.to_string(),
            }
        })?;
    let slip = verified.slip();
    if &slip.from != peer || &slip.to != policy.own() {
        return Err(Denied {
            code: "slip-doubtful".to_owned(),
            message: "it is from or for another party".to_owned(),
        });
    }
    if !concerns_us(&policy, slip) {
        return Err(Denied {
            code: HeldReason::AgreementUnknown.code().to_owned(),
            message: "it revokes an agreement that is not here; it is tried again".to_owned(),
        });
    }
    heed(node, store, (peer, &verified), container).map_err(|error| Denied::failure(&error))
}

/// A revocation is kept only for an agreement that is known here and that its signer is a party to.
fn concerns_us(policy: &Policy, slip: &Slip) -> bool {
    match &slip.body {
        Body::Held { .. }
        | Body::Resend(_)
        | Body::Void(_)
        | Body::Position(_)
        | Body::Checkpoint(_)
        | Body::Cosignature(_)
        | Body::Card(_) => true,
        Body::Revocation { agreement, .. } => policy.agreements().iter().any(|known| {
            known.digest() == agreement.digest && known.agreement().party(&slip.from).is_some()
        }),
    }
}

/// What it asks for is done before its number is noted: a crash between only does it again. A revocation's record in the
/// ledger is made by the reload that it causes; it counts whatever its number and its age, because it only narrows.
fn heed(
    node: &Arc<Node>,
    store: &Stores,
    (peer, verified): (&PartyId, &VerifiedSlip),
    container: &[u8],
) -> Result<(), StageError> {
    let slip = verified.slip();
    let kind = slip.body.kind();
    if let Body::Revocation { agreement, .. } = &slip.body {
        // Once for each agreement: a peer can sign any number of them, and the first says it all.
        let fact = format!("revoked-by {peer} {}", agreement.digest);
        if node.journal.fact(&fact)?.is_none() {
            node.spool.keep_revocation(&verified.digest(), container)?;
            node.bells.reload.ring();
            node.journal.set_fact(&fact, Some("yes"))?;
        }
    } else if matches!(slip.body, Body::Card(_)) {
        // Judged by its own signatures: a stolen key that used up the numbers would else keep the genuine one out.
    } else if !node.journal.is_news(peer, kind, slip.number)? || node.clock.now() > slip.expires {
        tracing::info!(%peer, kind, number = slip.number, "a slip is no news; it is ignored");
        return Ok(());
    }
    match &slip.body {
        Body::Held { manifest, reason } => {
            let bundle = node.journal.outbound_by_digest(manifest)?;
            if bundle.is_some_and(|bundle| &bundle.peer == peer) {
                node.journal.note_held(manifest, *reason)?;
            }
        }
        Body::Resend(asked) => again::give(node, peer, asked)?,
        Body::Position(said) => position::hear(node, peer, said, slip, &verified.digest())?,
        Body::Void(said) => void::hear(node, store, (peer, said), (verified, container))?,
        Body::Checkpoint(shown) => witness::hear_checkpoint(node, peer, shown)?,
        Body::Cosignature(seen) => witness::hear_cosignature(node, peer, seen)?,
        Body::Card(proposed) => cards::hear(node, peer, proposed)?,
        Body::Revocation { .. } => {}
    }
    node.journal.note_slip(peer, kind, slip.number)?;
    node.bells.publish.ring();
    Ok(())
}
