//! Acknowledge: signs the receipt whose exact bytes were recorded with the outcome, keeps it as evidence, offers it to the peer.
//! Only what the second transaction recorded is ever sent, and always the same bytes: Ed25519 signs deterministically.

use std::sync::Arc;

use amanah_format::receipt::{self, Receipt};
use amanah_format::refusal::Refusal;
use amanah_format::signature::Purpose;

use crate::engine::inbound::Inbound;
use crate::journal::{InboundRow, Page};
use crate::kill;
use crate::spool::{QuarantineNote, Side};

use super::answer::Kept;
use super::signer::Signer;
use super::stuck::each_of_page;
use super::{Node, Pass, StageError};

/// The acknowledging stage: the only one that signs receipts.
pub struct Acknowledge {
    /// What all stages share.
    pub node: Arc<Node>,
    /// Our signing keys.
    pub signing: Arc<Signer>,
}

impl Acknowledge {
    /// Signs the receipts of all outcomes that have none.
    ///
    /// # Errors
    /// This machine's.
    pub fn pass(&self) -> Result<Pass, StageError> {
        let states = [Inbound::Imported, Inbound::Refused];
        let rows = |page: Page<'_>| Ok(self.node.journal.inbound_in(&states, page)?);
        each_of_page(&self.node.stop, rows, |row| self.sign(row))
    }

    fn sign(&self, row: &InboundRow) -> Result<(), StageError> {
        let Some(text) = &row.receipt else {
            return Err(StageError::Other(format!(
                "bundle {} has an outcome but no receipt text",
                row.digest
            )));
        };
        // Signed before, perhaps by a key that is retired since: then by that signature again.
        let kept = Kept::find(&self.node, &row.peer, &row.digest)?;
        let signature = match kept.filter(|kept| &kept.text == text) {
            Some(kept) => kept.signature,
            None => {
                let (policy, now) = (self.node.rules.now(), self.node.clock.now());
                let finished = |receipt: &Receipt| receipt.finished;
                let key = self.signing.of(&policy, text, finished, now);
                key.sign(Purpose::Receipt, text)
            }
        };
        let container = receipt::pack(text, &signature);
        self.node
            .spool
            .keep_receipt(Side::Issued, &row.peer, &row.digest, &container)?;
        self.put_away(row)?;
        kill::point("acknowledge.kept");
        self.node.journal.store_receipt_signature(
            &row.digest,
            &signature,
            self.node.clock.now(),
        )?;
        kill::point("acknowledge.signed");
        // The peer may have handed it over again after it was put away and before this was recorded.
        self.node.spool.forget_incoming(&row.peer, &row.digest)?;
        self.node.bells.peer(&row.peer).ring();
        self.node.bells.publish.ring();
        Ok(())
    }

    /// The bundle goes where its outcome sends it: the archive, or quarantine.
    fn put_away(&self, row: &InboundRow) -> Result<(), StageError> {
        let Some(refusal) = row.refusal else {
            return Ok(self.node.spool.archive_received(&row.peer, &row.digest)?);
        };
        // Of a number that was given up nothing came; and what came since goes, below.
        if refusal == Refusal::Voided {
            return Ok(());
        }
        let from = self.node.spool.incoming(&row.peer, &row.digest);
        let name = amanah_format::container::bundle_name(&row.digest);
        let note = QuarantineNote {
            name: name.clone(),
            peer: row.peer.clone(),
            code: refusal.code().to_owned(),
            time: row.received,
            bytes: amanah_format::container::bundle_bytes(row.payload_bytes),
            state: "refused".to_owned(),
        };
        Ok(self.node.spool.quarantine(&row.peer, &name, &from, &note)?)
    }
}
