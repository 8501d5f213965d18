//! What was destroyed and is there again: a store, an archive or a quarantine that was restored from a copy older than the
//! destruction. It is compared when the stores were, and once an hour; what came back is kept from then on like any other bundle: said,
//! listed, and destroyed by the same steps, unless it is held. SPOOL.md §3.
//!
//! Only what the journal says was destroyed is looked for, and only by its own names.

use amanah_format::digest::Digest;
use amanah_format::time::UtcTime;

use crate::journal::InboundRow;
use crate::kill;
use crate::stage::StageError;

use super::{DAY_SECS, Retention, is_within_the_hour, receipt_of};

/// Bundles compared before the first one that came back: an old copy has those that were destroyed last.
const NEWEST: u32 = 256;

impl Retention {
    /// Looks for what came back, where the stores were compared with the journal since, once an hour, and where it is wanted.
    ///
    /// # Errors
    /// This machine's.
    pub(super) fn look_back(&self, now: UtcTime, is_wanted: bool) -> Result<(), StageError> {
        let times = self.rechecked.times();
        let (is_new, is_due) = {
            let seen = self.seen();
            let is_new = times != seen.compared;
            (
                is_new,
                is_new || is_wanted || !is_within_the_hour(seen.looked, now),
            )
        };
        // What a store lost comes first: corrections of what came back among it could not be imported any more.
        if times == 0 || !is_due || !self.stores_are_there() || self.waits(now)? {
            return Ok(());
        }
        let mut skip = 0;
        loop {
            let rows = self.node.journal.destroyed_imports(skip, NEWEST)?;
            let mut back = Vec::new();
            for row in &rows {
                // Found again by the next look.
                if self.node.stop.is_set() {
                    return Ok(());
                }
                if self.is_there_again(row)? {
                    back.push(row);
                }
            }
            if back.is_empty() {
                break;
            }
            if !is_new {
                // The store is another copy than the one that was compared: what it lost is looked for before this goes on.
                self.rechecked.is_due_again();
                self.node.bells.import.ring();
                return Ok(());
            }
            self.keep_again(&back, now)?;
            // What came back is out of the list.
            let passed = rows.len().saturating_sub(back.len());
            skip += u32::try_from(passed).unwrap_or(NEWEST);
            if self.node.spool.has_requests()? {
                return Ok(());
            }
        }
        let mut seen = self.seen();
        (seen.compared, seen.looked) = (times, Some(now));
        Ok(())
    }

    fn keep_again(&self, back: &[&InboundRow], now: UtcTime) -> Result<(), StageError> {
        for row in back {
            tracing::warn!(manifest = %row.digest, peer = %row.peer, "what was destroyed is there again; it is destroyed again, unless it is held");
            self.node
                .board
                .alarm("destroyed-came-back", row.peer.as_str(), now);
        }
        let manifests: Vec<Digest> = back.iter().map(|row| row.digest).collect();
        self.node.journal.came_back(&manifests)?;
        kill::point("retention.came-back");
        // Not in an hour, and listed now.
        let mut seen = self.seen();
        seen.ran = None;
        seen.listed = None;
        Ok(())
    }

    /// Whether anything of it is there. A database that is not configured any more is not asked.
    fn is_there_again(&self, row: &InboundRow) -> Result<bool, StageError> {
        if self.sealed_copy(row).is_file() {
            return Ok(true);
        }
        let Some(store) = receipt_of(row)?.store else {
            return Ok(false);
        };
        if store.kind == self.files.kind() {
            return Ok(self.files.left(&row.digest)? > 0);
        }
        let tables = self.tables.as_ref().map(|tables| &tables.store);
        match tables.filter(|tables| tables.kind() == store.kind) {
            Some(tables) => Ok(tables.keeps(&row.digest)?),
            None => Ok(false),
        }
    }

    fn stores_are_there(&self) -> bool {
        let tables = self.tables.as_ref();
        self.files.room().is_ok() && tables.is_none_or(|tables| tables.is_ours(&self.node).is_ok())
    }

    /// Whether imports are done again, and not for a day yet, in this life of the process or before: one that does not come must not
    /// keep what is to be destroyed.
    fn waits(&self, now: UtcTime) -> Result<bool, StageError> {
        let a_day_ago = now.plus_secs(-DAY_SECS);
        let is_importing = self.node.journal.is_importing_again(a_day_ago)?;
        let mut seen = self.seen();
        seen.waits_since = is_importing.then(|| seen.waits_since.unwrap_or(now));
        let since = seen.waits_since;
        Ok(since.is_some_and(|since| now < since.plus_secs(DAY_SECS)))
    }
}
