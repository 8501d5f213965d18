//! Inward: what an operator copied in. Who signed decides whose it is, then the bytes are copied to where parts of that peer
//! arrive, and `arrive` takes them over as if the peer had pushed them: it verifies its own copy, so it does not matter who
//! changes the operator's file meanwhile. What bears no signature of a peer leaves a note under our own name: we brought it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use amanah_format::container::bundle_bytes;
use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_format::manifest::UnverifiedHead;
use amanah_format::receipt::VerifiedReceipt;
use amanah_format::slip::VerifiedSlip;

use crate::by_hand::{Answer, Fate, Told};
use crate::engine::inbound::{Inbound, InboundEvent};
use crate::engine::outbound::Outbound;
use crate::request::Ticket;
use crate::stage::door::bytes_max;
use crate::stage::{Node, StageError};
use crate::transport::link::{Denied, WireName};

use super::{ByHand, Incoming, Way, answer, delivered, say};

/// Read and written at once.
const CHUNK: usize = 256 * 1024;
/// Files of one ticket taken at one pass, so that others have their turn.
const FILES_PER_PASS: usize = 32;

/// What is wanted of what lies on a stick. What is known by its name is not copied again; a bundle whose receipt was delivered
/// came again, so its receipt is carried again.
pub(super) fn asked(node: &Node, names: &BTreeSet<WireName>) -> Result<Answer, StageError> {
    let mut files = Vec::new();
    for name in names {
        let mut told = Told::new(name.to_string(), Fate::Wanted);
        match name {
            WireName::Bundle(digest) => {
                if node.journal.outbound_by_digest(digest)?.is_some() {
                    told.fate = Fate::Ours;
                } else if let Some(row) = node.journal.inbound(digest)? {
                    if row.state == Inbound::Delivered {
                        let (event, now) = (InboundEvent::CameAgain, node.clock.now());
                        node.journal.advance_inbound(digest, event, now)?;
                        node.bells.peer(&row.peer).ring();
                    }
                    told.fate = Fate::AlreadyHere;
                    told.peer = Some(row.peer.to_string());
                }
            }
            WireName::Receipt(digest) => {
                let sent = node.journal.outbound_by_digest(digest)?;
                if node.journal.inbound(digest)?.is_some() {
                    told.fate = Fate::Ours;
                } else if let Some(row) = sent.filter(|row| is_answered(row.state)) {
                    told.fate = Fate::AlreadyHere;
                    told.peer = Some(row.peer.to_string());
                }
            }
            WireName::Slip(_) => {}
        }
        files.push(told);
    }
    // Receipts before bundles: they settle what waits, and are small.
    files.sort_by_key(|told| {
        let name = WireName::parse(&told.name);
        (matches!(name, Some(WireName::Bundle(_))), told.name.clone())
    });
    Ok(answer(false, files))
}

/// Receipts that we carried and whose bundle the peer carries no longer, though it sent news: it has them. Whoever removed the
/// bundle from the stick only delays: it comes again, and then so does the receipt.
pub(super) fn note_missing(node: &Node, incoming: &Incoming) -> Result<(), StageError> {
    let files = incoming.answer.files.iter();
    let there: BTreeSet<WireName> = files
        .filter_map(|told| WireName::parse(&told.name))
        .collect();
    for peer in &incoming.news {
        for row in node.journal.receipts_for(peer)? {
            let carried = node.tickets.lock().carried.contains(&row.digest);
            if carried && !there.contains(&WireName::Bundle(row.digest)) {
                delivered(node, &row.digest)?;
            }
        }
    }
    Ok(())
}

const fn is_answered(state: Outbound) -> bool {
    match state {
        Outbound::Imported | Outbound::Refused | Outbound::Settled | Outbound::Destroyed => true,
        Outbound::Claiming
        | Outbound::Claimed
        | Outbound::Sealed
        | Outbound::Signed
        | Outbound::Queued
        | Outbound::HandedOver
        | Outbound::PutBack => false,
        // With a signed refusal, for it has a digest.
        Outbound::Returned => true,
    }
}

/// Who signed it, and how long it is.
struct Seen {
    peer: PartyId,
    bytes: u64,
    /// A slip that was heeded before.
    known: bool,
}

impl ByHand {
    /// Takes what lies whole in a ticket's folder; how many files that was.
    pub(super) fn take_all(&self, ticket: &Ticket) -> Result<usize, StageError> {
        let node = &self.arrive.node;
        let Some(incoming) = node.tickets.incoming(ticket) else {
            return Ok(0);
        };
        let mut done = 0;
        for entry in node.spool.copied_in(ticket.as_str())? {
            let name = entry.to_str().and_then(WireName::parse);
            let wanted = |told: &&Told| told.fate == Fate::Wanted && entry == *told.name;
            let (Some(name), Some(_)) = (name, incoming.answer.files.iter().find(wanted)) else {
                continue;
            };
            if node.stop.is_set() || done >= FILES_PER_PASS {
                break;
            }
            let told = self.take(ticket, name)?;
            node.spool
                .remove_copied_in(ticket.as_str(), &name.to_string())?;
            self.note(ticket, told)?;
            done += 1;
        }
        Ok(done)
    }

    /// Tells what became of it.
    fn note(&self, ticket: &Ticket, told: Told) -> Result<(), StageError> {
        let node = &self.arrive.node;
        let answer = {
            let mut state = node.tickets.lock();
            let Some(Way::In(incoming)) = state.open.get_mut(ticket).map(|open| &mut open.way)
            else {
                return Ok(());
            };
            let is_news = matches!(told.fate, Fate::TakenOver | Fate::Held | Fate::Refused);
            let peer = told.peer.as_ref().and_then(|peer| peer.parse().ok());
            incoming.news.extend(peer.filter(|_| is_news));
            for file in &mut incoming.answer.files {
                if file.name == told.name {
                    *file = told.clone();
                }
            }
            incoming.answer.clone()
        };
        say(node, ticket, &answer)
    }

    /// One file, to its end.
    fn take(&self, ticket: &Ticket, name: WireName) -> Result<Told, StageError> {
        let node = &self.arrive.node;
        let text = name.to_string();
        let mut told = Told::new(text.clone(), Fate::TurnedAway);
        let mut file = match node.spool.open_copied_in(ticket.as_str(), &text) {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(
                    name = text,
                    "copied in, but no file that can be read: {error}"
                );
                told.code = Some("no-regular-file".to_owned());
                return Ok(told);
            }
        };
        let seen = match self.look(name, &mut file) {
            Ok(seen) => seen,
            Err(denied) => {
                self.turn_away(name, &file, &denied)?;
                told.code = Some(denied.code);
                return Ok(told);
            }
        };
        told.bytes = seen.bytes;
        told.peer = Some(seen.peer.to_string());
        if seen.known || &seen.peer == node.rules.now().own() {
            let is_own = !seen.known;
            told.fate = if is_own {
                Fate::Ours
            } else {
                Fate::AlreadyHere
            };
            return Ok(told);
        }
        match self.bring(&seen, name, &mut file) {
            Ok(()) => self.taken(name, &mut told)?,
            Err(denied) => {
                let is_local = denied.code == "failure" || denied.code == "no-space";
                if is_local {
                    told.fate = Fate::Failed;
                }
                told.code = Some(denied.code);
            }
        }
        Ok(told)
    }

    /// Whose it is, by its signature alone; and whether it is as long as that says. Nothing of it is believed yet.
    fn look(&self, name: WireName, file: &mut File) -> Result<Seen, Denied> {
        let node = &self.arrive.node;
        let failure = |error: std::io::Error| Denied::failure(&error);
        let bytes = file.metadata().map_err(failure)?.len();
        if bytes > bytes_max(name) {
            return Err(denied("too-large", "nothing of its kind is that long"));
        }
        let (policy, now) = (node.rules.now(), node.clock.now());
        let mut start = Vec::new();
        let most = match name {
            WireName::Bundle(_) => BUNDLE_HEAD_BYTES,
            WireName::Receipt(_) | WireName::Slip(_) => bytes_max(name),
        };
        let reading = file.by_ref().take(most).read_to_end(&mut start);
        reading.map_err(failure)?;
        let doubtful = |code: &str, error: &dyn std::fmt::Display| denied(code, &error.to_string());
        let (peer, known) = match name {
            WireName::Bundle(digest) => (self.sealed_by(&start, digest, bytes)?, false),
            WireName::Receipt(_) => {
                let receipt = VerifiedReceipt::verify(&start, policy.keyring(), now)
                    .map_err(|error| doubtful("receipt-doubtful", &error))?;
                (receipt.receipt().from.clone(), false)
            }
            WireName::Slip(_) => {
                let slip = VerifiedSlip::verify(&start, policy.keyring(), now)
                    .map_err(|error| doubtful("slip-doubtful", &error))?;
                let (from, number) = (slip.slip().from.clone(), slip.slip().number);
                let is_news = node.journal.is_news(&from, slip.slip().body.kind(), number);
                (from, !is_news.map_err(|error| Denied::failure(&error))?)
            }
        };
        Ok(Seen { peer, bytes, known })
    }

    /// Who signed a bundle's head.
    fn sealed_by(&self, head: &[u8], digest: Digest, bytes: u64) -> Result<PartyId, Denied> {
        let node = &self.arrive.node;
        let refused = |code: &str| denied(code, "not taken over");
        let head = UnverifiedHead::parse(head).map_err(|refusal| refused(refusal.code()))?;
        if head.digest() != digest {
            return Err(refused("name-mismatch"));
        }
        let length = bundle_bytes(head.payload_bytes());
        let peer = match head.verify(node.rules.now().keyring(), node.clock.now()) {
            Ok(verified) => verified.manifest().from.clone(),
            Err(fault) => fault.signer.ok_or_else(|| refused(fault.refusal.code()))?,
        };
        // A file of another length is not copied at all: it may be endless.
        if length != bytes {
            return Err(Denied::damaged());
        }
        Ok(peer)
    }

    /// Copies it to where parts of the peer arrive, then hands it over. What was there by this name goes: this is whole.
    fn bring(&self, seen: &Seen, name: WireName, file: &mut File) -> Result<(), Denied> {
        let node = &self.arrive.node;
        let text = name.to_string();
        let failure = |error: &dyn std::fmt::Display| Denied::failure(error);
        let free = node.spool.free_bytes().map_err(|error| failure(&error))?;
        if free < seen.bytes.saturating_add(self.free_bytes_min) {
            let now = node.clock.now();
            node.board.alarm("no-space", "spool", now);
            return Err(denied("no-space", "there is no space left for it"));
        }
        node.board.quiet("no-space", "spool");
        let dropped = node.spool.drop_part(&seen.peer, &text);
        dropped.map_err(|error| failure(&error))?;
        let part = node.spool.part(&seen.peer, &text, seen.bytes);
        let mut part = part.map_err(|error| failure(&error))?;
        file.seek(SeekFrom::Start(0))
            .map_err(|error| failure(&error))?;
        let mut reader = node.stop.guard((&*file).take(seen.bytes));
        let (mut chunk, mut at) = (vec![0; CHUNK], 0_u64);
        loop {
            let length = reader.read(&mut chunk).map_err(|error| failure(&error))?;
            let Some(read) = chunk.get(..length).filter(|read| !read.is_empty()) else {
                break;
            };
            part.write_at(at, read).map_err(|error| failure(&error))?;
            at = at.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        }
        part.sync().map_err(|error| failure(&error))?;
        drop(part);
        self.arrive.hand_over(&seen.peer, name)
    }

    /// What became of what was taken over.
    fn taken(&self, name: WireName, told: &mut Told) -> Result<(), StageError> {
        let node = &self.arrive.node;
        told.fate = Fate::TakenOver;
        match name {
            WireName::Bundle(digest) => {
                if let Some(row) = node.journal.inbound(&digest)? {
                    if let Some(refusal) = row.refusal {
                        told.fate = Fate::Refused;
                        told.code = Some(refusal.code().to_owned());
                    } else if let Some(held) = row.held {
                        told.fate = Fate::Held;
                        told.code = Some(held.code().to_owned());
                    }
                }
            }
            WireName::Receipt(digest) => {
                if node.journal.outbound_by_digest(&digest)?.is_none() {
                    told.fate = Fate::TurnedAway;
                    told.code = Some("receipt-without-bundle".to_owned());
                }
            }
            WireName::Slip(_) => {}
        }
        Ok(())
    }

    /// A note and a record, within the bounds of our own name; the operator is told in any case.
    fn turn_away(&self, name: WireName, file: &File, denied: &Denied) -> Result<(), StageError> {
        let node = &self.arrive.node;
        let own = node.rules.now().own().clone();
        tracing::warn!(%name, code = denied.code, "brought by hand and turned away: {}", denied.message);
        if denied.code != "failure" && node.junk.may_record(&own, node.clock.now()) {
            let bytes = file.metadata().map_or(0, |metadata| metadata.len());
            self.arrive.admit.note_junk(&own, name, bytes, denied)?;
            node.bells.publish.ring();
        }
        Ok(())
    }
}

fn denied(code: &str, message: &str) -> Denied {
    Denied {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}
