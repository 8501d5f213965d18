//! Witness: peers see each other's ledgers. Ours is shown to each peer by a `checkpoint` slip, at each connection and, when it has
//! grown, once an hour; what a peer shows is compared with what was seen before, cosigned and sent back, or alarmed and kept as
//! evidence. FORMAT.md §15.4; the rules are `engine::witness`'s.
//!
//! What was seen is remembered in the journal; the notes in `ledger/peers/` and `ledger/cosigned/` are for auditors.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::ledger::{Checkpoint, cosigners, parse_origin};
use amanah_format::signature::{PublicKey, SecretKey};
use amanah_format::slip::{Body, Seen, Shown};
use amanah_format::time::UtcTime;

use crate::engine::witness::{Heard, is_evasive, is_overdue, is_unseen, judge};
use crate::event::Event;

use super::signer::Signer;
use super::{Node, StageError, slips};

/// A ledger that has grown is shown again after so long, on a connection that stays.
const EVERY: Duration = Duration::from_secs(3_600);
/// A peer that connects again and again is not shown more often than this.
const EVERY_AT_MOST: Duration = Duration::from_secs(10);

/// The alarm of a peer that shows nothing any more.
const UNSEEN: &str = "ledger-unseen";
/// What the slips with our cosignatures are about: only the newest says anything.
const COSIGNATURE: &str = "cosignature";

/// When each peer was shown our ledger, in this life of the process, and how long it was.
#[derive(Default)]
pub struct Showing(Mutex<HashMap<PartyId, (Instant, u64)>>);

impl Showing {
    fn lock(&self) -> MutexGuard<'_, HashMap<PartyId, (Instant, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The two keys of who shows and cosigns.
pub(super) struct Keys<'a> {
    pub(super) ledger: &'a SecretKey,
    pub(super) signing: &'a Signer,
}

/// What is remembered of a peer's ledger: facts of the journal.
enum Fact {
    /// The last note that was seen and only grew.
    Note,
    /// A cosignature of it is due.
    Due,
    /// How many in a row had no proof from there, and since when.
    Unproven,
    /// It is another ledger than the one seen before.
    Fork,
    /// How long ours was when the peer cosigned it last.
    By,
    /// When the first receipt was exchanged since the peer showed it, and how long it is to be by that.
    Owed,
}

impl Fact {
    fn of(&self, party: &PartyId) -> String {
        let name = match self {
            Self::Note => "note",
            Self::Due => "due",
            Self::Unproven => "unproven",
            Self::Fork => "fork",
            Self::By => "by",
            Self::Owed => "owed",
        };
        format!("witness {name} {party}")
    }

    fn get(&self, node: &Node, party: &PartyId) -> Result<Option<String>, StageError> {
        Ok(node.journal.fact(&self.of(party))?)
    }

    fn set(&self, node: &Node, party: &PartyId, value: Option<&str>) -> Result<(), StageError> {
        Ok(node.journal.set_fact(&self.of(party), value)?)
    }
}

/// Shows and cosigns what is due for a peer: never more than what is `published`, or auditors would find less here than a peer
/// has seen; said again at each pass: whose ledger is another one.
///
/// # Errors
/// The journal's or the file system's.
pub(super) fn pass<'a>(
    node: &Node,
    keys: &Keys<'_>,
    published: &Checkpoint,
    peers: impl Iterator<Item = &'a PartyId>,
) -> Result<(), StageError> {
    let own = node.rules.now().own().clone();
    let (mut forked, mut unseen) = (Vec::new(), Vec::new());
    for peer in peers {
        show(node, keys, published, peer)?;
        cosign(node, keys, peer)?;
        if Fact::Fork.get(node, peer)?.is_some() {
            forked.push(peer.to_string());
        }
        if shows_nothing(node, peer)? {
            unseen.push(peer.to_string());
        }
    }
    if Fact::Fork.get(node, &own)?.is_some() {
        forked.push(own.to_string());
    }
    let now = node.clock.now();
    node.board.alarm_exactly("ledger-fork", &forked, now);
    node.board.alarm_exactly(UNSEEN, &unseen, now);
    Ok(())
}

/// A receipt was exchanged with a peer: its ledger is to be seen again, `least` records long where the receipt says so.
///
/// # Errors
/// The journal's.
pub(super) fn owe(node: &Node, peer: &PartyId, least: u64) -> Result<(), StageError> {
    if Fact::Owed.get(node, peer)?.is_none() {
        let text = format!("{} {least}", node.clock.now().unix());
        Fact::Owed.set(node, peer, Some(&text))?;
    }
    Ok(())
}

/// What a peer owes: since when, and how long its ledger is to be at least.
fn owed(node: &Node, peer: &PartyId) -> Result<Option<(UtcTime, u64)>, StageError> {
    let text = Fact::Owed.get(node, peer)?;
    Ok(text.and_then(|text| {
        let (since, least) = text.split_once(' ')?;
        let since = UtcTime::from_unix(since.parse().ok()?).ok()?;
        Some((since, least.parse().ok()?))
    }))
}

/// It has shown so much: what was owed is paid where that covers it.
fn pay(node: &Node, peer: &PartyId, size: u64) -> Result<(), StageError> {
    if owed(node, peer)?.is_some_and(|(_, least)| size >= least) {
        Fact::Owed.set(node, peer, None)?;
    }
    Ok(())
}

/// Whether a peer does not show its ledger any more. Once that is said it stays said while the peer is away, until it has shown what
/// it owed; what it owes since is another matter.
fn shows_nothing(node: &Node, peer: &PartyId) -> Result<bool, StageError> {
    let Some((owed, _)) = owed(node, peer)? else {
        return Ok(false);
    };
    let now = node.clock.now();
    if node.board.is_alarmed(UNSEEN, peer.as_str()) {
        return Ok(is_overdue(owed, now));
    }
    let link = node.board.link(peer);
    let unseen = is_unseen(owed, link.since.filter(|_| link.connected), now);
    if unseen {
        let since = owed.to_string();
        tracing::error!(event = Event::LedgerUnseen.name(), %peer, since, "a peer has not shown its ledger since, though receipts were exchanged");
    }
    Ok(unseen)
}

/// Whether it is time; then it counts as shown.
fn is_due(node: &Node, peer: &PartyId, size: u64) -> bool {
    let mut shown = node.showing.lock();
    let last = shown.get(peer).copied();
    let waited = last.map_or(Duration::MAX, |(at, _)| at.elapsed());
    let has_grown = last.is_none_or(|(_, before)| before != size);
    if waited < EVERY_AT_MOST {
        return false;
    }
    // Through a drop a connection says nothing of the peer: only what is new is worth a file there.
    let called = node
        .gates
        .take_call(peer)
        .is_some_and(|directly| directly || has_grown);
    let due = called || (last.is_some() && has_grown && waited >= EVERY);
    if due {
        shown.insert(peer.clone(), (Instant::now(), size));
    }
    due
}

fn show(
    node: &Node,
    keys: &Keys<'_>,
    checkpoint: &Checkpoint,
    peer: &PartyId,
) -> Result<(), StageError> {
    if !is_due(node, peer, checkpoint.size) {
        return Ok(());
    }
    let known = Fact::By.get(node, peer)?;
    let known = known.and_then(|size| size.parse().ok()).unwrap_or(0);
    let previous_size = if known > checkpoint.size { 0 } else { known };
    let body = Body::Checkpoint(Shown {
        note: checkpoint.sign(keys.ledger),
        consistency: node.journal.consistency(previous_size, checkpoint.size)?,
        previous_size,
        inclusions: Vec::new(),
    });
    let slip = slips::draft(node, peer, body);
    slips::put(node, keys.signing, slip, "checkpoint").map(drop)
}

/// Adds our line to the last note of a peer that only grew, where the peer waits for it; keeps and sends it.
fn cosign(node: &Node, keys: &Keys<'_>, peer: &PartyId) -> Result<(), StageError> {
    let Some(note) = Fact::Note.get(node, peer)? else {
        return Ok(());
    };
    if Fact::Due.get(node, peer)?.is_none() {
        return Ok(());
    }
    // Verified anew: a fact is never proof.
    if let Some(seen) = verified(node, peer, &note) {
        let own = node.journal.checkpoint()?.origin;
        let now = node.clock.now();
        let cosigned = seen.cosign(&note, (&own, keys.ledger), now);
        let note = cosigned.map_err(|error| StageError::Other(error.to_string()))?;
        node.spool.keep_peer_note(peer, &note)?;
        let slip = slips::draft(node, peer, Body::Cosignature(Seen { note }));
        slips::put(node, keys.signing, slip, COSIGNATURE)?;
    }
    Fact::Due.set(node, peer, None)
}

/// A party's note, under one of its ledger keys and of its own ledger.
fn verified(node: &Node, party: &PartyId, note: &str) -> Option<Checkpoint> {
    let keys = node.rules.now().keyring().ledger_keys(party);
    verified_by(party, note, &keys)
}

/// The same under these keys.
fn verified_by(party: &PartyId, note: &str, keys: &[PublicKey]) -> Option<Checkpoint> {
    let checkpoint = Checkpoint::verify(note, keys).ok()?;
    let (whose, _) = parse_origin(&checkpoint.origin)?;
    (&whose == party).then_some(checkpoint)
}

/// A peer shows its ledger.
///
/// # Errors
/// The journal's or the file system's.
pub(super) fn hear_checkpoint(
    node: &Node,
    peer: &PartyId,
    shown: &Shown,
) -> Result<(), StageError> {
    let keys = node.rules.now();
    let keys = keys.keyring().ledger_keys_at(peer, node.clock.now());
    let Some(now) = verified_by(peer, &shown.note, &keys) else {
        tracing::warn!(%peer, "a checkpoint is not of this peer's ledger; it is ignored");
        return Ok(());
    };
    if Fact::Fork.get(node, peer)?.is_some() {
        return Ok(());
    }
    let before = Fact::Note.get(node, peer)?;
    // What we saw is ours to know: the key that signed it then may not be known any more.
    let before = before.and_then(|note| Checkpoint::read(&note));
    let proof = (shown.previous_size, shown.consistency.as_slice());
    let mut heard = judge(before.as_ref(), &now, proof);
    if heard == Heard::Unproven && is_unproven_too_long(node, peer)? {
        heard = Heard::Fork;
    }
    match heard {
        Heard::First | Heard::Grown => {
            Fact::Note.set(node, peer, Some(&shown.note))?;
            Fact::Unproven.set(node, peer, None)?;
            Fact::Due.set(node, peer, Some("yes"))?;
            pay(node, peer, now.size)?;
        }
        Heard::Same if shown.previous_size == now.size => pay(node, peer, now.size)?,
        Heard::Same => {
            pay(node, peer, now.size)?;
            Fact::Due.set(node, peer, Some("yes"))?;
        }
        Heard::Unproven => Fact::Due.set(node, peer, Some("yes"))?,
        Heard::Fork => fork(node, peer, &shown.note)?,
    }
    node.bells.publish.ring();
    Ok(())
}

/// One more without a proof. It counts where the peer has taken the cosignature that says where to begin; and there is an end to
/// waiting for that.
fn is_unproven_too_long(node: &Node, peer: &PartyId) -> Result<bool, StageError> {
    let now = node.clock.now();
    let known = Fact::Unproven.get(node, peer)?;
    let known = known.and_then(|text| {
        let (times, since) = text.split_once(' ')?;
        let since = UtcTime::from_unix(since.parse().ok()?).ok()?;
        Some((times.parse::<u32>().ok()?, since))
    });
    let (times, since) = known.unwrap_or((0, now));
    let waits = Fact::Due.get(node, peer)?.is_some() || node.journal.has_slip(peer, COSIGNATURE)?;
    let times = times.saturating_add(u32::from(!waits));
    let text = format!("{times} {}", since.unix());
    Fact::Unproven.set(node, peer, Some(&text))?;
    Ok(is_evasive(times, since, now))
}

/// Two signed notes of one ledger that cannot both be true: the one seen before lies in `ledger/peers/`, this one beside it.
fn fork(node: &Node, party: &PartyId, note: &str) -> Result<(), StageError> {
    tracing::error!(%party, "a ledger is not the one that was seen before");
    node.spool
        .keep_fork(party, &Digest::of(note.as_bytes()), note)?;
    Fact::Fork.set(node, party, Some("yes"))?;
    let now = node.clock.now();
    node.board.alarm("ledger-fork", party.as_str(), now);
    Ok(())
}

/// A peer has cosigned ours, at the size that it knows.
///
/// # Errors
/// The journal's or the file system's.
pub(super) fn hear_cosignature(node: &Node, peer: &PartyId, seen: &Seen) -> Result<(), StageError> {
    let policy = node.rules.now();
    let own = policy.own().clone();
    let at = node.clock.now();
    let keys = |party: &PartyId| policy.keyring().ledger_keys_at(party, at);
    let by_peer = cosigners(&seen.note, &keys).is_ok_and(|found| {
        let mut found = found.iter();
        found.any(|one| &one.party == peer)
    });
    let newest = node.journal.checkpoint()?;
    let ours = verified(node, &own, &seen.note).filter(|ours| ours.origin == newest.origin);
    let Some(ours) = ours.filter(|_| by_peer) else {
        tracing::warn!(%peer, "a cosignature is not this peer's of our ledger; it is ignored");
        return Ok(());
    };
    let is_ours =
        ours.size <= newest.size && node.journal.checkpoint_at(ours.size)?.root == ours.root;
    if !is_ours {
        return match Fact::Fork.get(node, &own)? {
            Some(_) => Ok(()),
            None => fork(node, &own, &seen.note),
        };
    }
    let known = Fact::By.get(node, peer)?;
    let known = known.and_then(|size| size.parse().ok()).unwrap_or(0_u64);
    if ours.size >= known {
        node.spool.keep_cosigned(peer, &seen.note)?;
    }
    Fact::By.set(node, peer, Some(&ours.size.to_string()))?;
    // It says where its knowledge ends: the proof must begin there.
    let shown = node.showing.lock().get(peer).map(|(_, size)| *size);
    if shown.is_some_and(|shown| shown > ours.size) {
        node.gates.call(peer);
        node.bells.publish.ring();
    }
    Ok(())
}

/// The sysadmin accepts that a party's ledger begins anew; what was kept as evidence stays.
///
/// # Errors
/// The journal's.
pub(super) fn accept(node: &Node, party: &PartyId) -> Result<(), StageError> {
    for fact in [
        Fact::Note,
        Fact::Due,
        Fact::Unproven,
        Fact::Fork,
        Fact::By,
        Fact::Owed,
    ] {
        fact.set(node, party, None)?;
    }
    node.gates.call(party);
    Ok(())
}
