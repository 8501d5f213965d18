//! Void: a number of a stream whose bundle cannot be served any more is given up, on an operator's word alone. The sender says so
//! by a signed slip that carries the manifest; the recipient answers by a receipt: of the outcome that the bundle already has,
//! or, where it never had it, `refused: voided`. Until then the number stays open on both sides. FORMAT.md §14.2.
//!
//! So a void cannot cross an import: taking over and giving up are transactions of the recipient's journal over one key.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::time::Duration;

use amanah_format::digest::{Digest, HashingReader};
use amanah_format::document;
use amanah_format::id::{FlowName, PartyId, Sequence};
use amanah_format::keyring::Keyring;
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_format::manifest::{Manifest, UnverifiedHead, VerifiedHead};
use amanah_format::refusal::Refusal;
use amanah_format::slip::{Body, Slip, StreamPlace, VerifiedSlip, Void as Said, VoidReason};
use amanah_format::time::UtcTime;

use crate::engine::inbound::Inbound;
use crate::engine::policy::Verdict;
use crate::engine::stream::{is_too_far, may_give_up};
use crate::event::Event;
use crate::journal::{JournalError, NewInbound, OutboundRow, Void, about_void};
use crate::kill;
use crate::store::table::Stores;
use crate::transport::link::WireName;

use super::answer::{Answer, Kept};
use super::position::is_agreed;
use super::streams::{Streams, Subject};
use super::{IDLE, Node, StageError, slips};

/// An operator wishes it. Whether it may be is found out by `streams`, which signs.
///
/// # Errors
/// The journal's.
pub(super) fn wish(
    node: &Node,
    (peer, flow): (&PartyId, &FlowName),
    number: Sequence,
    by: u32,
) -> Result<(), StageError> {
    let subject = format!("{peer} {flow} {}", number.get());
    match node.journal.wish_void((peer, flow), number, by)? {
        Some(manifest) => {
            tracing::warn!(%peer, %flow, number = number.get(), %manifest, "a number is to be given up");
            node.board.quiet("void-denied", &subject);
        }
        None => {
            tracing::warn!(%peer, %flow, number = number.get(), "no such number waits for an answer; nothing is given up");
            let now = node.clock.now();
            node.board.alarm("void-denied", &subject, now);
        }
    }
    Ok(())
}

/// Looks after the numbers that are being given up: the first time it is asked whether they may be; then they are said, again
/// and later each time, until a receipt has come. How long until one is due.
///
/// # Errors
/// The journal's.
pub(super) fn pass(streams: &Streams) -> Result<Duration, StageError> {
    let node = &streams.node;
    let mut next = IDLE;
    for void in node.journal.voids()? {
        let row = node.journal.outbound_by_digest(&void.manifest)?;
        let Some((row, manifest)) = row.and_then(|row| {
            let text = row.manifest.as_deref()?;
            let manifest = document::parse::<Manifest>(text).ok()?;
            may_give_up(row.state, false, false).map(|_| (row, manifest))
        }) else {
            node.journal.forget_void(&void.manifest)?;
            continue;
        };
        if let Some(by) = void.asked_by {
            decide(streams, &row, (&void.manifest, &manifest), by)?;
        } else if let Some(left) = streams.not_due(&Subject::Void(void.manifest)) {
            next = next.min(left);
        } else {
            say_again(streams, &void, (&row, &manifest))?;
        }
    }
    Ok(next)
}

/// What can be served is not given up, whoever wishes it.
fn decide(
    streams: &Streams,
    row: &OutboundRow,
    (digest, manifest): (&Digest, &Manifest),
    by: u32,
) -> Result<(), StageError> {
    let (node, now) = (&streams.node, streams.node.signing_moment()?);
    let is_whole = match is_whole(node, &row.peer, (digest, manifest)) {
        Ok(is_whole) => is_whole,
        // Not what a lost disk says: it is asked again.
        Err(error) => {
            tracing::error!(manifest = %digest, "whether it can be served is not known: {error}");
            return Ok(());
        }
    };
    let Some(reason) = may_give_up(row.state, is_whole, now > manifest.expires) else {
        let subject = format!("{} {} {}", row.peer, row.flow, manifest.sequence.get());
        node.board.alarm("void-denied", &subject, now);
        return Ok(node.journal.forget_void(digest)?);
    };
    let mut slip = draft(node, row, (digest, manifest), reason);
    let policy = node.rules.now();
    let key = streams.signing.at(&policy, slip.created);
    let mut make = |number: u64| slips::signed(&mut slip, number, key);
    if node.journal.give_up((digest, reason, by), now, &mut make)? {
        kill::point("void.given-up");
        tracing::warn!(peer = %row.peer, flow = %row.flow, number = manifest.sequence.get(), reason = reason.code(), "a number is given up; its recipient is asked to answer");
        streams.not_due(&Subject::Void(*digest));
        node.bells.peer(&row.peer).ring();
    }
    Ok(())
}

/// A slip that is waiting still says it. One that was taken can be lost, and another of its kind may have been read before it: it is
/// said anew under a new number.
fn say_again(
    streams: &Streams,
    void: &Void,
    (row, manifest): (&OutboundRow, &Manifest),
) -> Result<(), StageError> {
    let Some(reason) = void.reason else {
        return Ok(());
    };
    let (node, about) = (&streams.node, about_void(&void.manifest));
    if node.journal.has_slip(&row.peer, &about)? {
        return Ok(());
    }
    let slip = draft(node, row, (&void.manifest, manifest), reason);
    slips::put(node, &streams.signing, slip, &about).map(drop)
}

fn draft(
    node: &Node,
    row: &OutboundRow,
    (digest, manifest): (&Digest, &Manifest),
    reason: VoidReason,
) -> Slip {
    let body = Body::Void(Said {
        agreement: manifest.agreement.id.clone(),
        flow: manifest.flow.clone(),
        epoch: manifest.epoch,
        sequence: manifest.sequence,
        manifest: Some(*digest),
        reason,
    });
    let mut slip = slips::draft(node, &row.peer, body);
    let text = row.manifest.as_deref().map(String::from_utf8_lossy);
    let armour = row.signature.as_deref();
    slip.attach(&text.unwrap_or_default(), armour.unwrap_or_default());
    slip
}

/// Whether our copy is still what was sealed. Bytes that the disk cannot read are none.
fn is_whole(
    node: &Node,
    peer: &PartyId,
    (digest, manifest): (&Digest, &Manifest),
) -> std::io::Result<bool> {
    let read = || -> std::io::Result<bool> {
        let found = node.spool.sent_bundle(peer, digest);
        let Some(path) = found.map_err(std::io::Error::other)? else {
            return Ok(false);
        };
        let mut file = File::open(path)?;
        let mut head = Vec::new();
        file.by_ref()
            .take(BUNDLE_HEAD_BYTES)
            .read_to_end(&mut head)?;
        if UnverifiedHead::parse(&head).map(|head| head.digest()) != Ok(*digest) {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(BUNDLE_HEAD_BYTES))?;
        let payload = node.stop.guard(file).take(manifest.payload.bytes);
        let mut hashing = HashingReader::new(BufReader::with_capacity(256 * 1024, payload));
        std::io::copy(&mut hashing, &mut std::io::sink())?;
        let (_, found, bytes) = hashing.finish();
        Ok(found == manifest.payload.digest && bytes == manifest.payload.bytes)
    };
    let unreadable = rustix::io::Errno::IO.raw_os_error();
    match read() {
        Err(error) if error.raw_os_error() == Some(unreadable) => Ok(false),
        outcome => outcome,
    }
}

/// A peer gives a number of its stream up. What is known of its bundle stands, and is answered again; what was never here is
/// refused, for good, by a receipt for the manifest that the slip carries.
///
/// # Errors
/// This machine's: the peer is told to say it again.
pub(super) fn hear(
    node: &Node,
    store: &Stores,
    (peer, said): (&PartyId, &Said),
    (slip, container): (&VerifiedSlip, &[u8]),
) -> Result<(), StageError> {
    let now = node.signing_moment()?;
    let policy = node.rules.now();
    let ignored = |why: &str| {
        tracing::warn!(%peer, flow = %said.flow, number = said.sequence.get(), "a number is not given up: {why}");
        Ok(())
    };
    let head = carried(slip.slip(), policy.keyring(), now);
    let Some(head) = head.filter(|head| is_of(head, said, (peer, policy.own()))) else {
        return ignored("the slip does not carry the peer's signed manifest at this place");
    };
    let (digest, manifest) = (head.digest(), head.manifest());
    let kept = Kept::find(node, peer, &digest)?;
    let mut verdict = Verdict::Refuse(Refusal::Voided);
    if node.journal.inbound(&digest)?.is_none() {
        if let Some(why) = is_none_of_ours(node, &head)? {
            return ignored(why);
        }
        match kept.as_ref().map(|kept| kept.receipt.refusal) {
            Some(Some(refusal)) => verdict = Verdict::Refuse(refusal),
            None if !store.has(&digest)? => {}
            Some(None) | None => {
                node.board.alarm("home-behind", peer.as_str(), now);
                return ignored("it was imported before this home was restored");
            }
        }
        node.spool.keep_void(&slip.digest(), container)?;
        kill::point("void.kept");
    }
    let answer = Answer {
        own: policy.own().clone(),
        peer: peer.clone(),
        digest,
        manifest: Some(manifest),
        received: now,
        now,
        outcome: Err(Refusal::Voided),
    };
    let mut text = |origin: &str, index: u64| match &kept {
        Some(kept) => kept.text.clone(),
        None => answer.text(origin, index),
    };
    match node
        .journal
        .take_over(&as_new(&head, verdict, now), now, &mut text)
    {
        Ok(row) => answered(node, peer, (&digest, row.state)),
        Err(JournalError::Conflict) => return ignored("the bundle is another peer's"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// The manifest in a void slip, verified as the head of its bundle would be.
fn carried(slip: &Slip, keyring: &Keyring, now: UtcTime) -> Option<VerifiedHead> {
    let (text, armour) = slip.attached()?;
    let (text, armour) = (text.as_bytes().to_vec(), armour.as_bytes().to_vec());
    VerifiedHead::of_text(text, armour, keyring, now).ok()
}

/// The row of a bundle of which only the manifest came.
fn as_new(head: &VerifiedHead, verdict: Verdict, now: UtcTime) -> NewInbound {
    let (text, armour) = head.evidence();
    NewInbound {
        digest: head.digest(),
        peer: head.manifest().from.clone(),
        manifest: Some(head.manifest().clone()),
        manifest_bytes: text.to_vec(),
        signature: armour.to_vec(),
        payload_bytes: head.manifest().payload.bytes,
        received: now,
        verdict,
    }
}

/// The receipt is signed, or offered again; what was begun of the bundle comes no more.
fn answered(node: &Node, peer: &PartyId, (digest, state): (&Digest, Inbound)) {
    kill::point("void.heard");
    tracing::warn!(event = Event::Refused.name(), manifest = %digest, %peer, state = state.as_str(), code = Refusal::Voided.code(), "the peer gives a number up");
    let part = WireName::Bundle(*digest).to_string();
    // Still being written: then it goes with its hand-over, which is answered by the same receipt.
    let _ = node.spool.drop_part(peer, &part);
    node.bells.acknowledge.ring();
    node.bells.peer(peer).ring();
    node.bells.streams.ring();
}

/// Whether a manifest is the one at the place that the slip names, from this peer to us.
fn is_of(head: &VerifiedHead, said: &Said, (peer, own): (&PartyId, &PartyId)) -> bool {
    let manifest = head.manifest();
    said.manifest == Some(head.digest())
        && (&manifest.from, &manifest.to) == (peer, own)
        && manifest.agreement.id == said.agreement
        && manifest.flow == said.flow
        && (manifest.epoch, manifest.sequence) == (said.epoch, said.sequence)
}

/// Why nothing of this manifest is to be closed here.
fn is_none_of_ours(node: &Node, head: &VerifiedHead) -> Result<Option<&'static str>, StageError> {
    let (manifest, digest) = (head.manifest(), head.digest());
    let place = StreamPlace {
        from: manifest.from.clone(),
        to: manifest.to.clone(),
        agreement: manifest.agreement.id.clone(),
        flow: manifest.flow.clone(),
        epoch: manifest.epoch,
        sequence: manifest.sequence,
        manifest: digest,
    };
    if !is_agreed(node, &place) {
        return Ok(Some("no agreement here has such a stream"));
    }
    let place = node.journal.place(&manifest.from, &digest, manifest)?;
    let too_far = is_too_far(manifest.sequence, place.contiguous);
    Ok(too_far.then_some("it is too far beyond what came"))
}
