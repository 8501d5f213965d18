//! Reading rows into values: statements are prepared once and kept, a row that does not read is an error.
//! It knows no table and no state: which rows, and how many at most, the caller's statement says.

use rusqlite::{Connection, Params, Row};

use super::JournalError;

/// Which rows of a listing, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// So many are left out.
    pub skip: u32,
    /// At most so many.
    pub limit: u32,
}

impl Page {
    /// The first rows, at most `limit`.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { skip: 0, limit }
    }

    /// How many rows lie up to its end.
    pub(super) const fn reach(self) -> u32 {
        self.skip.saturating_add(self.limit)
    }
}

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

/// The ages of the rows that `query` finds for each of `asked`, oldest first, one page of them: ages first, so that only
/// rows that are wanted are read whole. `query` finds at most [`Page::reach`] rows for each.
pub(super) fn ages_in<P: Params>(
    sql: &Connection,
    query: &str,
    asked: impl Iterator<Item = P>,
    page: Page,
) -> Result<Vec<i64>, JournalError> {
    let mut ages: Vec<i64> = Vec::new();
    for one in asked {
        ages.extend(many(sql, query, one, |row| Ok(row.get::<_, i64>(0)?))?);
    }
    ages.sort_unstable();
    let size = |rows| usize::try_from(rows).unwrap_or(usize::MAX);
    let beyond = ages.into_iter().skip(size(page.skip));
    Ok(beyond.take(size(page.limit)).collect())
}
