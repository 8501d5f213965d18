//! The rows of a bundle whose days are over: gone from every table that has them, within the store's transaction, and out of the
//! log. What SQLite frees it overwrites (`secure_delete`). The record of the import stays, without its totals: the sum of one row
//! is its value.

use std::time::Duration;

use amanah_format::digest::Digest;
use amanah_format::time::UtcTime;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::{BUSY, StoreError, failed};
use crate::store::table::shape::quoted;

/// Tables with rows of bundles: those of the flows, and those that were put aside under another name.
const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table'
    AND EXISTS (SELECT 1 FROM pragma_table_info(sqlite_schema.name) WHERE name = 'amanah_import')
    AND EXISTS (SELECT 1 FROM pragma_table_info(sqlite_schema.name) WHERE name = 'amanah_row')
    ORDER BY name";

/// Destroys them in the transaction that the caller ends; how many there were, also when that is long ago.
pub(super) fn rows_of(
    sql: &Connection,
    manifest: &Digest,
    now: UtcTime,
) -> Result<u64, StoreError> {
    let query = "SELECT import, destroyed_records FROM amanah_imports WHERE manifest = ?1";
    let found = sql.query_row(query, [manifest.to_string()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
    });
    let (import, before) = match found.optional().map_err(failed)? {
        None => return Ok(0),
        Some(found) => found,
    };
    if let Some(before) = before {
        return Ok(before.unsigned_abs());
    }
    let mut rows = 0_usize;
    for table in tables(sql)? {
        let delete = format!("DELETE FROM {} WHERE amanah_import = ?1", quoted(&table));
        rows = rows.saturating_add(sql.execute(&delete, [import]).map_err(failed)?);
    }
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let mark = "UPDATE amanah_imports SET totals = '{}', destroyed = ?2, destroyed_records = ?3 WHERE import = ?1";
    sql.execute(mark, params![import, now.to_string(), rows])
        .map_err(failed)?;
    Ok(rows.unsigned_abs())
}

/// Whether an import of it is recorded that is not marked.
pub(super) fn is_kept(sql: &Connection, manifest: &Digest) -> Result<bool, StoreError> {
    let query = "SELECT 1 FROM amanah_imports WHERE manifest = ?1 AND destroyed IS NULL";
    let mut query = sql.prepare_cached(query).map_err(failed)?;
    query.exists([manifest.to_string()]).map_err(failed)
}

fn tables(sql: &Connection) -> Result<Vec<String>, StoreError> {
    let mut query = sql.prepare_cached(TABLES).map_err(failed)?;
    let names = query.query_map([], |row| row.get(0)).map_err(failed)?;
    names.collect::<Result<_, _>>().map_err(failed)
}

/// Brings what is committed from the log into the file, so that the file alone is whole where nobody reads at this moment: the log of
/// one file beside another would be their ruin. Readers are not waited for, and no receipt waits for this: what is in the log is
/// durable.
///
/// # Errors
/// SQLite's.
pub(super) fn into_the_file(sql: &Connection) -> rusqlite::Result<()> {
    sql.busy_timeout(Duration::ZERO)?;
    let put = sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    sql.busy_timeout(BUSY)?;
    put
}

/// The log has the rows as they were: it is brought into the file and cut to nothing. Readers are waited for, as long as for
/// any lock.
///
/// # Errors
/// SQLite's; `DatabaseBusy` where one reads all that time.
pub(super) fn out_of_the_log(sql: &Connection) -> rusqlite::Result<()> {
    let is_busy: bool = sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if is_busy {
        let busy = rusqlite::ffi::Error {
            code: ErrorCode::DatabaseBusy,
            extended_code: rusqlite::ffi::SQLITE_BUSY,
        };
        return Err(rusqlite::Error::SqliteFailure(busy, None));
    }
    Ok(())
}
