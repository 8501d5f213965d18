//! Settle: a receipt is verified and recorded; only then do the originals leave the outbox, into `sent/` or back to the
//! operator. What becomes of them after the agreed days is `retention`'s.

use std::sync::Arc;

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::receipt::{Receipt, ReceiptError, VerifiedReceipt};

use crate::durable::{self, DurableError};
use crate::engine::outbound::{Outbound, OutboundEvent};
use crate::engine::policy::ReturnReason;
use crate::event::Event;
use crate::journal::{JournalError, OutboundRow, Page};
use crate::kill;
use crate::spool::{Side, SpoolError};
use crate::transport::link::Denied;

use super::hand_back::give_back;
use super::stuck::each_of_page;
use super::{Node, Pass, StageError, again, witness};

/// The settling stage.
pub struct Settle {
    /// What all stages share.
    pub node: Arc<Node>,
}

impl Settle {
    /// A receipt arrived: verified, kept as evidence, recorded. After `Ok` the peer may forget it.
    ///
    /// # Errors
    /// What the peer is told.
    pub fn receive(&self, peer: &PartyId, bundle: Digest, container: &[u8]) -> Result<(), Denied> {
        let now = self.node.clock.now();
        let policy = self.node.rules.now();
        let verified = self.verified(peer, bundle, container)?;
        let receipt = verified.receipt();
        let is_ours = &receipt.from == policy.own() && &receipt.to == peer;
        if is_ours && receipt.manifest == bundle {
            return again::regain(&self.node, peer, &verified, container);
        }
        if &receipt.from != peer || &receipt.to != policy.own() || receipt.manifest != bundle {
            return Err(self.doubt(peer, bundle, &"it is for another bundle or party"));
        }
        self.is_worth_keeping(peer, receipt, &verified.digest())?;
        match self
            .node
            .spool
            .keep_receipt(Side::Received, peer, &bundle, container)
        {
            Err(SpoolError::Durable(DurableError::Exists(_))) => {
                return Err(self.doubt(peer, bundle, &"another receipt for it is kept already"));
            }
            kept => kept.map_err(|error| Denied::failure(&error))?,
        }
        kill::point("settle.receipt-kept");
        match self
            .node
            .journal
            .answer(receipt, &verified.digest(), container, now)
        {
            Ok(Some(row)) => {
                let claimed = durable::claim(|| {
                    tracing::info!(event = Event::ReceiptVerified.name(), bundle = %row.bundle, manifest = %bundle, peer = %peer, state = row.state.as_str(), "receipt verified");
                });
                claimed.map_err(|error| Denied::failure(&error))?;
                self.node.board.finished(&bundle);
                self.node.board.quiet("payload-lost", &bundle.to_string());
                let given = self.node.journal.bundle_given(peer, &bundle);
                given.map_err(|error| Denied::failure(&error))?;
                let least = receipt.ledger.index.saturating_add(1);
                let owed = witness::owe(&self.node, peer, least);
                owed.map_err(|error| Denied::failure(&error))?;
                self.node.bells.settle.ring();
                self.node.bells.streams.ring();
                self.node.bells.publish.ring();
                Ok(())
            }
            Ok(None) => {
                self.node
                    .board
                    .alarm("receipt-without-bundle", &bundle.to_string(), now);
                Ok(())
            }
            Err(JournalError::Conflict) => {
                Err(self.doubt(peer, bundle, &"another receipt for it is recorded already"))
            }
            Err(error) => Err(Denied::failure(&error)),
        }
    }

    /// Asked before it is kept as evidence: one that contradicts what was sent is none, and of receipts for bundles that nobody
    /// here knows a peer can sign any number.
    fn is_worth_keeping(
        &self,
        peer: &PartyId,
        receipt: &Receipt,
        digest: &Digest,
    ) -> Result<(), Denied> {
        let (bundle, now) = (receipt.manifest, self.node.clock.now());
        match self.node.journal.would_answer(receipt, digest) {
            Ok(true) => Ok(()),
            Ok(false) if self.node.junk.may_record(peer, now) => Ok(()),
            Ok(false) => {
                self.node.board.alarm("too-much-junk", peer.as_str(), now);
                Err(self.doubt(peer, bundle, &"it is for a bundle that is not known here"))
            }
            Err(JournalError::Conflict) => Err(self.doubt(
                peer,
                bundle,
                &"it contradicts what is recorded of its bundle",
            )),
            Err(error) => Err(Denied::failure(&error)),
        }
    }

    /// A receipt that is signed as it should be. One of the future is kept by the peer until both clocks are right.
    fn verified(
        &self,
        peer: &PartyId,
        bundle: Digest,
        container: &[u8],
    ) -> Result<VerifiedReceipt, Denied> {
        let (now, policy) = (self.node.clock.now(), self.node.rules.now());
        VerifiedReceipt::verify(container, policy.keyring(), now).map_err(|error| {
            let denied = self.doubt(peer, bundle, &error);
            match error {
                ReceiptError::Early(_) => Denied::not_now(denied.message),
                ReceiptError::Wrong(_) => denied,
            }
        })
    }

    fn doubt(&self, peer: &PartyId, bundle: Digest, reason: &dyn std::fmt::Display) -> Denied {
        tracing::error!(event = Event::ReceiptDoubtful.name(), %peer, manifest = %bundle, "a receipt does not count: {reason}");
        self.node.board.alarm(
            "receipt-doubtful",
            &bundle.to_string(),
            self.node.clock.now(),
        );
        Denied {
            code: "receipt-doubtful".to_owned(),
            message: reason.to_string(),
        }
    }

    /// Moves the originals of answered bundles.
    ///
    /// # Errors
    /// This machine's.
    pub fn pass(&self) -> Result<Pass, StageError> {
        let states = [Outbound::Imported, Outbound::Refused];
        let rows = |page: Page<'_>| Ok(self.node.journal.outbound_in(&states, page)?);
        each_of_page(&self.node.stop, rows, |row| self.put_away(row))
    }

    fn put_away(&self, row: &OutboundRow) -> Result<(), StageError> {
        let Some(refusal) = row.refusal else {
            return self.settle(row);
        };
        self.archive(row)?;
        give_back(&self.node, row, ReturnReason::Refused(refusal), None)
    }

    fn archive(&self, row: &OutboundRow) -> Result<(), StageError> {
        let digest = digest_of(row)?;
        if self.node.spool.sent_bundle(&row.peer, &digest)?.is_some() {
            self.node.spool.archive_sent(&row.peer, &digest)?;
        } else {
            // Answered all the same: by an import that came before the loss, or because its number was given up.
            tracing::warn!(bundle = %row.bundle, "our copy of an answered bundle is lost; there is nothing to archive");
        }
        Ok(())
    }

    fn settle(&self, row: &OutboundRow) -> Result<(), StageError> {
        let folder = self.node.spool.outbox(&row.peer, &row.flow);
        let mut items = row.items.clone();
        for item in &mut items {
            if item.resting_place.is_none() {
                let claim = folder.join(&item.claim_name);
                let one = (item.name.as_os_str(), item.inode);
                item.resting_place = self.node.spool.settle(&row.peer, &row.flow, &claim, one)?;
                if item.resting_place.is_none() {
                    tracing::warn!(bundle = %row.bundle, "an original was taken away from under its claim");
                }
            }
        }
        self.node.spool.sync_moves()?;
        self.node.journal.note_items(&row.bundle, &items)?;
        kill::point("settle.moved");
        // Behind the originals, whose move the operator waits for.
        self.archive(row)?;
        self.node.journal.advance_outbound(
            &row.bundle,
            OutboundEvent::OriginalsSettled,
            self.node.clock.now(),
        )?;
        kill::point("settle.recorded");
        tracing::info!(event = Event::Settled.name(), bundle = %row.bundle, peer = %row.peer, "settled");
        self.node.bells.publish.ring();
        Ok(())
    }
}

/// Its manifest, which every answered bundle has.
pub(super) fn digest_of(row: &OutboundRow) -> Result<Digest, StageError> {
    row.digest.ok_or_else(|| {
        StageError::Other(format!(
            "bundle {} was answered but has no manifest",
            row.bundle
        ))
    })
}
