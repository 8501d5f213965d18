//! One bundle is destroyed, in an order in which each step can be done twice: the store, then the files of ours, then one transaction
//! of the journal: the mark, the record, what was counted. A death in between leaves an intention, and it is done again.

use std::path::PathBuf;

use amanah_format::container::{bundle_bytes, bundle_name};
use amanah_format::destruction::Side;
use amanah_format::refusal::Refusal;

use crate::engine::inbound::Inbound;
use crate::event::Event;
use crate::journal::{Doomed, InboundRow, OutboundRow};
use crate::kill;
use crate::spool::QuarantineNote;
use crate::stage::StageError;

use super::{Retention, ends_all, receipt_of};

/// Begun and not done, looked at in one pass: there is one, unless something fails.
const BEGUN_MAX: u32 = 64;

impl Retention {
    /// Finishes what was begun: after a crash, or where something failed. A hold that came later does not stop it, for what is
    /// half gone is no evidence of anything.
    pub(super) fn finish(&self) -> Result<usize, StageError> {
        let begun = self.node.journal.doomed(BEGUN_MAX)?;
        let (mut done, mut first) = (0, None);
        for doomed in &begun {
            match self.destroy(doomed) {
                Ok(()) => done += 1,
                Err(error) if ends_all(&error) => return Err(error),
                Err(error) => first = first.or(Some(error)),
            }
        }
        first.map_or(Ok(done), Err)
    }

    /// Destroys what is left of it, and says so.
    pub(super) fn destroy(&self, doomed: &Doomed) -> Result<(), StageError> {
        let journal = &self.node.journal;
        let is_done = match doomed.side {
            Side::Sent => match journal.outbound_by_digest(&doomed.manifest)? {
                Some(row) => self.destroy_originals(&row, doomed)?,
                None => false,
            },
            Side::Received => match journal.inbound(&doomed.manifest)? {
                Some(row) => self.destroy_import(&row, doomed)?,
                None => false,
            },
        };
        if is_done {
            let bundle = doomed.bundle.map(|id| id.to_string()).unwrap_or_default();
            tracing::info!(event = Event::Destroyed.name(), bundle, manifest = %doomed.manifest, peer = %doomed.peer, "destroyed: the agreed days are over");
            self.node.bells.publish.ring();
        }
        Ok(())
    }

    fn destroy_originals(&self, row: &OutboundRow, doomed: &Doomed) -> Result<bool, StageError> {
        let spool = &self.node.spool;
        for place in originals(row) {
            spool.destroy(place)?;
        }
        spool.remove_archived_sent(&row.peer, &doomed.manifest)?;
        kill::point("retention.removed");
        let now = self.node.clock.now();
        self.node.journal.sent_destroyed(&row.bundle, now)?;
        Ok(true)
    }

    fn destroy_import(&self, row: &InboundRow, doomed: &Doomed) -> Result<bool, StageError> {
        // Taken up again, because the store had lost it: then it is under way, and comes back here by itself.
        if !matches!(row.state, Inbound::Acknowledged | Inbound::Delivered) {
            return Ok(false);
        }
        self.store_is_there(row)?;
        let now = self.node.clock.now();
        let rows = match &self.tables {
            Some(tables) => tables.store.destroy(&row.digest, now)?,
            None => 0,
        };
        self.files.destroy(&row.digest)?;
        kill::point("retention.store-emptied");
        let spool = &self.node.spool;
        spool.remove_archived_received(&row.peer, &row.digest)?;
        // Of a number that was given up nothing ever lay here.
        let refused = row.refusal.filter(|code| *code != Refusal::Voided);
        if let Some(refusal) = refused {
            self.destroy_quarantined(row, refusal.code())?;
        }
        kill::point("retention.removed");
        let journal = &self.node.journal;
        journal.received_destroyed(&doomed.manifest, rows, now)?;
        Ok(true)
    }

    /// Nothing is called destroyed in a store that cannot be asked.
    ///
    /// # Errors
    /// The store is missing, another one, or not configured any more.
    pub(super) fn store_is_there(&self, row: &InboundRow) -> Result<(), StageError> {
        let Some(store) = receipt_of(row)?.store else {
            return Ok(());
        };
        if store.kind == self.files.kind() {
            return Ok(());
        }
        let tables = self.tables.as_ref();
        match tables.filter(|tables| tables.store.kind() == store.kind) {
            Some(tables) => tables.is_ours(&self.node),
            None => Err(StageError::Other(format!(
                "rows of {} lie in a {} database that is not configured any more: they cannot be destroyed",
                row.digest, store.kind
            ))),
        }
    }

    /// Where its sealed bundle lies.
    pub(super) fn sealed_copy(&self, row: &InboundRow) -> PathBuf {
        let spool = &self.node.spool;
        match row.refusal {
            Some(_) => spool.quarantined(&bundle_name(&row.digest)),
            None => spool.archived_received(&row.peer, &row.digest),
        }
    }

    /// The note stays, and says so.
    fn destroy_quarantined(&self, row: &InboundRow, code: &str) -> Result<(), StageError> {
        let name = bundle_name(&row.digest);
        self.node.spool.remove_quarantined(&name)?;
        let note = QuarantineNote {
            name: name.clone(),
            peer: row.peer.clone(),
            code: code.to_owned(),
            time: row.received,
            bytes: bundle_bytes(row.payload_bytes),
            state: "destroyed".to_owned(),
        };
        Ok(self.node.spool.note_quarantine(&name, &note)?)
    }
}

/// Where the originals lie that are ours to destroy: what was returned is its operator's again.
pub(super) fn originals(row: &OutboundRow) -> impl Iterator<Item = &String> {
    let items = row.items.iter().filter(|_| row.return_reason.is_none());
    items.filter_map(|item| item.resting_place.as_ref())
}
