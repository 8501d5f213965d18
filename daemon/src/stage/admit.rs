//! Admit: a bundle that arrived whole is verified, judged once, and taken over durably before the peer hears yes.
//!
//! Four outcomes: *admitted*; *refused* (provable from the signed manifest and a payload that matches its digest; final, signed);
//! *held* (not yet; told by a slip, judged again); *damaged* (dropped, asked for again). Junk whose signer is unknown is turned
//! away at the door: counted, never signed.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::ledger::RecordKind;
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_format::manifest::{UnverifiedHead, VerifiedHead};
use amanah_format::refusal::Refusal;
use amanah_format::signature::SecretKey;
use amanah_format::slip::HeldReason;
use amanah_format::time::UtcTime;

use crate::engine::inbound::{Inbound, InboundEvent};
use crate::engine::policy::Verdict;
use crate::journal::{InboundRow, LedgerEntry, NewInbound};
use crate::kill;
use crate::spool::QuarantineNote;
use crate::transport::link::{Denied, WireName};

use super::answer::Answer;
use super::{Node, ROWS_PER_PASS, StageError, each, slips};

mod face;

use self::face::Face;

/// The admitting stage.
pub struct Admit {
    /// What all stages share.
    pub node: Arc<Node>,
    /// Signs `held` slips.
    pub signing: Arc<SecretKey>,
}

impl Admit {
    /// Takes over the bundle whose part is complete.
    ///
    /// # Errors
    /// What the peer is told; nothing was taken over then.
    pub fn hand_over(&self, peer: &PartyId, digest: Digest) -> Result<(), Denied> {
        let name = WireName::Bundle(digest).to_string();
        let part = self
            .node
            .spool
            .finished_part(peer, &name)
            .map_err(|error| Denied::failure(&error))?;
        match self.take_over(peer, digest, &part) {
            Ok(()) => Ok(()),
            Err(denied) => {
                self.turn_away(peer, digest, &part, &denied);
                Err(denied)
            }
        }
    }

    fn take_over(&self, peer: &PartyId, digest: Digest, part: &Path) -> Result<(), Denied> {
        let received = match self
            .node
            .journal
            .inbound(&digest)
            .map_err(|error| Denied::failure(&error))?
        {
            Some(known) => known.received,
            None => self.node.clock.now(),
        };
        let face = self.face(peer, digest, part, received)?;
        let new = self
            .judge(peer, digest, &face, received)
            .map_err(|error| Denied::failure(&error))?;
        self.node
            .spool
            .take_over(peer, &WireName::Bundle(digest).to_string(), &digest)
            .map_err(|error| Denied::failure(&error))?;
        kill::point("admit.moved");
        let row = self.record(&new).map_err(|error| Denied::failure(&error))?;
        kill::point("admit.recorded");
        self.after(&row).map_err(|error| Denied::failure(&error))
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

    fn record(&self, new: &NewInbound) -> Result<InboundRow, StageError> {
        let now = self.node.clock.now();
        let mut text = |origin: &str, index: u64| match new.verdict {
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

    /// What the new state asks for.
    fn after(&self, row: &InboundRow) -> Result<(), StageError> {
        match row.state {
            Inbound::Held => {
                if let Some(reason) = row.held {
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
        let name = WireName::Bundle(row.digest).to_string();
        self.node.board.quiet_all_of(&name);
        tracing::info!(manifest = %row.digest, peer = %row.peer, state = row.state.as_str(), code = row.refusal.map(Refusal::code), "taken over");
        self.node.bells.publish.ring();
        Ok(())
    }

    /// What was not taken over leaves a note; the bytes go.
    fn turn_away(&self, peer: &PartyId, digest: Digest, part: &Path, denied: &Denied) {
        let now = self.node.clock.now();
        let name = WireName::Bundle(digest).to_string();
        tracing::warn!(%peer, manifest = %digest, code = denied.code, "turned away");
        if denied.is_local() {
            return;
        }
        let entry = LedgerEntry {
            kind: RecordKind::Damaged,
            manifest: Some(digest),
            digests: Vec::new(),
            code: Some(denied.code.clone()),
            by: None,
        };
        let note = QuarantineNote {
            name: name.clone(),
            peer: peer.clone(),
            code: denied.code.clone(),
            time: now,
            bytes: std::fs::metadata(part).map_or(0, |meta| meta.len()),
            state: "dropped".to_owned(),
        };
        let outcome = self
            .node
            .journal
            .record(entry, now)
            .map(|_| ())
            .map_err(StageError::from);
        let outcome = outcome.and_then(|()| Ok(self.node.spool.note_quarantine(&name, &note)?));
        if let Err(error) = outcome.and_then(|()| Ok(self.node.spool.drop_part(peer, &name)?)) {
            tracing::error!("what was turned away could not be noted: {error}");
        }
        self.node.board.alarm(&denied.code, &name, now);
        self.node.bells.publish.ring();
    }

    /// Judges again what is held. `ready` tells whether what the store lacked for so many bytes is there now.
    ///
    /// # Errors
    /// This machine's.
    pub fn rejudge_pass(&self, ready: &dyn Fn(HeldReason, u64) -> bool) -> Result<(), StageError> {
        let rows = self
            .node
            .journal
            .inbound_in(&[Inbound::Held], ROWS_PER_PASS)?;
        each(&self.node.stop, &rows, |row| self.rejudge(row, ready)).map(drop)
    }

    fn rejudge(
        &self,
        row: &InboundRow,
        ready: &dyn Fn(HeldReason, u64) -> bool,
    ) -> Result<(), StageError> {
        let journal = &self.node.journal;
        let head = verified_again(&self.node, row)?;
        let manifest = head.manifest();
        if let Some(reason) = row.held {
            slips::tell_held(&self.node, &self.signing, row, reason)?;
            if !ready(reason, manifest.contents.bytes) {
                return Ok(());
            }
        }
        let now = self.node.clock.now();
        let judged_at = if row.held == Some(HeldReason::Clock) {
            now
        } else {
            row.received
        };
        let place = journal.place(&row.peer, &row.digest, manifest)?;
        match self.node.rules.now().judge(manifest, &place, judged_at) {
            Verdict::Admit => {
                journal.rejudge(&row.digest, InboundEvent::Admitted, None, now)?;
                self.node.bells.import.ring();
            }
            Verdict::Refuse(refusal) => {
                super::import::refuse(&self.node, row, manifest, refusal)?;
            }
            Verdict::Hold(reason) if row.held != Some(reason) => {
                journal.rejudge(&row.digest, InboundEvent::Held, Some(reason), now)?;
                slips::tell_held(&self.node, &self.signing, row, reason)?;
            }
            Verdict::Hold(_) => {}
        }
        Ok(())
    }

    /// After a restart: what was moved but not recorded becomes a part again, which the peer hands over anew; what came
    /// again after its answer goes.
    ///
    /// # Errors
    /// This machine's.
    pub fn recover(&self, peers: &[PartyId]) -> Result<(), StageError> {
        for peer in peers {
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

/// The proof for a recorded bundle, made anew in this process from the file; judged at the moment it was received.
///
/// # Errors
/// The file is gone or no longer what was taken over: the machine's fault, and said so.
pub(crate) fn verified_again(node: &Node, row: &InboundRow) -> Result<VerifiedHead, StageError> {
    let path = node.spool.incoming(&row.peer, &row.digest);
    let mut head = Vec::new();
    let read =
        File::open(&path).and_then(|file| file.take(BUNDLE_HEAD_BYTES).read_to_end(&mut head));
    read.map_err(|error| StageError::Other(format!("{}: {error}", path.display())))?;
    let head = UnverifiedHead::parse(&head)
        .map_err(|refusal| StageError::Other(format!("{}: {refusal}", path.display())))?;
    let verified = head.verify(node.rules.now().keyring(), row.received);
    verified.map_err(|fault| {
        StageError::Other(format!("{}: no longer verifies: {fault}", path.display()))
    })
}
