//! The ledger as the journal keeps it: records that belong to no bundle, the checkpoint, the lines; and the small
//! durable facts and counts of the node.

use amanah_format::digest::Digest;
use amanah_format::ledger::{Checkpoint, Prover, RecordKind, Tree};
use amanah_format::time::UtcTime;
use rusqlite::Connection;
use serde::de::DeserializeOwned;

use super::queries::{many, one, run};
use super::rows::{from_sql_int, number, sql_int, word};
use super::{Journal, JournalError};
use crate::engine::inbound::Inbound;
use crate::engine::outbound::Outbound;

/// A record to append.
#[derive(Debug, Clone)]
pub struct LedgerEntry {
    /// What happened.
    pub kind: RecordKind,
    /// The bundle that it is about.
    pub manifest: Option<Digest>,
    /// What else it is about. Never of guessable text.
    pub digests: Vec<Digest>,
    /// A refusal code, held reason or request's verb. Never a name.
    pub code: Option<String>,
    /// User id of who asked.
    pub by: Option<u32>,
}

/// Numbers for the snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Outgoing bundles by state, without states that none is in.
    pub outbound: Vec<(Outbound, u64)>,
    /// Incoming bundles by state, without states that none is in.
    pub inbound: Vec<(Inbound, u64)>,
    /// Records in the ledger.
    pub ledger_size: u64,
}

impl Journal {
    /// Appends a record that belongs to no bundle (loaded, requested, damaged …); its index.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn record(&self, entry: LedgerEntry, now: UtcTime) -> Result<u64, JournalError> {
        self.change(now, |change| change.append(entry))
    }

    /// Size and root as committed.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn checkpoint(&self) -> Result<Checkpoint, JournalError> {
        let state = self.lock()?;
        Ok(Checkpoint {
            origin: self.origin.clone(),
            size: state.tree.size(),
            root: state.tree.root(),
        })
    }

    /// The checkpoint of the first `size` records: what to sign beside a copy that holds so many. Reads all leaves
    /// before it unless `size` is the newest.
    ///
    /// # Errors
    /// [`JournalError::Unknown`] for more records than there are.
    pub fn checkpoint_at(&self, size: u64) -> Result<Checkpoint, JournalError> {
        let newest = self.checkpoint()?;
        if newest.size == size {
            return Ok(newest);
        }
        let tree = self.read(|sql| tree_of(sql, size))?;
        if tree.size() != size {
            return Err(JournalError::Unknown(format!("{size} ledger records")));
        }
        Ok(Checkpoint {
            root: tree.root(),
            size,
            ..newest
        })
    }

    /// The proof that the ledger of `second` records has grown out of the one of `first`; of nothing for 0 and for the same.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn consistency(&self, first: u64, second: u64) -> Result<Vec<Digest>, JournalError> {
        let mut prover = Prover::new(first, second);
        if first == 0 || first >= second {
            return Ok(prover.finish());
        }
        self.read(|sql| {
            let mut statement =
                sql.prepare_cached("SELECT leaf FROM ledger WHERE idx < ?1 ORDER BY idx")?;
            let mut rows = statement.query([sql_int(second)?])?;
            while let Some(row) = rows.next()? {
                prover.push(Digest::from_bytes(row.get(0)?));
            }
            Ok(prover.finish())
        })
    }

    /// Lines from `index` on, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn ledger_lines(&self, index: u64, limit: u32) -> Result<Vec<Vec<u8>>, JournalError> {
        let query = "SELECT line FROM ledger WHERE idx >= ?1 ORDER BY idx LIMIT ?2";
        let from = sql_int(index)?;
        self.read(|sql| many(sql, query, (from, limit), |row| Ok(row.get(0)?)))
    }

    /// Small durable facts of the node (paused peers, agreement digests already recorded as loaded …). Keys that begin
    /// with `journal.` are the journal's own.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn fact(&self, key: &str) -> Result<Option<String>, JournalError> {
        let query = "SELECT value FROM facts WHERE key = ?1";
        self.read(|sql| one(sql, query, [key], |row| Ok(row.get(0)?)))
    }

    /// Stores a fact, or removes it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn set_fact(&self, key: &str, value: Option<&str>) -> Result<(), JournalError> {
        self.edit(|sql| set_fact(sql, key, value))
    }

    /// Counts by state, for the snapshot.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn counts(&self) -> Result<Counts, JournalError> {
        let state = self.lock()?;
        Ok(Counts {
            outbound: tally(&state.connection, "outbound")?,
            inbound: tally(&state.connection, "inbound")?,
            ledger_size: state.tree.size(),
        })
    }
}

/// The tree of the recorded leaves below `end`, in their order without a gap.
pub(super) fn tree_of(sql: &Connection, end: u64) -> Result<Tree, JournalError> {
    let mut tree = Tree::default();
    let mut statement =
        sql.prepare_cached("SELECT idx, leaf FROM ledger WHERE idx < ?1 ORDER BY idx")?;
    let mut rows = statement.query([sql_int(end)?])?;
    while let Some(row) = rows.next()? {
        if from_sql_int(row.get(0)?)? != tree.size() {
            let index = tree.size();
            return Err(JournalError::Damaged(format!(
                "ledger record {index} is missing"
            )));
        }
        tree.push(Digest::from_bytes(row.get(1)?));
    }
    Ok(tree)
}

pub(super) fn set_fact(
    sql: &Connection,
    key: &str,
    value: Option<&str>,
) -> Result<(), JournalError> {
    let changed = match value {
        Some(value) => {
            let store = "INSERT INTO facts (key, value) VALUES (?1, ?2)
                ON CONFLICT DO UPDATE SET value = excluded.value";
            run(sql, store, (key, value))
        }
        None => run(sql, "DELETE FROM facts WHERE key = ?1", [key]),
    };
    changed.map(drop)
}

fn tally<S: DeserializeOwned + Ord>(
    sql: &Connection,
    way: &str,
) -> Result<Vec<(S, u64)>, JournalError> {
    let query =
        "SELECT state, SUM(rows) AS rows FROM tallies WHERE way = ?1 AND rows > 0 GROUP BY state";
    let mut counts = many(sql, query, [way], |row| {
        Ok((word(row, "state")?, number(row, "rows")?))
    })?;
    counts.sort();
    Ok(counts)
}
