//! Homes as older versions left them, made from a home of today: its journal is written anew by the steps that the older version
//! knew, with every row and column that it had. No binary lies in the tree, and what a fixture holds is what really happened.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::Connection;

/// What each version of the journal has more than the one before it, as released.
const STEPS: [&str; 4] = [
    include_str!("../../daemon/src/journal/schema.sql"),
    include_str!("../../daemon/src/journal/schema-2.sql"),
    include_str!("../../daemon/src/journal/schema-3.sql"),
    include_str!("../../daemon/src/journal/schema-4.sql"),
];
/// The newest version.
pub const NEWEST: usize = STEPS.len();

/// Writes a closed journal anew as that version had it.
///
/// # Errors
/// SQLite's, or there is no such version.
pub fn journal(path: &Path, version: usize) -> Result<()> {
    let older = path.with_extension("older");
    let sql = Connection::open(&older)?;
    for step in STEPS.get(..version).context("no such version")? {
        sql.execute_batch(step)?;
    }
    sql.pragma_update(None, "user_version", i64::try_from(version)?)?;
    sql.execute("ATTACH ?1 AS newer", [path.to_string_lossy()])?;
    let tables = names(
        &sql,
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )?;
    // In the order of their making, which is that of their references.
    for table in tables {
        let columns = format!(
            "SELECT name FROM pragma_table_info('{table}', 'main')
             INTERSECT SELECT name FROM pragma_table_info('{table}', 'newer')"
        );
        let columns = names(&sql, &columns)?.join(", ");
        let copy =
            format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}");
        sql.execute_batch(&copy).with_context(|| copy.clone())?;
    }
    sql.execute_batch("DETACH newer")?;
    drop(sql);
    for beside in ["-wal", "-shm"] {
        let _there_or_not = std::fs::remove_file(format!("{}{beside}", path.display()));
    }
    // Into the same file: another inode would say that the home is a copy.
    std::fs::copy(&older, path)?;
    Ok(std::fs::remove_file(&older)?)
}

/// The version of a closed journal.
///
/// # Errors
/// SQLite's.
pub fn version(path: &Path) -> Result<usize> {
    let sql = Connection::open(path)?;
    let version: i64 = sql.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(usize::try_from(version)?)
}

/// Says that a version of the far future wrote a closed journal.
///
/// # Errors
/// SQLite's.
pub fn age_to(path: &Path, version: u32) -> Result<()> {
    Ok(Connection::open(path)?.pragma_update(None, "user_version", version)?)
}

fn names(sql: &Connection, query: &str) -> Result<Vec<String>> {
    let mut statement = sql.prepare(query)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
