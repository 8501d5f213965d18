//! Admit: a bundle that arrived whole is verified, judged once, and taken over durably before the peer hears yes.
//!
//! Four outcomes: *admitted*; *refused* (provable from the signed manifest and a payload that matches its digest; final, signed);
//! *held* (not yet; told by a slip, judged again); *damaged* (dropped, asked for again). Junk whose signer is unknown is turned
//! away at the door: counted, never signed.

use std::path::Path;
use std::sync::{Arc, Mutex};

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::ledger::RecordKind;
use amanah_format::refusal::Refusal;
use amanah_format::time::UtcTime;

use crate::durable;
use crate::engine::inbound::Inbound;
use crate::engine::policy::Verdict;
use crate::event::Event;
use crate::journal::{InboundRow, LedgerEntry, NewInbound};
use crate::kill;
use crate::spool::QuarantineNote;
use crate::spool::part::Part;
use crate::transport::link::{Denied, WireName};

use super::answer::{Answer, Kept};
use super::arrive::finished;
use super::rejudge::HeldLook;
use super::signer::Signer;
use super::{Node, StageError, slips};

/// Most bundles of one peer that are held: as many as a stream may be ahead of a gap.
const HELD_MAX: u64 = amanah_format::limits::SEQUENCE_AHEAD_MAX;

mod face;

use self::face::Face;

/// The admitting stage.
pub struct Admit {
    /// What all stages share.
    pub node: Arc<Node>,
    /// Signs `held` slips.
    pub signing: Arc<Signer>,
    /// Where the next look at what is held goes on.
    pub held: Mutex<HeldLook>,
}

impl Admit {
    /// Takes over the bundle whose part is complete.
    ///
    /// # Errors
    /// What the peer is told; nothing was taken over then.
    pub fn hand_over(&self, peer: &PartyId, digest: Digest) -> Result<(), Denied> {
        let name = WireName::Bundle(digest).to_string();
        let part = finished(&self.node, peer, &name)?;
        let path = part.path().to_owned();
        match self.take_over(peer, digest, part) {
            Ok(()) => Ok(()),
            Err(denied) => {
                self.node.early.drop_if(&digest);
                self.turn_away(peer, digest, &path, &denied);
                Err(denied)
            }
        }
    }

    fn take_over(&self, peer: &PartyId, digest: Digest, part: Part) -> Result<(), Denied> {
        let known = self
            .node
            .journal
            .inbound(&digest)
            .map_err(|error| Denied::failure(&error))?;
        self.node
            .signing_moment()
            .map_err(|error| Denied::failure(&error))?;
        let kept =
            Kept::find(&self.node, peer, &digest).map_err(|error| Denied::failure(&error))?;
        let kept = kept.filter(|_| known.is_none());
        let received = match (&known, &kept) {
            (Some(known), _) => known.received,
            (None, Some(kept)) => kept.receipt.received,
            (None, None) => self.node.clock.now(),
        };
        let face = self.face(peer, digest, &part, received)?;
        let mut new = self
            .judge(peer, digest, &face, received)
            .map_err(|error| Denied::failure(&error))?;
        if let Some(kept) = &kept {
            new.verdict = self.bound(&new, kept)?;
        }
        if known.is_none() && matches!(new.verdict, Verdict::Hold(_)) {
            self.has_room_to_hold(peer)?;
        }
        self.node
            .spool
            .take_over(part, &digest)
            .map_err(|error| Denied::failure(&error))?;
        kill::point("admit.moved");
        let kept = kept.map(|kept| kept.text);
        let row = self
            .record(&new, kept)
            .map_err(|error| Denied::failure(&error))?;
        kill::point("admit.recorded");
        self.after(&row, known.as_ref())
            .map_err(|error| Denied::failure(&error))
    }

    /// What is held costs room and is judged again and again: one peer cannot have any number of them.
    fn has_room_to_hold(&self, peer: &PartyId) -> Result<(), Denied> {
        let held = self.node.journal.held_of(peer);
        if held.map_err(|error| Denied::failure(&error))? < HELD_MAX {
            return Ok(());
        }
        let now = self.node.clock.now();
        self.node.board.alarm("too-many-held", peer.as_str(), now);
        Err(Denied::local(
            "too many bundles wait here for an agreement, a card or a clock; it is tried again",
        ))
    }

    fn judge(
        &self,
        peer: &PartyId,
        digest: Digest,
        face: &Face,
        received: UtcTime,
    ) -> Result<NewInbound, StageError> {
        let (verdict, manifest, evidence, payload_bytes) = match face {
            Face::Whole(head) => {
                let manifest = head.manifest();
                let place = self.node.journal.place(peer, &digest, manifest)?;
                let verdict = self.node.rules.now().judge(manifest, &place, received);
                let (text, signature) = head.evidence();
                (
                    verdict,
                    Some(manifest.clone()),
                    (text.to_vec(), signature.to_vec()),
                    manifest.payload.bytes,
                )
            }
            Face::Faulty(faulty) => {
                let verdict = Verdict::Refuse(faulty.refusal);
                (
                    verdict,
                    faulty.manifest.clone(),
                    faulty.evidence.clone(),
                    faulty.payload_bytes,
                )
            }
        };
        Ok(NewInbound {
            digest,
            peer: peer.clone(),
            manifest,
            manifest_bytes: evidence.0,
            signature: evidence.1,
            payload_bytes,
            received,
            verdict,
        })
    }

    /// This home has answered the bundle before and forgotten it: it is judged as it was then.
    fn bound(&self, new: &NewInbound, kept: &Kept) -> Result<Verdict, Denied> {
        let now = self.node.clock.now();
        self.node.board.alarm("home-behind", new.peer.as_str(), now);
        match (kept.receipt.refusal, new.verdict) {
            (Some(refusal), _) => Ok(Verdict::Refuse(refusal)),
            (None, Verdict::Refuse(Refusal::SequenceConflict | Refusal::BundleIdReused)) => {
                let subject = new.digest.to_string();
                self.node.board.alarm("receipt-doubtful", &subject, now);
                Err(Denied::local("its place was given to another since"))
            }
            (None, _) => Ok(Verdict::Admit),
        }
    }

    fn record(&self, new: &NewInbound, kept: Option<Vec<u8>>) -> Result<InboundRow, StageError> {
        let now = self.node.clock.now();
        let mut text = |origin: &str, index: u64| match new.verdict {
            Verdict::Refuse(_) if kept.is_some() => kept.clone().unwrap_or_default(),
            Verdict::Refuse(refusal) => Answer {
                own: self.node.rules.now().own().clone(),
                peer: new.peer.clone(),
                digest: new.digest,
                manifest: new.manifest.as_ref(),
                received: new.received,
                now,
                outcome: Err(refusal),
            }
            .text(origin, index),
            Verdict::Admit | Verdict::Hold(_) => Vec::new(),
        };
        Ok(self.node.journal.take_over(new, now, &mut text)?)
    }

    /// What the new state asks for. A peer that hands the same held bundle over again and again is told once.
    fn after(&self, row: &InboundRow, known: Option<&InboundRow>) -> Result<(), StageError> {
        match row.state {
            Inbound::Held => {
                let told = known.and_then(|known| known.held);
                if let Some(reason) = row.held.filter(|reason| told != Some(*reason)) {
                    slips::tell_held(&self.node, &self.signing, row, reason)?;
                }
            }
            Inbound::Admitted => self.node.bells.import.ring(),
            Inbound::Imported | Inbound::Refused => self.node.bells.acknowledge.ring(),
            Inbound::Acknowledged | Inbound::Delivered => {
                self.node.spool.forget_incoming(&row.peer, &row.digest)?;
                self.node.bells.peer(&row.peer).ring();
            }
        }
        if row.state != Inbound::Admitted {
            self.node.early.drop_if(&row.digest);
        }
        let name = WireName::Bundle(row.digest).to_string();
        self.node.board.quiet_all_of(&name);
        if row.refusal == Some(Refusal::SequenceConflict) {
            // Both lie here, signed by their sender: one in the archive or under way, this one in quarantine.
            let now = self.node.clock.now();
            self.node.board.alarm("sequence-conflict", &name, now);
        }
        let (state, code) = (row.state.as_str(), row.refusal.map(Refusal::code));
        durable::claim(|| {
            tracing::info!(event = Event::TakenOver.name(), manifest = %row.digest, peer = %row.peer, state, code, "taken over");
        })?;
        self.node.bells.streams.ring();
        self.node.bells.publish.ring();
        Ok(())
    }

    /// What was not taken over leaves a note, within bounds; the bytes go.
    fn turn_away(&self, peer: &PartyId, digest: Digest, part: &Path, denied: &Denied) {
        if denied.is_local() {
            tracing::warn!(event = Event::TurnedAway.name(), %peer, manifest = %digest, code = denied.code, "turned away");
            return;
        }
        let name = WireName::Bundle(digest).to_string();
        let noted = self.note_turned_away(peer, digest, part, denied);
        if let Err(error) = noted.and_then(|()| Ok(self.node.spool.drop_part(peer, &name)?)) {
            tracing::error!("what was turned away could not be noted: {error}");
        }
    }

    /// The note of bytes that were not taken over: what becomes of the bytes is the caller's.
    pub(super) fn note_turned_away(
        &self,
        peer: &PartyId,
        digest: Digest,
        part: &Path,
        denied: &Denied,
    ) -> Result<(), StageError> {
        let now = self.node.clock.now();
        tracing::warn!(event = Event::TurnedAway.name(), %peer, manifest = %digest, code = denied.code, "turned away");
        if self.node.junk.may_record(peer, now) {
            let name = WireName::Bundle(digest).to_string();
            self.node.board.alarm(&denied.code, &name, now);
            let bytes = std::fs::metadata(part).map_or(0, |meta| meta.len());
            self.note_junk(peer, WireName::Bundle(digest), bytes, denied)?;
        } else {
            self.node.board.alarm("too-much-junk", peer.as_str(), now);
        }
        self.node.bells.publish.ring();
        Ok(())
    }

    /// A record and a note: the caller has asked whether there may be one more. `from`: who brought it.
    pub(super) fn note_junk(
        &self,
        from: &PartyId,
        wire: WireName,
        bytes: u64,
        denied: &Denied,
    ) -> Result<(), StageError> {
        let now = self.node.clock.now();
        let name = wire.to_string();
        let entry = LedgerEntry {
            kind: RecordKind::Damaged,
            manifest: match wire {
                WireName::Bundle(digest) | WireName::Receipt(digest) => Some(digest),
                WireName::Slip(_) => None,
            },
            digests: Vec::new(),
            code: Some(denied.code.clone()),
            by: None,
        };
        let note = QuarantineNote {
            name: name.clone(),
            peer: from.clone(),
            code: denied.code.clone(),
            time: now,
            bytes,
            state: "dropped".to_owned(),
        };
        self.node.journal.record(entry, now)?;
        Ok(self.node.spool.note_quarantine(&name, &note)?)
    }

    /// Receipts and slips are small and come anew where they were not answered; of a bundle that was taken over no part is
    /// needed any more.
    fn sweep_parts(&self, peer: &PartyId) -> Result<(), StageError> {
        let mut failed = None;
        let mut is_done_with = |name: &str| match WireName::parse(name) {
            Some(WireName::Bundle(digest)) => match self.node.journal.inbound(&digest) {
                Ok(row) => row.is_some(),
                Err(error) => {
                    failed = Some(error);
                    false
                }
            },
            Some(WireName::Receipt(_) | WireName::Slip(_)) | None => true,
        };
        self.node.spool.sweep_parts(peer, &mut is_done_with)?;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// After a restart: what was moved but not recorded becomes a part again, which the peer hands over anew; what came
    /// again after its answer goes, and so do parts that nobody will finish.
    ///
    /// # Errors
    /// This machine's.
    pub fn recover(&self, peers: &[PartyId]) -> Result<(), StageError> {
        for peer in peers {
            self.sweep_parts(peer)?;
            for digest in self.node.spool.incoming_bundles(peer)? {
                match self.node.journal.inbound(&digest)?.map(|row| row.state) {
                    None => self.node.spool.back_to_part(peer, &digest)?,
                    Some(Inbound::Acknowledged | Inbound::Delivered) => {
                        self.node.spool.forget_incoming(peer, &digest)?;
                    }
                    Some(
                        Inbound::Held | Inbound::Admitted | Inbound::Imported | Inbound::Refused,
                    ) => {}
                }
            }
        }
        Ok(())
    }
}
