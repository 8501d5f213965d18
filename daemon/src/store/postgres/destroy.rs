//! The rows of a bundle whose days are over: gone from every table of the schema that has them, in one transaction with the mark in the
//! record of the import, which stays without its totals. Then the tables are vacuumed: no question finds the rows any more, and the
//! server may use their space. When it overwrites it, and its log of changes, is the server's own: docs/postgresql.md.

use amanah_format::digest::Digest;
use amanah_format::time::UtcTime;

use super::StoreError;
use super::complaint::Failure;
use super::link::Session;
use crate::store::table::shape::quoted;

/// Tables with rows of bundles: those of the flows, and those that were put aside under another name. One that belongs to somebody
/// else by now fails the destruction, which would not be true otherwise.
const TABLES: &str = "SELECT c.relname::text FROM pg_class AS c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND 2 = (
        SELECT count(*) FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attname IN ('amanah_import', 'amanah_row') AND NOT a.attisdropped)
    ORDER BY c.relname";

/// Destroys them in the transaction that the caller ends; how many there were, also when that is long ago.
pub(super) fn rows_of(
    session: &Session<'_>,
    manifest: &Digest,
    now: UtcTime,
) -> Result<u64, StoreError> {
    let query =
        "SELECT import, destroyed_records FROM amanah_imports WHERE manifest = $1 FOR UPDATE";
    let found = session.rows(query, &[&manifest.to_string()])?;
    let Some(row) = found.first() else {
        return Ok(0);
    };
    let (import, before): (i64, Option<i64>) = (row.get(0), row.get(1));
    if let Some(before) = before {
        return Ok(before.unsigned_abs());
    }
    let mut rows = 0_u64;
    for table in tables(session)? {
        let delete = format!("DELETE FROM {} WHERE amanah_import = $1", quoted(&table));
        rows = rows.saturating_add(session.change(&delete, &[&import])?);
    }
    let counted = i64::try_from(rows).unwrap_or(i64::MAX);
    let mark = "UPDATE amanah_imports SET totals = '{}', destroyed = $2::text::timestamptz, destroyed_records = $3
        WHERE import = $1";
    session.change(mark, &[&import, &now.to_string(), &counted])?;
    Ok(rows)
}

/// Whether an import of it is recorded that is not marked.
pub(super) fn is_kept(session: &Session<'_>, manifest: &Digest) -> Result<bool, Failure> {
    let query = "SELECT 1 FROM amanah_imports WHERE manifest = $1 AND destroyed IS NULL";
    let found = session.rows(query, &[&manifest.to_string()])?;
    Ok(!found.is_empty())
}

fn tables(session: &Session<'_>) -> Result<Vec<String>, Failure> {
    let found = session.rows(TABLES, &[])?;
    Ok(found.iter().map(|row| row.get(0)).collect())
}

/// Outside any transaction. What a reader still sees is left to the server's own housekeeping.
pub(super) fn vacuum(session: &Session<'_>) -> Result<(), StoreError> {
    for table in tables(session)? {
        session.run(&format!("VACUUM {}", quoted(&table)))?;
    }
    Ok(())
}
