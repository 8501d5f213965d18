//! What was destroyed and is there again, because its store was restored from an old copy: which bundles are to be compared, newest
//! destruction first, and the end of the mark of those that came back. Then they are kept like any other, and retention destroys them
//! in its own steps. SPOOL.md §3.

use amanah_format::digest::Digest;
use amanah_format::time::UtcTime;
use rusqlite::{Connection, params};

use super::listing::INBOUND_SHOWN;
use super::queries::{many, one, run};
use super::rows::inbound_row;
use super::{InboundRow, Journal, JournalError};

/// Makes the index that finds what was destroyed last, where it is missing.
pub(super) fn ensure(sql: &Connection) -> Result<(), JournalError> {
    let index = "CREATE INDEX IF NOT EXISTS inbound_destroyed ON inbound (destroyed, age) WHERE destroyed IS NOT NULL";
    run(sql, index, []).map(drop)
}

impl Journal {
    /// What came and was destroyed, the newest destruction first, `limit` of them after the first `skip`.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn destroyed_imports(
        &self,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<InboundRow>, JournalError> {
        let query = format!(
            "{INBOUND_SHOWN} INDEXED BY inbound_destroyed WHERE destroyed IS NOT NULL
            ORDER BY destroyed DESC, age DESC LIMIT ?1 OFFSET ?2"
        );
        self.read(|sql| many(sql, &query, (limit, skip), inbound_row))
    }

    /// These are there again: not marked as destroyed any more, so that they are kept, listed and destroyed as what never was. The
    /// records of their destruction stay. One that is not marked is left alone.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn came_back(&self, manifests: &[Digest]) -> Result<(), JournalError> {
        let store =
            "UPDATE inbound SET destroyed = NULL WHERE digest = ?1 AND destroyed IS NOT NULL";
        self.edit(|sql| {
            let mut manifests = manifests.iter();
            manifests
                .try_for_each(|manifest| run(sql, store, params![manifest.as_bytes()]).map(drop))
        })
    }

    /// Whether an import is done again that the store had lost, and not longer than since `moment`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn is_importing_again(&self, moment: UtcTime) -> Result<bool, JournalError> {
        let query = "SELECT 1 FROM inbound WHERE state IN ('held', 'admitted') AND receipt IS NOT NULL AND changed > ?1 LIMIT 1";
        let found = self.read(|sql| one(sql, query, [moment.unix()], |_| Ok(())))?;
        Ok(found.is_some())
    }
}
