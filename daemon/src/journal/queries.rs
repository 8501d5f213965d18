//! Reading rows into values: statements are prepared once and kept, a row that does not read is an error.
//! It knows no table and no state: which rows, and how many at most, the caller's statement says.

use rusqlite::{Connection, Params, Row};

use super::JournalError;

/// The one row of a query, if there is one.
pub(super) fn one<T>(
    sql: &Connection,
    query: &str,
    with: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, JournalError>,
) -> Result<Option<T>, JournalError> {
    let mut statement = sql.prepare_cached(query)?;
    let mut rows = statement.query(with)?;
    rows.next()?.map(read).transpose()
}

/// All rows of a query, in its order.
pub(super) fn many<T>(
    sql: &Connection,
    query: &str,
    with: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, JournalError>,
) -> Result<Vec<T>, JournalError> {
    let mut statement = sql.prepare_cached(query)?;
    let mut rows = statement.query(with)?;
    let mut values = Vec::new();
    while let Some(row) = rows.next()? {
        values.push(read(row)?);
    }
    Ok(values)
}

/// Runs a statement; how many rows it changed.
pub(super) fn run(
    sql: &Connection,
    statement: &str,
    with: impl Params,
) -> Result<usize, JournalError> {
    Ok(sql.prepare_cached(statement)?.execute(with)?)
}
