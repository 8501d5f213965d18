//! The one way to write: BEGIN IMMEDIATE, the work, its ledger records, COMMIT. The tree in memory follows only after
//! the commit, so memory and disk never disagree.

use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};

use amanah_format::digest::Digest;
use amanah_format::ledger::{Record, Tree, leaf_hash};
use amanah_format::time::UtcTime;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};

use super::rows::sql_int;
use super::{Journal, JournalError, LedgerEntry};
use crate::durable::identity_of;

/// What the mutex guards.
pub(super) struct State {
    pub(super) connection: Connection,
    /// The ledger's tree as committed.
    pub(super) tree: Tree,
    /// A commit failed in the disk: what is durable is not known any more (fsync(2), NOTES).
    pub(super) halted: bool,
}

/// Where the journal is, and which file that is.
pub(super) struct Place {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    /// Of the file that is there now.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let (path, file) = (path.to_owned(), identity_of(path.metadata())?);
        Some(Self { path, file })
    }

    /// Whether it still is there. A journal that is open can be written when its disk is mounted no more, and would then say of files
    /// on that disk that they are gone.
    fn holds(&self) -> Result<(), JournalError> {
        if identity_of(self.path.metadata()) == Some(self.file) {
            return Ok(());
        }
        Err(JournalError::Away(self.path.clone()))
    }
}

/// A transaction under way.
pub(super) struct Change<'a> {
    pub(super) sql: &'a Transaction<'a>,
    pub(super) now: UtcTime,
    pub(super) millis: u64,
    pub(super) origin: &'a str,
    tree: Tree,
}

impl Journal {
    /// Runs `work` in one transaction: after an error of it nothing has changed.
    pub(super) fn change<T>(
        &self,
        now: UtcTime,
        work: impl FnOnce(&mut Change<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut guard = self.lock()?;
        let State {
            connection,
            tree,
            halted,
        } = &mut *guard;
        let sql = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut change = Change {
            sql: &sql,
            now,
            millis: self.clock.unix_millis(),
            origin: &self.origin,
            tree: tree.clone(),
        };
        let value = work(&mut change)?;
        let grown = change.tree;
        self.commit(sql, halted)?;
        *tree = grown;
        Ok(value)
    }

    /// Runs `work` in one transaction that changes no state and leaves no record: facts beside the states.
    pub(super) fn edit<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut guard = self.lock()?;
        let State {
            connection, halted, ..
        } = &mut *guard;
        let sql = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&sql)?;
        self.commit(sql, halted)?;
        Ok(value)
    }

    /// The only commit of the journal. `halted` becomes true where what is durable is not known any more.
    fn commit(&self, sql: Transaction<'_>, halted: &mut bool) -> Result<(), JournalError> {
        self.place.holds()?;
        crate::kill::point("journal.before-commit");
        sql.commit()
            .inspect_err(|error| *halted = is_disk_failure(error))?;
        crate::kill::point("journal.after-commit");
        Ok(())
    }

    /// Reads; never writes.
    pub(super) fn read<T>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        look(&self.lock()?.connection)
    }

    pub(super) fn lock(&self) -> Result<MutexGuard<'_, State>, JournalError> {
        // A thread that panicked under the lock rolled its transaction back and left the tree as committed.
        let guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.halted {
            let reason = "the disk failed a commit earlier in this process; restart";
            return Err(JournalError::Damaged(reason.to_owned()));
        }
        Ok(guard)
    }
}

impl Change<'_> {
    /// The index that the next record will have.
    pub(super) fn next_index(&self) -> u64 {
        self.tree.size()
    }

    /// Appends a record to the ledger; its index.
    pub(super) fn append(&mut self, entry: LedgerEntry) -> Result<u64, JournalError> {
        let index = self.next_index();
        let record = Record {
            index,
            time: self.now,
            kind: entry.kind,
            manifest: entry.manifest,
            digests: entry.digests,
            code: entry.code,
            by: entry.by,
        };
        let line = record.to_line();
        let leaf = leaf_hash(&line);
        self.sql
            .prepare_cached("INSERT INTO ledger (idx, line, leaf) VALUES (?1, ?2, ?3)")?
            .execute(params![sql_int(index)?, line, leaf.as_bytes()])?;
        self.tree.push(leaf);
        Ok(index)
    }

    /// Appends the record of a state change of one bundle.
    pub(super) fn append_about(
        &mut self,
        kind: amanah_format::ledger::RecordKind,
        manifest: Option<Digest>,
        code: Option<String>,
    ) -> Result<u64, JournalError> {
        self.append(LedgerEntry {
            kind,
            manifest,
            digests: Vec::new(),
            code,
            by: None,
        })
    }
}

/// Whether a failed commit leaves open what is on the disk. A full disk does not: it was rolled back.
fn is_disk_failure(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt)
    )
}
