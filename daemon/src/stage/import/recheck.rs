//! Recheck: once in each life of the process, and when a database is found to be another copy, whether the store still has what the
//! journal says it committed. A store that was restored from an old copy lacks the newest imports: they are imported again, from our
//! archive or from the sender, and answered by the receipts that they have. SPOOL.md §3.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::policy::Kept;
use crate::journal::InboundRow;
use crate::stage::StageError;
use crate::stage::retention::is_over;

use super::Import;

/// Imports looked at before the first one that is missing: an old copy lacks the newest ones first.
const NEWEST: u32 = 256;
/// What retention may destroy while the store is compared is not taken up again under its hands.
const SOON_SECS: i64 = 3_600;

/// At least so long between two looks at a database that nothing is imported into: stages that have nothing to do come round twice a
/// minute, and whenever an operator asks (`amanah retry`).
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Whether the stores were compared with the journal in this life of the process.
#[derive(Debug, Default)]
pub struct Rechecked {
    is_done: Mutex<bool>,
    times: AtomicU64,
    /// When a database was last asked whether it is the copy that it was.
    looked: Mutex<Option<Instant>>,
}

impl Rechecked {
    /// How often they were: more than before where a store was found to be another copy.
    pub(in crate::stage) fn times(&self) -> u64 {
        self.times.load(Ordering::Acquire)
    }

    /// A store is another copy than before.
    pub(in crate::stage) fn is_due_again(&self) {
        *self.is_done.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }

    /// Whether the next look has come.
    fn looks(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = looked.is_none_or(|last| last.elapsed() >= LOOK_EVERY);
        if is_due {
            *looked = Some(Instant::now());
        }
        is_due
    }
}

impl Import {
    /// Compares the journal with the store, newest imports first, as long as any are missing.
    ///
    /// # Errors
    /// This machine's. A store that is not there is compared when it is.
    pub(super) fn recheck(&self) -> Result<(), StageError> {
        // One lane compares, the others wait for it.
        let mut done = self
            .rechecked
            .is_done
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *done || !self.stores_are_there() {
            return Ok(());
        }
        let mut skip = 0;
        loop {
            let rows = self.node.journal.answered_imports(skip, NEWEST)?;
            let mut lost = 0_u32;
            for row in &rows {
                // Taken up so far is taken up; the next start looks for the rest.
                if self.node.stop.is_set() {
                    return Ok(());
                }
                if !self.still_has(row)? && !self.is_over(row)? {
                    self.take_up_again(row)?;
                    lost += 1;
                }
            }
            if lost == 0 || rows.is_empty() {
                break;
            }
            // What was taken up is in another state now, and so out of the list.
            skip += NEWEST.saturating_sub(lost);
        }
        *done = true;
        self.rechecked.times.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Looks whether an older copy was put in the place of a database into which nothing is imported. One that is away is asked later,
    /// and nobody waits for its answer who has something to import.
    pub(super) fn look_at_copy(&self) {
        // An import looks by itself before it begins, and counts in the store before it counts here.
        let under_way = self.under_way.lock();
        let is_idle = under_way.unwrap_or_else(PoisonError::into_inner).is_empty();
        let tables = self.tables.as_ref().filter(|_| is_idle);
        if let Some(tables) = tables
            && self.rechecked.looks()
            && matches!(tables.is_current(&self.node), Ok(false))
        {
            self.rechecked.is_due_again();
            self.node.bells.import.ring();
        }
    }

    fn take_up_again(&self, row: &InboundRow) -> Result<(), StageError> {
        let now = self.node.clock.now();
        tracing::warn!(manifest = %row.digest, peer = %row.peer, "the store has lost an import; it is done again");
        self.node
            .board
            .alarm("store-behind", row.peer.as_str(), now);
        self.node.journal.store_lost(&row.digest, now)?;
        crate::kill::point("import.taken-up-again");
        Ok(())
    }

    /// Whether its agreed days are over, or soon will be: what is to be destroyed does not come back, unless a hold keeps it.
    fn is_over(&self, row: &InboundRow) -> Result<bool, StageError> {
        let flow = row.flow.as_ref();
        let holds = self.node.journal.holds()?;
        if holds
            .iter()
            .any(|hold| hold.on.covers(&row.peer, flow, &row.digest))
        {
            return Ok(false);
        }
        let policy = self.node.rules.now();
        let terms = row.agreement.as_ref().zip(row.flow.as_ref());
        match terms.map(|(agreement, flow)| policy.kept(agreement, flow)) {
            Some(Kept::Days(days)) => {
                is_over(row, days, self.node.clock.now().plus_secs(SOON_SECS))
            }
            Some(Kept::Held | Kept::Unknown) | None => Ok(false),
        }
    }

    /// Whether nothing lies here of a bundle that is to be imported: then the sender must give it again, and `streams` asks it.
    ///
    /// # Errors
    /// This machine's.
    pub(super) fn is_nowhere(&self, row: &InboundRow) -> Result<bool, StageError> {
        let subject = row.digest.to_string();
        if self.node.spool.bring_back(&row.peer, &row.digest)? {
            self.node.board.quiet("bundle-missing", &subject);
            return Ok(false);
        }
        let now = self.node.clock.now();
        self.node.board.alarm("bundle-missing", &subject, now);
        Ok(true)
    }
}
